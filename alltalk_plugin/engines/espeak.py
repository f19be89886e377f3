"""eSpeak NG in a worker: the entry of `espeak_spec.SPEC`."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from math import log2
from pathlib import Path

import espeakng_loader
import numpy as np

from alltalk_plugin.domain.audio import AudioChunk
from alltalk_plugin.domain.engines import Cancellable, LoadRequest, SynthesisRequest
from alltalk_plugin.domain.errors import AlltalkError, LanguageUnsupported, ModelIncompatible, VoiceNotFound
from alltalk_plugin.engines.espeak_data import EspeakData, EspeakVoice, check_data, data_folder, read_data
from alltalk_plugin.engines.espeak_languages import language_reason, without_strays
from alltalk_plugin.engines.espeak_library import EspeakLibrary, Pcm
from alltalk_plugin.engines.espeak_text import speakable

DEFAULT_VOICE = "en-us"
NORMAL_WPM, SLOWEST_WPM, FASTEST_WPM = 175, 80, 450
NORMAL_PITCH, HIGHEST_PITCH = 50, 99
_PITCH_PER_SEMITONE = HIGHEST_PITCH / (12 * log2(167 / 75))
"""Pitch 0 to 99 is a fundamental of 75 to 167 Hz (measured on en-us): 13.9 semitones."""
_VOLUME = 100
"""Peak 0.76. More clips; level is the assembler's work."""
_CHUNK_SAMPLES = 4_410
"""After the first, 57 ms pieces are gathered to 0.2 s: fewer frames, and still quick to stop."""
_WAITING_CHUNKS = 8
_FULL_SCALE = 32_768.0


def create(request: LoadRequest) -> EspeakEngine:
    """The factory of the entry. Raises: ModelNotFound, ModelCorrupt, ModelIncompatible."""
    folder = data_folder(request.path).resolve()
    check_data(folder)
    data = read_data(folder)
    try:
        default, variant = data.speaker(str(request.options.get("voice", DEFAULT_VOICE)))
    except VoiceNotFound as error:
        raise ModelIncompatible(f"the option voice is wrong: {error.message}", hint=error.hint) from error
    library = EspeakLibrary(Path(espeakng_loader.get_library_path()), folder)
    return EspeakEngine(library, data, default or data.voice_named(DEFAULT_VOICE), variant)


class EspeakEngine:
    """Every voice of one data folder. One thread; each utterance has the library run in a second one."""

    def __init__(
        self, library: EspeakLibrary, data: EspeakData, default: EspeakVoice | None, variant: str | None
    ) -> None:
        self._library = library
        self._data = data
        self._default = default
        self._variant = variant

    def synthesize(self, request: SynthesisRequest, cancel: Cancellable) -> Iterator[AudioChunk]:
        voice, variant = self._voice_of(request)
        text = without_strays(speakable(request.text), voice).strip()
        if not text:
            return
        self._library.set_voice(voice.identifier, variant)
        # After the voice, which brings a rate and a pitch of its own.
        self._library.set_prosody(
            rate_wpm=words_per_minute(request.rate), pitch=pitch(request.pitch_semitones), volume=_VOLUME
        )
        for pcm in _Utterance(self._library, text, cancel).stream():
            yield AudioChunk(pcm.astype(np.float32) / _FULL_SCALE, self._library.sample_rate_hz)

    def close(self) -> None:
        self._library.close()

    def _voice_of(self, request: SynthesisRequest) -> tuple[EspeakVoice, str | None]:
        """A full speaker decides alone; a variant alone, or none, follows the language."""
        voice, variant = self._data.speaker(request.speaker)
        if voice is None and request.language is not None:
            voice = self._data.voice_for(request.language, self._default)
            if voice is None:
                reason = language_reason(request.language)
                raise LanguageUnsupported(reason, context={"language": request.language, "reason": reason})
        voice = voice or self._default
        if voice is None:
            raise VoiceNotFound("this eSpeak data has no default voice", context={"voice": DEFAULT_VOICE})
        return voice, variant or self._variant


def words_per_minute(rate: float) -> int:
    """eSpeak's speed for a rate factor."""
    return min(max(round(NORMAL_WPM * rate), SLOWEST_WPM), FASTEST_WPM)


def pitch(semitones: float) -> int:
    """eSpeak's pitch for a shift; reaches about seven semitones either way."""
    return min(max(round(NORMAL_PITCH + semitones * _PITCH_PER_SEMITONE), 0), HIGHEST_PITCH)


class _Utterance:
    """Turns the library's blocking call with a callback into a stream that can be left at any time."""

    def __init__(self, library: EspeakLibrary, text: str, cancel: Cancellable) -> None:
        self._library = library
        self._text = text
        self._cancel = cancel
        self._abandoned = threading.Event()
        self._chunks: queue.Queue[Pcm | AlltalkError | None] = queue.Queue(_WAITING_CHUNKS)
        self._gathered: list[Pcm] = []
        self._gathered_samples = 0
        self._wanted_samples = 1

    def stream(self) -> Iterator[Pcm]:
        speaker = threading.Thread(target=self._speak, name="espeak", daemon=True)
        speaker.start()
        try:
            while (item := self._chunks.get()) is not None:
                if isinstance(item, AlltalkError):
                    raise item
                yield item
        finally:
            # The next utterance may not begin before the library has come back from this one.
            self._abandoned.set()
            speaker.join()

    def _speak(self) -> None:
        try:
            self._library.speak(self._text, self._take)
            self._flush()
        except AlltalkError as error:
            self._put(error)
        finally:
            self._put(None)

    def _take(self, pcm: Pcm) -> bool:
        self._gathered.append(pcm)
        self._gathered_samples += len(pcm)
        if self._gathered_samples >= self._wanted_samples:
            self._wanted_samples = _CHUNK_SAMPLES
            self._flush()
        return not self._stopped

    def _flush(self) -> None:
        if self._gathered:
            self._put(np.concatenate(self._gathered))
            self._gathered, self._gathered_samples = [], 0

    def _put(self, item: Pcm | AlltalkError | None) -> None:
        while not self._abandoned.is_set():
            try:
                self._chunks.put(item, timeout=0.05)
            except queue.Full:
                if self._cancel.cancelled and item is not None:
                    return
            else:
                return

    @property
    def _stopped(self) -> bool:
        return self._abandoned.is_set() or self._cancel.cancelled
