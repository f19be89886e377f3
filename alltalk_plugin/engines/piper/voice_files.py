"""A Piper voice on disk: an ONNX file and the JSON beside it. Standard library only; runs on both ends."""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from alltalk_plugin.domain.errors import ModelCorrupt, ModelIncompatible, ModelNotFound, VoiceNotFound
from alltalk_plugin.domain.language import LanguageTag, language_tag

_LONGEST_CONFIG_BYTES = 8_000_000
"""The largest published one (904 speakers) has 20 kB."""
_SLOWEST_RATE_HZ, _FASTEST_RATE_HZ = 8_000, 48_000

ESPEAK, TEXT, HEBREW = "espeak", "text", "hebrew"
_PHONEME_TYPES = (ESPEAK, TEXT, HEBREW)
"""What piper-tts turns into phonemes with what it brings. Its pinyin, japanese and thai want further
packages, and pinyin fetches a model at its first sentence."""

_SENTENCE_MARKS = ("_", "^", "$")
"""Padding, begin and end: piper-tts looks them up for every sentence."""


@dataclass(frozen=True, slots=True)
class VoiceFiles:
    onnx: Path
    config: Path


@dataclass(frozen=True, slots=True)
class VoiceConfig:
    """What the JSON says, checked. `speakers` maps each name to its number, in the order of the numbers.

    `letters` are the phonemes the model knows, which for the type `text` are the letters it can read.
    """

    sample_rate_hz: int
    phoneme_type: str
    espeak_voice: str
    language: LanguageTag | None
    speakers: Mapping[str, int]
    default_speaker: int
    letters: frozenset[str]
    length_scale: float

    def speaker(self, name: str | None) -> int:
        """The number of a speaker, by its name or that number. Raises: VoiceNotFound."""
        if not name:
            return self.default_speaker
        # The name first: where speakers are called by numbers, these are not their own.
        if name in self.speakers:
            return self.speakers[name]
        if name.isascii() and name.isdigit() and int(name) in self.speakers.values():
            return int(name)
        nearest = difflib.get_close_matches(name, self.speakers, n=1)
        raise VoiceNotFound(
            f"this Piper voice has no speaker {name!r}",
            hint=f"Did you mean {nearest[0]!r}?" if nearest else None,
            context={"voice": name, "nearest": nearest[0] if nearest else None},
        )


def voice_files(path: Path | None) -> VoiceFiles:
    """The files of the voice at `path`: its .onnx, or a folder with exactly one.

    Raises: ModelNotFound.
    """
    if path is None:
        raise ModelNotFound(
            "a Piper model needs the path of its voice", hint="Set the model's path to an .onnx file."
        )
    onnx = _only_onnx(path) if path.is_dir() else path
    if onnx.suffix != ".onnx" or not onnx.is_file():
        raise ModelNotFound(f"there is no Piper voice at {path}", context={"path": str(path)})
    config = onnx.with_name(f"{onnx.name}.json")
    if not config.is_file():
        raise ModelNotFound(
            f"{onnx.name} lacks its {config.name}",
            hint=f"Put {config.name} beside it; it is published together with the voice.",
            context={"path": str(config)},
        )
    return VoiceFiles(onnx, config)


def _only_onnx(folder: Path) -> Path:
    found = sorted(folder.glob("*.onnx"))
    if len(found) == 1:
        return found[0]
    names = ", ".join(path.name for path in found[:5])
    raise ModelNotFound(
        f"{folder} holds {len(found)} Piper voices, not one",
        hint=f"Set the model's path to one of {names}." if found else "Set the path to an .onnx file.",
        context={"path": str(folder)},
    )


