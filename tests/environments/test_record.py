from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alltalk_plugin.environments.locate import Standing, place
from alltalk_plugin.environments.places import EngineFolder
from alltalk_plugin.environments.record import InstallRecord, read_record, write_record
from tests.environments.tone import tone_spec

RECORD = InstallRecord(recipe="r", python="3.11.7", platform="linux-x86_64", device="cpu", steps_done=2)
TOLD = asdict(RECORD)


def test_record_when_written_and_read_then_the_same(tmp_path: Path) -> None:
    path = tmp_path / "installed.json"
    write_record(path, RECORD)
    assert read_record(path) == RECORD
    assert [one.name for one in tmp_path.iterdir()] == ["installed.json"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        "\ufeff{}",
        "[" * 100_000,
        json.dumps(TOLD)[:-9],
        json.dumps({**TOLD, "steps_done": "2"}),
        json.dumps({**TOLD, "steps_done": True}),
        json.dumps({**TOLD, "complete": 1}),
        json.dumps({key: value for key, value in TOLD.items() if key != "recipe"}),
    ],
)
def test_record_when_torn_or_foreign_then_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "installed.json"
    path.write_text(text, encoding="utf-8")
    assert read_record(path) is None


def test_record_when_missing_or_a_folder_then_none(tmp_path: Path) -> None:
    assert read_record(tmp_path / "nothing.json") is None
    assert read_record(tmp_path) is None


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=5
)
contents = st.binary() | st.one_of(
    values,
    st.dictionaries(st.sampled_from(list(TOLD)) | st.text(), values),
    st.fixed_dictionaries(dict.fromkeys(TOLD, values)),
).map(lambda told: json.dumps(told).encode())


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=contents)
def test_engine_when_its_record_holds_anything_then_it_is_placed_without_a_crash(
    tmp_path: Path, content: bytes
) -> None:
    spec = tone_spec(tmp_path)
    folder = EngineFolder(tmp_path, "tone")
    folder.root.mkdir(parents=True, exist_ok=True)
    folder.record.write_bytes(content)
    found = place(tmp_path, spec)
    assert found.standing in (Standing.UNFINISHED, Standing.OUTDATED, Standing.BROKEN)
