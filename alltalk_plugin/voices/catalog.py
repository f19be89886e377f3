"""The voices of the settings, by name."""

from __future__ import annotations

from collections.abc import Callable

from alltalk_plugin.domain.errors import VoiceNotFound
from alltalk_plugin.domain.models import ModelRef
from alltalk_plugin.domain.voices import VoiceName, VoiceProfile
from alltalk_plugin.settings.nearest import did_you_mean, nearest_name
from alltalk_plugin.settings.schema import Settings, VoiceSettings


class VoiceCatalog:
    """Thread-safe; always as current as the settings it reads."""

    def __init__(self, settings: Callable[[], Settings]) -> None:
        self._settings = settings

    def at(self, settings: Settings) -> VoiceCatalog:
        """The catalogue of one state of the settings, for a decision that must not see two."""
        return VoiceCatalog(lambda: settings)

    def get(self, name: str) -> VoiceProfile:
        """Raises: VoiceNotFound with the nearest name."""
        voices = self._settings().voices
        if (found := voices.get(name)) is None:
            raise VoiceNotFound(
                f"there is no voice '{name}'{did_you_mean(name, voices)}",
                context={"voice": name, "nearest": nearest_name(name, voices)},
            )
        return _profile(name, found)

    def all(self) -> tuple[VoiceProfile, ...]:
        """Every voice, in the order of the settings."""
        return tuple(_profile(name, voice) for name, voice in self._settings().voices.items())


def _profile(name: str, voice: VoiceSettings) -> VoiceProfile:
    return VoiceProfile(
        name=VoiceName(name),
        model=ModelRef(voice.model),
        speaker=voice.speaker,
        reference_audio=voice.reference,
        language=voice.language,
        rate=voice.rate,
        pitch_semitones=voice.pitch_semitones,
        gain_db=voice.gain_db,
        fallback=None if voice.fallback is None else VoiceName(voice.fallback),
    )
