"""Whatever users rely on is written down where they look."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from alltalk_plugin.domain.errors import AlltalkError, all_error_types
from alltalk_plugin.http.problems import STATUS
from alltalk_plugin.plugins import hookspecs
from alltalk_plugin.settings.load import load_settings, read_settings
from alltalk_plugin.settings.schema import HostSettings, Section, Settings

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "settings.example.yaml"
HOOKS = sorted(name for name in vars(hookspecs) if name.startswith("alltalk_"))


def test_example_when_loaded_then_its_values_are_the_defaults() -> None:
    example = load_settings(EXAMPLE, must_exist=True)
    assert example.hosts == {"text-generation-webui": HostSettings()}
    assert example.model_copy(update={"hosts": {}}) == Settings()


def test_example_when_the_commented_entries_are_taken_in_then_still_valid() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    settings = read_settings(re.sub("^# (?=  )", "", text, flags=re.MULTILINE), EXAMPLE)
    assert settings.characters["Aria"].languages == {"fr": "claire"}
    assert settings.voices["claire"].model == "siwis"
    assert settings.models["siwis"].path == ROOT / "models/fr_FR-siwis-medium.onnx"


def keys(schema: type[BaseModel]) -> list[tuple[str, str]]:
    """(section, key) of a schema and every section in it."""
    found = []
    for name, field in schema.model_fields.items():
        found.append((schema.__name__, name))
        for kind in (field.annotation, *get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, Section):
                found.extend(keys(kind))
    return found


@pytest.mark.parametrize(("section", "key"), keys(Settings))
def test_example_when_searched_then_it_has_every_key(section: str, key: str) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    assert re.search(rf"^[# ]*{key}:", text, re.MULTILINE), f"{section}.{key} is not in {EXAMPLE.name}"


def test_example_when_a_key_has_a_value_then_a_comment_beside_it_says_what_it_is() -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    sections = {"default", "narrator", "espeak", "text-generation-webui", "candidates"}
    named = [(match[1], line) for line in lines if (match := re.match(r"  +([\w-]+):", line))]
    assert [line for name, line in named if "  # " not in line and name not in sections] == []
    assert len(named) > 60


@pytest.mark.parametrize("hook", HOOKS)
def test_hook_when_it_exists_then_it_is_specified_documented_and_tested(hook: str) -> None:
    assert (getattr(hookspecs, hook).__doc__ or "").strip()
    documented = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
    assert re.search(rf"^### `{hook}\(", documented, re.MULTILINE)
    tests = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "plugins").glob("test_*.py")
    )
    assert f"def {hook}(" in tests


def test_docs_when_they_name_a_hook_then_it_exists() -> None:
    documented = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`(alltalk_\w+)\(", documented)) == set(HOOKS)


@pytest.mark.parametrize("kind", all_error_types())
def test_error_when_it_exists_then_it_has_a_code_a_hint_and_a_status(kind: type[AlltalkError]) -> None:
    assert kind.code
    assert kind.default_hint.endswith(".")
    assert kind in STATUS
    assert 400 <= STATUS[kind] < 600


def test_errors_when_compared_then_no_two_share_a_code() -> None:
    codes = [kind.code for kind in all_error_types()]
    assert len(codes) == len(set(codes))
