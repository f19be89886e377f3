"""Piper in a worker: the entry of `spec.SPEC`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np
from piper import PiperConfig, PiperVoice, SynthesisConfig

from alltalk_plugin.domain.audio import AudioChunk
from alltalk_plugin.domain.engines import Cancellable, LoadRequest, SynthesisRequest
from alltalk_plugin.domain.errors import LanguageUnsupported, ModelIncompatible
from alltalk_plugin.domain.models import OptionValue
from alltalk_plugin.engines.onnx_failures import run_error
from alltalk_plugin.engines.onnx_header import read_header
from alltalk_plugin.engines.onnx_session import OnnxSession, onnx_session
from alltalk_plugin.engines.piper.readable import readable
from alltalk_plugin.engines.piper.spec import SPEC, language_reason
from alltalk_plugin.engines.piper.voice_files import (
    VoiceConfig,
    VoiceFiles,
    raw_config,
    read_config,
    voice_files,
)
from alltalk_plugin.engines.utterances import MAX_PHONEMES, breaths, joined, sentences

_INPUTS = frozenset({"input", "input_lengths", "scales"})
_SPEAKER_INPUT = "sid"


def create(request: LoadRequest) -> PiperEngine:
    """The factory of the entry. Raises: ModelNotFound, ModelCorrupt, ModelIncompatible, UnsafeCheckpoint,
    OutOfMemory."""
    files = voice_files(request.path)
    config = read_config(files.config)
    _check_inputs(files, config)
    scales = _scales(request.options)
    threads = int(request.options.get("threads", SPEC.options["threads"].default or 1))
    session = onnx_session(files.onnx, request.device, threads=threads)
    # Not PiperVoice.load: it takes no options for the session.
    voice = PiperVoice(session=session, config=_piper_config(files))
    _check_phonemizer(voice, config)
    return PiperEngine(voice, session, config, scales)


class PiperEngine:
    """One voice file with its speakers. One thread."""

    def __init__(
        self, voice: PiperVoice, session: OnnxSession, config: VoiceConfig, scales: SynthesisConfig
    ) -> None:
        self._voice = voice
        self._session = session
        self._config = config
        self._scales = scales

    def synthesize(self, request: SynthesisRequest, cancel: Cancellable) -> Iterator[AudioChunk]:
        speaker = self._config.speaker(request.speaker)
        if request.language is not None and (reason := language_reason(self._config, request.language)):
            raise LanguageUnsupported(reason, context={"language": request.language, "reason": reason})
        slowness = (self._scales.length_scale or self._config.length_scale) / request.rate
        scales = SynthesisConfig(
            speaker_id=speaker,
            length_scale=slowness,
            noise_scale=self._scales.noise_scale,
            noise_w_scale=self._scales.noise_w_scale,
        )
        limit = max(round(MAX_PHONEMES / max(slowness, 1.0)), 20)
        # Sentence by sentence: piper-tts would work out the phonemes of them all before the first sound.
        for sentence in sentences(readable(request.text, self._config)):
            for phonemes in breaths(self._phonemes(sentence), limit):
                if cancel.cancelled:
                    return
                chunk = self._spoken(phonemes, scales, cancel)
                if chunk is None:
                    return
                yield chunk

    def _phonemes(self, sentence: str) -> list[str]:
        """Those that the voice knows; piper-tts would print a warning for each of the others."""
        phonemes = joined(self._voice.phonemize(sentence))
        return [phoneme for phoneme in phonemes if phoneme in self._config.letters]

    def close(self) -> None:
        del self._voice, self._session

    def _spoken(self, phonemes: list[str], scales: SynthesisConfig, cancel: Cancellable) -> AudioChunk | None:
        """The audio of one piece; None when it was cancelled meanwhile."""
        ids = self._voice.phonemes_to_ids(phonemes)
        try:
            with self._session.until(cancel):
                audio = self._voice.phoneme_ids_to_audio(ids, scales)
        except Exception as error:
            if cancel.cancelled:
                return None
            raise run_error(error) from error
        # Not scaled to full level: that would be done sentence by sentence, each to another.
        samples = np.clip(np.asarray(audio, np.float32).reshape(-1), -1.0, 1.0)
        return AudioChunk(samples, self._config.sample_rate_hz)


def _check_inputs(files: VoiceFiles, config: VoiceConfig) -> None:
    wanted = _INPUTS | ({_SPEAKER_INPUT} if len(config.speakers) > 1 else frozenset())
    found = frozenset(read_header(files.onnx).inputs)
    if found != wanted:
        raise ModelIncompatible(
            f"{files.onnx.name} is no Piper voice, or not the one of its JSON: it takes "
            f"{', '.join(sorted(found))} instead of {', '.join(sorted(wanted))}",
            hint="Use an .onnx and a .onnx.json that were published together.",
            context={"path": str(files.onnx)},
        )


def _scales(options: Mapping[str, OptionValue]) -> SynthesisConfig:
    found: dict[str, float | None] = {}
    for name, least in (("length_scale", 0.1), ("noise_scale", 0.0), ("noise_w_scale", 0.0)):
        value = options.get(name)
        if value is not None and not (math.isfinite(float(value)) and least <= float(value) <= 10.0):
            raise ModelIncompatible(f"the option {name} must be a number from {least:g} to 10, not {value}")
        found[name] = None if value is None else float(value)
    return SynthesisConfig(
        length_scale=found["length_scale"],
        noise_scale=found["noise_scale"],
        noise_w_scale=found["noise_w_scale"],
    )


def _piper_config(files: VoiceFiles) -> PiperConfig:
    try:
        return PiperConfig.from_dict(raw_config(files.config))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ModelIncompatible(
            f"piper-tts cannot use {files.config.name}: {type(error).__name__}: {error}",
            hint="Use the JSON that was published with the voice.",
        ) from error


def _check_phonemizer(voice: PiperVoice, config: VoiceConfig) -> None:
    """eSpeak is set up here, 10 to 50 ms, so that the first sentence need not wait for it."""
    try:
        voice.phonemize("a")
    except (ImportError, OSError, RuntimeError) as error:
        raise ModelIncompatible(
            f"piper-tts makes no phonemes for {config.espeak_voice!r}: {error}",
            hint="The JSON names a voice of eSpeak NG that does not exist.",
        ) from error
