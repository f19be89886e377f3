"""What the service knows of Coqui TTS without loading it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from alltalk_plugin.domain.engines import (
    EngineEnvironment,
    EngineSpec,
    EngineVoice,
    InstallStep,
    ModelDescription,
    NumberReading,
)
from alltalk_plugin.domain.errors import AlltalkError, ModelNotFound
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.models import CPU, MemoryEstimate, ModelProfile
from alltalk_plugin.domain.voices import VoiceProfile
from alltalk_plugin.engines.coqui import languages, options
from alltalk_plugin.engines.coqui.checkpoint import WHOLE_KINDS, XTTS, Checkpoint, Vocoder, read_checkpoint
from alltalk_plugin.engines.coqui.files import weights_bytes
from alltalk_plugin.engines.coqui.vocoders import sentence_bytes
from alltalk_plugin.engines.coqui.xtts_options import XTTS_OPTIONS
from alltalk_plugin.engines.revisions import files_revision

MB = 1_000_000
MAX_CHARS = 1_000
"""Bounds what one request may hold; the engine itself speaks it sentence by sentence."""
WORKER_BYTES = 238 * MB
"""Interpreter, PyTorch, librosa and the library: 233 to 238 MB of its own with a model of next to nothing,
and 13 more in a process that had to compile what it imports, which the parts below have room for (Linux
x86_64, Python 3.11, torch 2.13.0+cpu, 2026-11-23). Counted for the main memory; with CUDA the worker takes
that besides what is counted here, on the device."""
SPARE_BYTES = 265 * MB
"""One that has prepared itself and not loaded: 238 MB, 258 on the way (as above)."""
CUDA_BYTES = 500 * MB
"""PyTorch's own part of a CUDA device. From its documentation, not measured."""
SPEECH_BYTES, SPEECH_SHARE = 42 * MB, 0.3
"""What speaking leaves behind: 4 to 29 MB with a tiny model and with those of two parts, more with the size
of a VITS: 64 MB with the published one (141 MB)."""
COPIED_FACTOR, MAPPED_FACTOR = 2.0, 1.5
"""How often weights exist while they are loaded. XTTS, vocoders, and on Windows everything, are copied from
their files: 1.96 to 2.01 times. Else the file becomes the model, which the library may have filled at random:
1.1 to 1.4 times."""
XTTS_EXTRA_BYTES = 140 * MB
"""transformers, which only XTTS imports, and what it keeps while it speaks: 123 MB."""
PINYIN_BYTES = 60 * MB
"""What an XTTS that speaks Chinese reads for its first Chinese words: 54 to 60 MB."""
DISCRIMINATORS: Mapping[str, int] = MappingProxyType({"hifigan_discriminator": 283 * MB})
"""What the library makes with a vocoder and throws away, whether or not the file has weights for it."""


def estimate(profile: ModelProfile) -> MemoryEstimate:
    """Upper bound, from the headers of the weights and the configs.

    Its peak is that of loading or that of the longest sentence, whichever is higher.
    """
    on_cpu = profile.device == CPU
    context = WORKER_BYTES if on_cpu else CUDA_BYTES
    try:
        read = _read(profile)
    except AlltalkError:
        return MemoryEstimate(profile.device, peak_bytes=0, steady_bytes=0, context_bytes=context)
    growing = round(SPEECH_SHARE * read.weights_bytes) if read.kind in WHOLE_KINDS else 0
    if read.kind == XTTS and on_cpu:
        context += XTTS_EXTRA_BYTES + (PINYIN_BYTES if "zh-cn" in read.language_codes else 0)
    steady = read.weights_bytes + growing + SPEECH_BYTES
    # Weights are read in main memory and then moved: on a device they exist once.
    loading = read.weights_bytes + _built_in_vain(read.vocoder)
    if on_cpu:
        loading += _twice_for_a_moment(read)
    speaking = read.weights_bytes + growing + sentence_bytes(read)
    return MemoryEstimate(
        profile.device, peak_bytes=max(loading, speaking), steady_bytes=steady, context_bytes=context
    )


