"""What the service knows of eSpeak NG without loading it."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import MappingProxyType

from alltalk_plugin.domain.engines import (
    EngineSpec,
    EngineVoice,
    ModelDescription,
    NumberReading,
    OptionField,
)
from alltalk_plugin.domain.errors import ModelNotFound, VoiceNotFound
from alltalk_plugin.domain.language import LanguageTag, base_language, language_tag, same_language
from alltalk_plugin.domain.models import CPU, MemoryEstimate, ModelProfile
from alltalk_plugin.domain.voices import VoiceProfile
from alltalk_plugin.engines.espeak_data import (
    CORE_FILES,
    DISTRIBUTION,
    EspeakData,
    EspeakVoice,
    data_folder,
    read_data,
)
from alltalk_plugin.engines.espeak_languages import KANJI_REASON, language_reason
from alltalk_plugin.engines.revisions import files_revision

MB = 1_000_000
WORKER_BYTES = 40 * MB
"""Interpreter, numpy and the library before any voice: 17 MB of its own, 30 with the pages of libraries'
files, which count where the system does not tell them apart (Linux x86_64, Python 3.11, numpy 2.4,
2026-11-23), and a third more for other platforms and versions."""
DICTIONARY_BYTES = 16 * MB
"""What speaking adds: 11 MB measured after every one of 138 voices and a text of 95,000 characters."""
SAMPLE_RATE_HZ = 22_050
MAX_CHARS = 1_000
"""Bounds memory and what a cancel may have to wait for; eSpeak itself takes any length."""


def estimate(profile: ModelProfile) -> MemoryEstimate:
    """Upper bound: the core files as they are loaded, and every dictionary touched."""
    try:
        folder = data_folder(profile.path)
    except ModelNotFound:
        core_bytes = 0
    else:
        paths = (folder / name for name in CORE_FILES)
        core_bytes = sum(path.stat().st_size for path in paths if path.is_file())
    held = core_bytes + DICTIONARY_BYTES
    return MemoryEstimate(CPU, peak_bytes=held, steady_bytes=held, context_bytes=WORKER_BYTES)


def revision(profile: ModelProfile) -> str:
    """The distribution's version, or for a folder of its own a digest of its files' sizes and times."""
    if profile.path is None:
        try:
            return version(DISTRIBUTION)
        except PackageNotFoundError:
            return ""
    try:
        folder = data_folder(profile.path)
    except ModelNotFound:
        return ""
    return files_revision(_files(folder))


def numbers(_profile: ModelProfile) -> NumberReading:
    """Numbers are read in the voice's language; "$12.50" becomes "dollar twelve point five zero"."""
    return NumberReading.PLAIN


def speaks(profile: ModelProfile, voice: VoiceProfile, language: LanguageTag) -> str | None:
    """Whether a voice speaks a language, and if not, why.

    A speaker that is a full voice speaks its own languages; one that is a variant, or none, speaks all.
    """
    try:
        return _reason(profile.path, voice.speaker, voice.language, language)
    except (ModelNotFound, VoiceNotFound) as error:
        return error.message


@lru_cache(maxsize=4_096)  # asked for every segment; what raises is not kept, so a folder may still appear
def _reason(
    path: Path | None, speaker: str | None, own: LanguageTag | None, language: LanguageTag
) -> str | None:
    data = read_data(data_folder(path))
    fixed, _ = data.speaker(speaker)
    spoken = data.voice_for(language)
    if spoken is None:
        return language_reason(language)
    if fixed is not None:
        return None if _same(fixed, spoken, language) else f"its speaker {speaker} is {fixed.name}"
    if base_language(language) == "ja" and not (own and same_language(own, language)):
        return KANJI_REASON
    return None


def _same(fixed: EspeakVoice, spoken: EspeakVoice, language: LanguageTag) -> bool:
    return base_language(language) in fixed.bases or bool(fixed.bases & spoken.bases)


def describe(profile: ModelProfile) -> ModelDescription:
    """Every full voice of the data; any of them takes a variant (`en-us+f3`)."""
    folder = data_folder(profile.path)
    data = read_data(folder)
    voices = tuple(EngineVoice(_speaker_of(voice, data), voice.name, _tags(voice)) for voice in data.voices)
    return ModelDescription(
        files=_files(folder),
        voices=voices,
        languages=tuple(dict.fromkeys(tag for voice in voices for tag in voice.languages)),
        sample_rate_hz=SAMPLE_RATE_HZ,
    )


def _files(folder: Path) -> tuple[Path, ...]:
    """What decides how it sounds."""
    named = sorted((*folder.glob("*_dict"), *(folder / name for name in CORE_FILES)))
    return tuple(path for path in named if path.is_file())


def _speaker_of(voice: EspeakVoice, data: EspeakData) -> str:
    """Its first tag, unless another voice has the better claim to it (yue-Latn-jyutping)."""
    names = [tag for tag, _ in voice.languages[:1] if data.voice_named(tag) == voice]
    return names[0] if names else voice.identifier.rpartition("/")[2]


def _tags(voice: EspeakVoice) -> tuple[LanguageTag, ...]:
    tags = []
    for text, _ in voice.languages:
        # The private part (en-gb-x-rp) names a dialect, not a language.
        with suppress(ValueError):  # and Klingon's piqd is a script
            tags.append(language_tag(text.partition("-x-")[0]))
    return tuple(dict.fromkeys(tags))


SPEC = EngineSpec(
    name="espeak",
    entry="alltalk_plugin.engines.espeak:create",
    distributions=("espeakng-loader>=0.2.4", "numpy>=2.0"),
    max_chars=MAX_CHARS,
    estimate=estimate,
    revision=revision,
    speaks=speaks,
    options=MappingProxyType(
        {
            "voice": OptionField(
                str, "en-us", "voice, with or without a variant, that speaks when nothing else is asked for"
            )
        }
    ),
    describe=describe,
    numbers=numbers,
)