def read_config(path: Path) -> VoiceConfig:
    """The JSON of a voice, remembered until it changes.

    Raises: ModelNotFound, ModelCorrupt, ModelIncompatible.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise ModelNotFound(f"there is no file {path}", context={"path": str(path)}) from error
    return _read(path, status.st_size, status.st_mtime_ns)


def raw_config(path: Path) -> dict[str, object]:
    """The JSON as it is, for piper-tts to read. Raises: ModelCorrupt."""
    if path.stat().st_size > _LONGEST_CONFIG_BYTES:
        raise _corrupt(path, "is too long to be one")
    try:
        raw = json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise _corrupt(path, "is no JSON") from error
    if not isinstance(raw, dict):
        raise _corrupt(path, "is no JSON object")
    return raw


@lru_cache(maxsize=64)
def _read(path: Path, _size: int, _mtime_ns: int) -> VoiceConfig:
    raw = raw_config(path)
    espeak_voice = _text(_part(raw, "espeak", path), "voice", path)
    phoneme_type = raw.get("phoneme_type", ESPEAK)
    if phoneme_type not in _PHONEME_TYPES:
        raise ModelIncompatible(
            f"{path.name}: phonemes of the type {phoneme_type!r} are not supported",
            hint="Choose a voice whose phoneme_type is espeak, text or hebrew.",
            context={"path": str(path)},
        )
    inference = _part(raw, "inference", path) if "inference" in raw else {}
    speakers = _speakers(raw, path)
    default_speaker = raw.get("default_speaker_id", 0)
    if not isinstance(default_speaker, int) or default_speaker not in speakers.values():
        raise _lacks(path, "a default_speaker_id that is one of its speakers")
    _number(raw, "num_symbols", path)
    return VoiceConfig(
        sample_rate_hz=_sample_rate_hz(raw, path),
        phoneme_type=phoneme_type,
        espeak_voice=espeak_voice,
        language=_language(raw, espeak_voice),
        speakers=speakers,
        default_speaker=default_speaker,
        letters=_letters(raw, path),
        length_scale=_positive(inference, "length_scale", path, default=1.0),
    )


def _speakers(raw: Mapping[str, object], path: Path) -> dict[str, int]:
    count = _number(raw, "num_speakers", path)
    named = raw.get("speaker_id_map") or {}
    if not isinstance(named, dict) or not all(_is_id(number, count) for number in named.values()):
        raise _lacks(path, "a speaker_id_map with numbers below num_speakers")
    missing = {str(number): number for number in range(max(count, 1)) if number not in named.values()}
    return dict(sorted({**missing, **named}.items(), key=lambda item: item[1]))


def _is_id(number: object, count: int) -> bool:
    return isinstance(number, int) and 0 <= number < max(count, 1)


def _letters(raw: Mapping[str, object], path: Path) -> frozenset[str]:
    known = _part(raw, "phoneme_id_map", path)
    lists_of_numbers = all(
        isinstance(ids, list) and all(isinstance(number, int) for number in ids) for ids in known.values()
    )
    if not lists_of_numbers or not all(mark in known for mark in _SENTENCE_MARKS):
        raise _lacks(path, "a phoneme_id_map with lists of numbers, and those of _, ^ and $")
    return frozenset(known)


def _sample_rate_hz(raw: Mapping[str, object], path: Path) -> int:
    rate_hz = _number(_part(raw, "audio", path), "sample_rate", path)
    if not _SLOWEST_RATE_HZ <= rate_hz <= _FASTEST_RATE_HZ:
        raise _lacks(path, f"a sample rate between {_SLOWEST_RATE_HZ} and {_FASTEST_RATE_HZ} Hz")
    return rate_hz


def _language(raw: Mapping[str, object], espeak_voice: str) -> LanguageTag | None:
    """`language.code` (en_US) or the eSpeak voice (en-gb-x-rp); None when neither is a tag."""
    said = raw.get("language")
    code = said.get("code") if isinstance(said, dict) else None
    for text in (code, espeak_voice):
        # The private part (en-gb-x-rp) names a dialect.
        with suppress(ValueError):
            return language_tag(str(text or "").partition("-x-")[0])
    return None


def _part(raw: Mapping[str, object], key: str, path: Path) -> dict[str, object]:
    part = raw.get(key)
    if not isinstance(part, dict):
        raise _lacks(path, key)
    return part


def _text(raw: Mapping[str, object], key: str, path: Path) -> str:
    text = raw.get(key)
    if not isinstance(text, str) or not text:
        raise _lacks(path, key)
    return text


def _number(raw: Mapping[str, object], key: str, path: Path) -> int:
    number = raw.get(key)
    if not isinstance(number, int) or isinstance(number, bool) or number < 0:
        raise _lacks(path, key)
    return number


def _positive(raw: Mapping[str, object], key: str, path: Path, *, default: float) -> float:
    number = raw.get(key, default)
    if not isinstance(number, int | float) or not math.isfinite(number) or number <= 0:
        raise _lacks(path, f"a positive {key}")
    return float(number)


def _corrupt(path: Path, why: str) -> ModelCorrupt:
    return ModelCorrupt(f"{path.name} {why}", context={"path": str(path)})


def _lacks(path: Path, what: str) -> ModelIncompatible:
    return ModelIncompatible(
        f"{path.name} lacks {what}",
        hint="Use the JSON that was published with the voice.",
        context={"path": str(path), "lacks": what},
    )