def _twice_for_a_moment(read: Checkpoint) -> int:
    """Bytes of weights that exist beside themselves while they are loaded."""
    vocoder = 0 if read.vocoder is None else weights_bytes(read.vocoder.weights)
    copied = read.kind == XTTS or sys.platform == "win32"
    factor = COPIED_FACTOR if copied else MAPPED_FACTOR
    return round((factor - 1) * (read.weights_bytes - vocoder) + (COPIED_FACTOR - 1) * vocoder)


def _built_in_vain(vocoder: Vocoder | None) -> int:
    return 0 if vocoder is None else DISCRIMINATORS.get(str(vocoder.config.get("discriminator_model")), 0)


def revision(profile: ModelProfile) -> str:
    """A digest of the files' names, sizes and times; "" when there is no model."""
    try:
        return files_revision(_read(profile).files)
    except (AlltalkError, OSError):
        return ""


def describe(profile: ModelProfile) -> ModelDescription:
    """Its architecture, files, speakers and languages; any speaker speaks all of them."""
    read = _read(profile)
    spoken = languages.languages_of(read, options.own_language(profile.options))
    return ModelDescription(
        kind=read.kind,
        files=read.files,
        voices=tuple(EngineVoice(name, name, spoken) for name in read.speakers),
        languages=spoken,
        sample_rate_hz=read.sample_rate_hz,
        clones=read.kind == XTTS,
    )


def speaks(profile: ModelProfile, voice: VoiceProfile, language: LanguageTag) -> str | None:
    """Whether the model speaks a language and has the voice's speaker, and if not, why."""
    try:
        read = _read(profile)
        own = options.own_language(profile.options)
    except AlltalkError as error:
        return error.message
    if voice.speaker is not None and read.kind != XTTS and voice.speaker not in read.speakers:
        return f"the model has no speaker {voice.speaker}"
    return languages.refusal(read, own, language)


def numbers(profile: ModelProfile) -> NumberReading:
    """XTTS writes numbers out itself; phonemes come from eSpeak; models of letters know no digits."""
    try:
        read = _read(profile)
    except AlltalkError:
        return NumberReading.NONE
    if read.kind == XTTS:
        return NumberReading.ALL
    return NumberReading.PLAIN if read.config.get("use_phonemes") else NumberReading.NONE


def _read(profile: ModelProfile) -> Checkpoint:
    if profile.path is None:
        raise ModelNotFound(
            f"the model {profile.ref} has no path",
            hint="Give it one in the settings: the folder with config.json and the weights.",
        )
    return read_checkpoint(profile.path, options.vocoder_path(profile.options))


SPEC = EngineSpec(
    name="coqui",
    entry="alltalk_plugin.engines.coqui.engine:create",
    distributions=("coqui-tts>=0.28", "torch>=2.9", "six>=1.17"),
    environment=EngineEnvironment(
        lock=Path(__file__).resolve().parent.parent / "locks" / "coqui.txt",
        steps=(
            InstallStep(("torch",)),
            # six: the library imports it, and names it nowhere. pypinyin: XTTS needs it for Chinese.
            InstallStep(("coqui-tts", "six", "soundfile", "espeakng-loader", "pypinyin")),
            # Bare: it would bring a PyTorch for CUDA with it.
            InstallStep(("torchaudio",), bare=True),
        ),
        size_mb=1_800,
        tried=("linux-x86_64",),
        # PyPI's own builds are for CUDA 13.0 on Linux, and for processors elsewhere (torch 2.13).
        indexes=MappingProxyType(
            {
                "cpu": "https://download.pytorch.org/whl/cpu",
                "cuda": "https://download.pytorch.org/whl/cu130",
            }
        ),
    ),
    max_chars=MAX_CHARS,
    estimate=estimate,
    revision=revision,
    describe=describe,
    speaks=speaks,
    numbers=numbers,
    warm_spare=True,
    spare_bytes=SPARE_BYTES,
    options=MappingProxyType({**options.OPTIONS, **XTTS_OPTIONS}),
)
