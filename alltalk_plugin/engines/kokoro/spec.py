"""What the service knows of Kokoro without loading it."""

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
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.models import MemoryEstimate, ModelProfile
from alltalk_plugin.domain.voices import VoiceProfile
from alltalk_plugin.engines.kokoro.model_files import kokoro_files, language_reason, read_voices
from alltalk_plugin.engines.onnx_header import read_header
from alltalk_plugin.engines.onnx_memory import MB, model_bytes
from alltalk_plugin.engines.revisions import files_revision

MAX_CHARS = 1_000
SAMPLE_RATE_HZ = 24_000
DEFAULT_VOICE = "af_heart"
WORKER_BYTES = 80 * MB
"""Interpreter, numpy, ONNX Runtime and phonemizer before any weights: 41 MB of its own, and 5 for each of
seven languages of eSpeak (Linux x86_64, Python 3.11, kokoro-onnx 0.6.1, 2026-11-23)."""


def estimate(profile: ModelProfile) -> MemoryEstimate:
    """Upper bound: the weights as ONNX Runtime holds them, and what the longest utterance takes."""
    try:
        files = kokoro_files(profile.path)
        header = read_header(files.onnx)
        held = model_bytes(header, (files.onnx, *header.external), SAMPLE_RATE_HZ)
    except AlltalkError:
        held = 0
    return MemoryEstimate(profile.device, peak_bytes=held, steady_bytes=held, context_bytes=WORKER_BYTES)


def revision(profile: ModelProfile) -> str:
    """A digest of the files' names, sizes and times; "" when there are none."""
    try:
        return files_revision(_files(profile))
    except (AlltalkError, OSError):
        return ""


def _files(profile: ModelProfile) -> tuple[Path, ...]:
    files = kokoro_files(profile.path)
    return files.onnx, files.voices, *read_header(files.onnx).external


def describe(profile: ModelProfile) -> ModelDescription:
    """Every voice that can be spoken with here, under its own name."""
    accents = read_voices(kokoro_files(profile.path).voices).accents
    speaking = {name: accent.language for name, accent in accents.items() if accent.espeak}
    return ModelDescription(
        files=_files(profile),
        voices=tuple(EngineVoice(name, name, (language,)) for name, language in speaking.items()),
        languages=tuple(dict.fromkeys(speaking.values())),
        sample_rate_hz=SAMPLE_RATE_HZ,
    )


def speaks(profile: ModelProfile, voice: VoiceProfile, language: LanguageTag) -> str | None:
    """A named voice speaks its own language; without a name there is one for each that the model has."""
    try:
        voices = read_voices(kokoro_files(profile.path).voices)
        name, accent = voices.choose(voice.speaker, language, default_voice(profile))
    except AlltalkError as error:
        return error.message
    return language_reason(name, accent, language)


def default_voice(profile: ModelProfile) -> str:
    return str(profile.options.get("voice", DEFAULT_VOICE))


SPEC = EngineSpec(
    name="kokoro",
    entry="alltalk_plugin.engines.kokoro.engine:create",
    distributions=("kokoro-onnx>=0.6.1", "numpy>=2.0"),
    environment=EngineEnvironment(
        lock=Path(__file__).resolve().parent.parent / "locks" / "kokoro.txt",
        steps=(InstallStep(("kokoro-onnx",)),),
        size_mb=210,
        tried=("linux-x86_64",),
    ),
    max_chars=MAX_CHARS,
    estimate=estimate,
    revision=revision,
    describe=describe,
    speaks=speaks,
    numbers=lambda _profile: NumberReading.PLAIN,
    options=MappingProxyType(
        {
            "voice": OptionField(str, DEFAULT_VOICE, "voice that speaks when none is named"),
            "threads": OptionField(int, 2, "processor cores for one sentence", unit="cores"),
        }
    ),
)
