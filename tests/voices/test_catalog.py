"""Voices of the settings by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from alltalk_plugin.domain.errors import VoiceNotFound
from alltalk_plugin.domain.voices import VoiceProfile
from alltalk_plugin.settings.schema import Settings
from alltalk_plugin.voices.catalog import VoiceCatalog


def test_voice_when_configured_then_every_field_arrives() -> None:
    entry = {
        "model": "espeak",
        "speaker": "f3",
        "reference": ["a.wav"],
        "language": "DE",
        "rate": 2,
        "pitch_semitones": 1,
        "gain_db": -3,
        "fallback": "default",
    }
    settings = Settings.model_validate({"voices": {"x": entry}})
    voice = VoiceCatalog(lambda: settings).get("x")
    assert {name: getattr(voice, name) for name in VoiceProfile.__dataclass_fields__} == {
        "name": "x",
        "model": "espeak",
        "speaker": "f3",
        "reference_audio": (Path("a.wav"),),
        "language": "de",
        "rate": 2.0,
        "pitch_semitones": 1.0,
        "gain_db": -3.0,
        "fallback": "default",
    }


def test_voice_when_unknown_then_the_nearest_is_told() -> None:
    with pytest.raises(VoiceNotFound, match="did you mean 'narrator'") as caught:
        VoiceCatalog(Settings).get("Narator")
    assert caught.value.context == {"voice": "Narator", "nearest": "narrator"}


def test_catalog_when_the_settings_change_then_it_has_the_new_voices_but_a_snapshot_keeps_its_own() -> None:
    states = [Settings(), Settings.model_validate({"voices": {"x": {}}})]
    catalog = VoiceCatalog(lambda: states[-1])
    before = catalog.at(states[0])
    assert [voice.name for voice in catalog.all()] == ["default", "narrator", "x"]
    assert [voice.name for voice in before.all()] == ["default", "narrator"]
