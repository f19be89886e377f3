"""Engine specs that read a model's `model.json`, so that no engine is needed.

A model is a folder with `model.json` ({"kind", "speakers", "languages", "clones", "mb"}) and `weights.bin`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from alltalk_plugin.domain.engines import EngineSpec, EngineVoice, ModelDescription, OptionField
from alltalk_plugin.domain.errors import ModelCorrupt, ModelNotFound
from alltalk_plugin.domain.language import LanguageTag, base_language
from alltalk_plugin.domain.models import MemoryEstimate, ModelProfile
from alltalk_plugin.domain.voices import VoiceProfile
from alltalk_plugin.settings.schema import BUILTIN_MODELS

HEADER, WEIGHTS = "model.json", "weights.bin"
MB = 1_000_000


def read(profile: ModelProfile) -> dict[str, Any]:
    if profile.path is None or not (profile.path / HEADER).is_file():
        raise ModelNotFound(f"there is no model at {profile.path}")
    try:
        found = json.loads((profile.path / HEADER).read_text())
    except ValueError as error:
        raise ModelCorrupt(f"{profile.path.name}: the header is damaged") from error
    if found.get("engine", profile.engine) != profile.engine:
        raise ModelNotFound(f"{profile.path.name} is for {found['engine']}")
    if found.get("crash"):
        raise ZeroDivisionError("a stranger's mistake")
    assert isinstance(found, dict)
    return found


def describe(profile: ModelProfile) -> ModelDescription:
    header = read(profile)
    assert profile.path is not None
    languages = tuple(LanguageTag(tag) for tag in header.get("languages", ()))
    return ModelDescription(
        kind=header.get("kind", "plain"),
        files=(profile.path / HEADER, profile.path / WEIGHTS),
        voices=tuple(EngineVoice(one, one.title(), languages) for one in header.get("speakers", ())),
        languages=languages,
        clones=header.get("clones", False),
    )


def estimate(profile: ModelProfile) -> MemoryEstimate:
    held = read(profile).get("mb", 1) * MB
    return MemoryEstimate(profile.device, peak_bytes=2 * held, steady_bytes=held)


def speaks(profile: ModelProfile, voice: VoiceProfile, language: LanguageTag) -> str | None:
    header = read(profile)
    if voice.speaker is not None and header.get("variants") and voice.speaker not in header["variants"]:
        return f"no variant {voice.speaker}"
    languages = header.get("languages", ())
    return None if not languages or base_language(language) in languages else f"it speaks {languages} only"


def light_spec(name: str, **options: OptionField) -> EngineSpec:
    return EngineSpec(
        name=name,
        entry="tests.nowhere:create",
        distributions=(),
        max_chars=1_000,
        estimate=estimate,
        revision=lambda _profile: "",
        speaks=speaks,
        options=MappingProxyType(options),
        describe=describe,
    )


def _silent_spec() -> EngineSpec:
    """The built-in model's engine: no files of its own, and nothing at any path."""

    def describe_builtin(profile: ModelProfile) -> ModelDescription:
        if profile.path is not None:
            raise ModelNotFound(f"there is no espeak data at {profile.path}")
        return ModelDescription(kind="builtin")

    return EngineSpec(
        name=BUILTIN_MODELS["espeak"].engine,
        entry="tests.nowhere:create",
        distributions=(),
        max_chars=1_000,
        estimate=lambda profile: MemoryEstimate(profile.device, MB, MB),
        revision=lambda _profile: "",
        speaks=lambda _profile, _voice, _language: None,
        describe=describe_builtin,
    )


LIGHT_ENGINES: Mapping[str, EngineSpec] = MappingProxyType(
    {
        "espeak": _silent_spec(),
        "coqui": light_spec(
            "coqui", temperature=OptionField(float, None, "how freely"), fast=OptionField(bool, False, "")
        ),
        "piper": light_spec("piper"),
    }
)


def make_model(folder: Path, **header: Any) -> Path:
    """A model's files in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / HEADER).write_text(json.dumps(header))
    (folder / WEIGHTS).write_bytes(bytes(range(256)) * 4)
    return folder
