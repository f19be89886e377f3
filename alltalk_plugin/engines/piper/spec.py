"""What the service knows of Piper without loading it."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

from alltalk_plugin.domain.engines import (
    EngineEnvironment,
    EngineSpec,
    EngineVoice,
    InstallStep,
    ModelDescription,
    NumberReading,
    OptionField,
)
from alltalk_plugin.domain.errors import AlltalkError
from alltalk_plugin.domain.language import LanguageTag, same_language
from alltalk_plugin.domain.models import MemoryEstimate, ModelProfile
from alltalk_plugin.domain.voices import VoiceProfile
from alltalk_plugin.engines.onnx_header import read_header
from alltalk_plugin.engines.onnx_memory import MB, model_bytes
from alltalk_plugin.engines.piper.voice_files import ESPEAK, HEBREW, VoiceConfig, read_config, voice_files
from alltalk_plugin.engines.revisions import files_revision

MAX_CHARS = 1_000
"""Bounds what a cancel may have to wait for; the engine itself cuts to sentences."""
WORKER_BYTES = 34 * MB
"""Interpreter, numpy, ONNX Runtime and eSpeak's data before any weights: 29 MB of its own, 36 to 45 after
speech (Linux x86_64, Python 3.11, onnxruntime 1.32, 2026-11-23)."""

VOWELS_BYTES = {HEBREW: 90 * MB, "ar": 25 * MB}
"""Hebrew and Arabic are written without vowels, which piper-tts puts back with a network of its own: 85 and
20 MB measured after some minutes of speech."""


def estimate(profile: ModelProfile) -> MemoryEstimate:
    """Upper bound: the weights as ONNX Runtime holds them, and what the longest utterance takes."""
    try:
        files = voice_files(profile.path)
        header = read_header(files.onnx)
        config = read_config(files.config)
        held = model_bytes(header, (files.onnx, *header.external), config.sample_rate_hz)
    except AlltalkError:
        return MemoryEstimate(profile.device, peak_bytes=0, steady_bytes=0, context_bytes=WORKER_BYTES)
    vowels = VOWELS_BYTES.get(
        config.espeak_voice if config.phoneme_type == ESPEAK else config.phoneme_type, 0
    )
    context = WORKER_BYTES + vowels
    return MemoryEstimate(profile.device, peak_bytes=held, steady_bytes=held, context_bytes=context)


def revision(profile: ModelProfile) -> str:
    """A digest of the files' names, sizes and times; "" when there are none."""
    try:
        return files_revision(_files(profile))
    except (AlltalkError, OSError):
        return ""


def _files(profile: ModelProfile) -> tuple[Path, ...]:
    files = voice_files(profile.path)
    return files.onnx, files.config, *read_header(files.onnx).external


def describe(profile: ModelProfile) -> ModelDescription:
    """The voice's speakers, all in its one language."""
    files = voice_files(profile.path)
    config = read_config(files.config)
    languages = () if config.language is None else (config.language,)
    names = config.speakers if len(config.speakers) > 1 else {files.onnx.stem: 0}
    return ModelDescription(
        files=_files(profile),
        voices=tuple(
            EngineVoice(speaker, name, languages)
            for speaker, name in zip(config.speakers, names, strict=True)
        ),
        languages=languages,
        sample_rate_hz=config.sample_rate_hz,
    )


def speaks(profile: ModelProfile, voice: VoiceProfile, language: LanguageTag) -> str | None:
    """A Piper voice speaks the one language it was made for."""
    try:
        config = read_config(voice_files(profile.path).config)
        config.speaker(voice.speaker)
    except AlltalkError as error:
        return error.message
    return language_reason(config, language)


def language_reason(config: VoiceConfig, language: LanguageTag) -> str | None:
    """Why a voice does not speak a language; None when it does, or may."""
    if config.language is None or same_language(config.language, language):
        return None
    return f"this Piper voice speaks {config.language}, not {language}"


def numbers(profile: ModelProfile) -> NumberReading:
    """eSpeak reads plain numbers; a voice that takes letters as they are has none for digits."""
    try:
        config = read_config(voice_files(profile.path).config)
    except AlltalkError:
        return NumberReading.PLAIN
    return NumberReading.PLAIN if config.phoneme_type == ESPEAK else NumberReading.NONE


SPEC = EngineSpec(
    name="piper",
    entry="alltalk_plugin.engines.piper.engine:create",
    distributions=("piper-tts>=1.8", "numpy>=2.0"),
    environment=EngineEnvironment(
        lock=Path(__file__).resolve().parent.parent / "locks" / "piper.txt",
        steps=(InstallStep(("piper-tts",)),),
        size_mb=220,
        tried=("linux-x86_64",),
    ),
    max_chars=MAX_CHARS,
    estimate=estimate,
    revision=revision,
    describe=describe,
    speaks=speaks,
    numbers=numbers,
    options=MappingProxyType(
        {
            "length_scale": OptionField(float, None, "how slowly it speaks; the voice's own when left out"),
            "noise_scale": OptionField(float, None, "how lively it sounds; the voice's own when left out"),
            "noise_w_scale": OptionField(
                float, None, "how freely it paces its words; the voice's own when left out"
            ),
            "threads": OptionField(int, 2, "processor cores for one sentence", unit="cores"),
        }
    ),
)
