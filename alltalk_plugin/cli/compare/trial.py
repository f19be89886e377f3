"""One model's trial: load, self-test, the sentences, and what each of them cost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import psutil

from alltalk_plugin.domain.audio import AudioChunk
from alltalk_plugin.domain.cancel import CancelSource
from alltalk_plugin.domain.engines import EngineSpec, SynthesisRequest
from alltalk_plugin.domain.errors import AlltalkError, LanguageUnsupported, ModelTooBig, TextTooLong
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.models import ModelKey, ModelProfile
from alltalk_plugin.domain.ports import LoadedModel, MemoryProbe, ModelLoader
from alltalk_plugin.domain.voices import VoiceName, VoiceProfile
from alltalk_plugin.workers.memory import own_bytes

_SAMPLING_S = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Spoken:
    """One sentence in one model's voice."""

    text: str
    audio: AudioChunk
    first_audio_s: float
    synthesis_s: float

    @property
    def real_time_factor(self) -> float:
        """Seconds of work for a second of audio."""
        return self.synthesis_s / self.audio.duration_s if self.audio.duration_s else 0.0


@dataclass(slots=True)
class Trial:
    """What a model did. `error` says why it did no more; sentences that failed are in `failures`.

    `peak_bytes` and `resident_bytes` are its worker's own, `predicted_bytes` what was promised.
    """

    profile: ModelProfile
    kind: str = ""
    predicted_bytes: int = 0
    load_s: float | None = None
    self_test_s: float | None = None
    peak_bytes: int = 0
    resident_bytes: int = 0
    spoken: list[Spoken] = field(default_factory=list)
    failures: list[tuple[str, AlltalkError]] = field(default_factory=list)
    error: AlltalkError | None = None


def run_trial(
    profile: ModelProfile,
    spec: EngineSpec,
    loader: ModelLoader,
    *,
    memory: MemoryProbe,
    sentences: Sequence[str],
    language: LanguageTag,
) -> Trial:
    """Never raises for what the model does wrong: that is part of the comparison."""
    trial = Trial(profile)
    try:
        trial.kind = spec.describe(profile).kind
        estimate = spec.estimate(profile)
        trial.predicted_bytes = estimate.load_bytes
        _check_language(spec, profile, language)
        _check_room(estimate.load_bytes, memory.free_bytes(profile.device), profile)
        with _Watch() as watch:
            _perform(trial, spec, loader, sentences, watch=watch, language=language)
    except AlltalkError as error:
        trial.error = error
    return trial


def _perform(
    trial: Trial,
    spec: EngineSpec,
    loader: ModelLoader,
    sentences: Sequence[str],
    *,
    watch: _Watch,
    language: LanguageTag,
) -> None:
    profile, cancel = trial.profile, CancelSource()
    key = ModelKey(spec.name, profile.ref, spec.revision(profile))
    began_s = time.perf_counter()
    model = loader.load(profile, key, cancel, lambda _death: None)
    loaded_s = time.perf_counter()
    trial.load_s = loaded_s - began_s
    try:
        model.verify(cancel)
        trial.self_test_s = time.perf_counter() - loaded_s
        for text in sentences:
            try:
                trial.spoken.append(_speak(model, spec, text, language))
            except AlltalkError as error:
                trial.failures.append((text, error))
        trial.resident_bytes = sum(model.resident_bytes().values())
        trial.peak_bytes = watch.peak_bytes()
    finally:
        model.unload()


def _speak(model: LoadedModel, spec: EngineSpec, text: str, language: LanguageTag) -> Spoken:
    if len(text) > spec.max_chars:
        raise TextTooLong(
            f"{spec.name} takes {spec.max_chars} characters at once, this line has {len(text)}",
            context={"length_chars": len(text), "limit_chars": spec.max_chars},
        )
    began_s = time.perf_counter()
    first_s: float | None = None
    chunks = []
    for chunk in model.synthesize(SynthesisRequest(text=text, language=language), CancelSource()):
        first_s = first_s if first_s is not None else time.perf_counter() - began_s
        chunks.append(chunk)
    took_s = time.perf_counter() - began_s
    if not chunks:
        raise LanguageUnsupported("it found nothing to say in this line", context={"language": language})
    audio = AudioChunk(np.concatenate([chunk.samples for chunk in chunks]), chunks[0].sample_rate_hz)
    return Spoken(text, audio, first_s if first_s is not None else took_s, took_s)


def _check_language(spec: EngineSpec, profile: ModelProfile, language: LanguageTag) -> None:
    anyone = VoiceProfile(name=VoiceName("compare"), model=profile.ref)
    reason = spec.speaks(profile, anyone, language)
    if reason is not None:
        raise LanguageUnsupported(
            f"{profile.ref} does not speak {language}: {reason}",
            hint="Choose the sentences' language with --language.",
            context={"language": language, "reason": reason},
        )


def _check_room(need_bytes: int, free_bytes: int, profile: ModelProfile) -> None:
    if need_bytes > free_bytes:
        raise ModelTooBig(
            f"{profile.ref} needs {need_bytes / 1e6:.0f} MB, {free_bytes / 1e6:.0f} MB are free",
            hint="Unload models or close programs first.",
            context={"need_bytes": need_bytes, "free_bytes": free_bytes},
        )


class _Watch:
    """The most that this process's children, the worker, are seen to hold while it is entered."""

    def __init__(self) -> None:
        self._me = psutil.Process()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._look, name="compare-memory", daemon=True)
        self._highest_bytes = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stopped.set()
        self._thread.join()

    def peak_bytes(self) -> int:
        """Of their own. Libraries' pages are taken to be those of now: they are mapped once and stay."""
        workers = self._me.children()
        return max(0, self._highest_bytes - (_sum(_resident, workers) - _sum(own_bytes, workers)))

    def _look(self) -> None:
        while not self._stopped.wait(_SAMPLING_S):
            self._highest_bytes = max(self._highest_bytes, _sum(_resident, self._me.children()))


def _resident(process: psutil.Process) -> int:
    return int(process.memory_info().rss)


def _sum(measure: Callable[[psutil.Process], int], processes: Sequence[psutil.Process]) -> int:
    total = 0
    for process in processes:
        with suppress(psutil.Error):  # it has ended meanwhile
            total += measure(process)
    return total
