"""A voice is a way of speaking on a model; choosing one never loads anything by itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NewType

from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.models import ModelRef

VoiceName = NewType("VoiceName", str)


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceProfile:
    """How a voice speaks, and on which model.

    `speaker` is the engine's own word for a speaker or variant (None: the model's default).
    `language` None means the voice follows the language of what it says; set, it speaks only that one.
    `rate` is a factor (1.0: the engine's normal speed, 0.25 to 4), `pitch_semitones` a shift (-12 to 12),
    `gain_db` is added after levelling. `fallback` names the voice that answers when this one cannot.
    """

    name: VoiceName
    model: ModelRef
    speaker: str | None = None
    reference_audio: tuple[Path, ...] = ()
    language: LanguageTag | None = None
    rate: float = 1.0
    pitch_semitones: float = 0.0
    gain_db: float = 0.0
    fallback: VoiceName | None = None


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A voice that had a claim on the segment and did not get it, and why."""

    voice: VoiceName
    reason: str


@dataclass(frozen=True, slots=True)
class VoiceChoice:
    """The voice for a segment and the sentence that explains it.

    `fallback_reason` is set when this is not the voice the user would expect to hear; it is shown to
    the user wherever the audio goes (result, header, journal).
    """

    voice: VoiceProfile
    reason: str
    passed_over: tuple[PassedOver, ...] = ()
    fallback_reason: str | None = None
