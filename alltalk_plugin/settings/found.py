"""Models and voices that lie in the data folder without standing in the settings file."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from alltalk_plugin.settings.schema import BUILTIN_MODELS, ModelSettings, Settings, VoiceSettings


@dataclass(frozen=True, slots=True)
class Found:
    """What a look into the data folder found, by name."""

    models: Mapping[str, ModelSettings] = field(default_factory=lambda: MappingProxyType({}))
    voices: Mapping[str, VoiceSettings] = field(default_factory=lambda: MappingProxyType({}))


class FoundSource(Protocol):
    """Who looks. Thread-safe."""

    def look(self, models: Mapping[str, ModelSettings]) -> Found:
        """What lies there now, beside the `models` that a settings file defines. Never raises."""
        ...

    def changed(self) -> bool:
        """Whether names or times there are others than at the last look; cheap."""
        ...


def with_found(
    settings: Settings, source: FoundSource, *, own_models: AbstractSet[str], own_voices: AbstractSet[str]
) -> Settings:
    """`settings` with what was found beneath what the file itself defines.

    A found voice takes the place of a built-in one: who drops a narrator.wav wants to hear it. The
    built-in model stays, because it is what always answers.
    """
    found = source.look({name: model for name, model in settings.models.items() if name in own_models})
    models = {name: found.models[name] for name in found.models.keys() - own_models - BUILTIN_MODELS.keys()}
    voices = {name: found.voices[name] for name in found.voices.keys() - own_voices}
    if not models and not voices:
        return settings
    return settings.model_copy(
        update={
            "models": {**settings.models, **dict(sorted(models.items()))},
            "voices": {**settings.voices, **dict(sorted(voices.items()))},
        }
    )
