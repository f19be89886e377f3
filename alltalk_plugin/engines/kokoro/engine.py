"""Kokoro in a worker: the entry of `spec.SPEC`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import espeakng_loader
import numpy as np
import numpy.typing as npt
from kokoro_onnx import EspeakConfig, Kokoro

from alltalk_plugin.domain.audio import AudioChunk
from alltalk_plugin.domain.engines import Cancellable, LoadRequest, SynthesisRequest
from alltalk_plugin.domain.errors import LanguageUnsupported, ModelIncompatible
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.engines.espeak_data import EspeakVoice
from alltalk_plugin.engines.espeak_languages import without_strays
from alltalk_plugin.engines.espeak_text import speakable
from alltalk_plugin.engines.kokoro.model_files import (
    KokoroFiles,
    Voices,
    kokoro_files,
    language_reason,
    read_voices,
)
from alltalk_plugin.engines.kokoro.phonemes import Phonemizer
from alltalk_plugin.engines.kokoro.spec import DEFAULT_VOICE, SPEC
from alltalk_plugin.engines.onnx_failures import run_error
from alltalk_plugin.engines.onnx_header import read_header
from alltalk_plugin.engines.onnx_session import OnnxSession, onnx_session
from alltalk_plugin.engines.utterances import MAX_PHONEMES, breaths, sentences

_TOKENS = ("tokens", "input_ids")
_SLOWEST, _FASTEST = 0.5, 2.0
"""What kokoro-onnx allows."""


def create(request: LoadRequest) -> KokoroEngine:
    """The factory of the entry. Raises: ModelNotFound, ModelCorrupt, ModelIncompatible, UnsafeCheckpoint,
    OutOfMemory."""
    files = kokoro_files(request.path)
    voices = read_voices(files.voices)
    _check_inputs(files)
    default = str(request.options.get("voice", DEFAULT_VOICE))
    if "voice" in request.options and default not in voices.accents:
        raise ModelIncompatible(f"the option voice is wrong: the model has no voice {default!r}")
    threads = int(request.options.get("threads", SPEC.options["threads"].default or 1))
    session = onnx_session(files.onnx.resolve(), request.device, threads=threads)
    kokoro = Kokoro.from_session(session, str(files.voices.resolve()), espeak_config=_espeak())
    engine = KokoroEngine(kokoro, session, voices, default)
    engine.warm()
    return engine


class KokoroEngine:
    """One model with all its voices. One thread."""

    def __init__(self, kokoro: Kokoro, session: OnnxSession, voices: Voices, default: str) -> None:
        self._kokoro = kokoro
        self._session = session
        self._voices = voices
        self._default = default
        self._phonemizer = Phonemizer()

    def warm(self) -> None:
        """Set up eSpeak for the default voice, so that the first sentence need not wait for it."""
        _, accent = self._voices.choose(None, None, self._default)
        if accent.espeak is not None:
            self._phonemizer.phonemes("a", accent.espeak)

    def synthesize(self, request: SynthesisRequest, cancel: Cancellable) -> Iterator[AudioChunk]:
        name, accent = self._voices.choose(request.speaker, request.language, self._default)
        reason = language_reason(name, accent, request.language or accent.language)
        if reason is not None or accent.espeak is None:
            raise LanguageUnsupported(reason or "", context={"language": request.language, "reason": reason})
        style = self._kokoro.get_voice_style(name)
        speed = min(max(request.rate, _SLOWEST), _FASTEST)
        limit = round(MAX_PHONEMES * min(speed, 1.0))
        for sentence in sentences(_readable(request.text, accent.language, accent.espeak)):
            # Those that the model knows: kokoro-onnx raises an error with the text when none is left.
            known = self._kokoro.tokenizer.known(self._phonemizer.phonemes(sentence, accent.espeak))
            for phonemes in breaths(list(known), limit):
                if cancel.cancelled:
                    return
                chunk = self._spoken("".join(phonemes), style, speed, cancel)
                if chunk is None:
                    return
                yield chunk

    def close(self) -> None:
        del self._kokoro, self._session

    def _spoken(
        self, phonemes: str, style: npt.NDArray[np.float32], speed: float, cancel: Cancellable
    ) -> AudioChunk | None:
        """The audio of one piece; None when it was cancelled meanwhile."""
        try:
            with self._session.until(cancel):
                # Not trimmed: the silence at its end is the pause between two sentences.
                audio, rate_hz = self._kokoro.create(phonemes, style, speed, is_phonemes=True, trim=False)
        except Exception as error:
            if cancel.cancelled:
                return None
            raise run_error(error) from error
        return AudioChunk(np.clip(np.asarray(audio, np.float32).reshape(-1), -1.0, 1.0), rate_hz)


def _readable(text: str, language: LanguageTag, espeak: str) -> str:
    """What of `text` eSpeak reads as words in that language. Raises: LanguageUnsupported."""
    voice = EspeakVoice(espeak, language, ((espeak, 1),), espeak.split("-", maxsplit=1)[0])
    return without_strays(speakable(text), voice).strip()


def _check_inputs(files: KokoroFiles) -> None:
    found = frozenset(read_header(files.onnx).inputs)
    if found not in [frozenset({tokens, "style", "speed"}) for tokens in _TOKENS]:
        raise ModelIncompatible(
            f"{files.onnx.name} is no Kokoro model: it takes {', '.join(sorted(found))}",
            hint="Use a model that was exported for kokoro-onnx.",
            context={"path": str(files.onnx)},
        )


def _espeak() -> EspeakConfig:
    """eSpeak 1.52.0 cannot open a path of 160 bytes; a worker has its working folder to itself."""
    data = Path(espeakng_loader.get_data_path())
    os.chdir(data.parent)
    return EspeakConfig(lib_path=espeakng_loader.get_library_path(), data_path=data.name)
