"""A loader whose models live in this process and do what their script says."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from alltalk_plugin.domain.audio import AudioChunk
from alltalk_plugin.domain.engines import SynthesisRequest
from alltalk_plugin.domain.errors import AlltalkError, ModelNotFound, SelfTestFailed, WorkerCrashed
from alltalk_plugin.domain.models import CPU, Device, ModelKey, ModelProfile, ModelRef
from alltalk_plugin.domain.ports import CancelToken

MB = 1_000_000
SAMPLE_RATE_HZ = 16_000
SECONDS_PER_CHAR = 0.02
CHUNK_S = 0.1
GATE_TIMEOUT_S = 10.0
"""A gate that nobody opens is a defect of the test; it must not hang the run."""


class Gate:
    """Holds whoever comes until the test opens it; `reached` says that somebody is waiting."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self._open = threading.Event()

    def open(self) -> None:
        self._open.set()

    def wait_reached(self) -> None:
        assert self.reached.wait(GATE_TIMEOUT_S), "nobody came to the gate"

    def pass_through(self, cancel: CancelToken | None = None) -> None:
        """Wait for the gate. Raises: Cancelled when `cancel` goes up first."""
        forget = cancel.on_cancel(self._wake) if cancel is not None else lambda: None
        self.reached.set()
        try:
            assert self._open.wait(GATE_TIMEOUT_S), "the test never opened the gate"
        finally:
            forget()
        if cancel is not None:
            cancel.raise_if_cancelled()

    def _wake(self) -> None:
        self._open.set()


@dataclass(slots=True)
class Script:
    """What one model does. Tests change it at any time; the next call reads it.

    `load_errors` are raised by the next loads, one each, oldest first; `load_error` by every load.
    `load_gate`, `verify_gate`, `unload_gate` hold that step; `chunk_gate` holds before the second chunk.
    `unload_error` is raised once the model is gone.
    `synthesis_error` is raised instead of speaking, `synthesis_errors` by the next calls, one each.
    `crash_at_chunk` ends the "process" before that chunk (0: before any sound). `fail_texts` refuse.
    """

    resident_bytes: int = 100 * MB
    device: Device = CPU
    load_error: AlltalkError | None = None
    load_errors: list[AlltalkError] = field(default_factory=list)
    load_gate: Gate | None = None
    verify_error: AlltalkError | None = None
    verify_errors: list[AlltalkError] = field(default_factory=list)
    verify_gate: Gate | None = None
    unload_gate: Gate | None = None
    unload_error: AlltalkError | None = None
    synthesis_error: AlltalkError | None = None
    synthesis_errors: list[AlltalkError] = field(default_factory=list)
    fail_texts: dict[str, AlltalkError] = field(default_factory=dict)
    chunk_gate: Gate | None = None
    crash_at_chunk: int | None = None
    tone_hz: float = 220.0


class FakeModel:
    """A model in this process; satisfies `LoadedModel`. Thread-safe, one synthesis at a time."""

    def __init__(
        self,
        key: ModelKey,
        script: Script,
        on_death: Callable[[WorkerCrashed], None],
        on_unload: Callable[[FakeModel], None],
    ) -> None:
        self._key = key
        self._script = script
        self._on_death = on_death
        self._on_unload = on_unload
        self._state = threading.Lock()
        self._speaking = threading.Lock()
        self._death: WorkerCrashed | None = None
        self._unloaded = False
        self.spoken: list[SynthesisRequest] = []
        self.cancelled: list[SynthesisRequest] = []
        self.most_at_once = 0
        self._now_speaking = 0

    @property
    def key(self) -> ModelKey:
        return self._key

    @property
    def alive(self) -> bool:
        with self._state:
            return self._death is None and not self._unloaded

    @property
    def unloaded(self) -> bool:
        with self._state:
            return self._unloaded

    def crash(self, exit_code: int = -11) -> None:
        """End the "process" unasked, now; calls on_death in another thread, once."""
        error = WorkerCrashed(
            f"the worker of {self._key.model} ended by itself",
            context={"model": self._key.model, "exit_code": exit_code, "last_output": ""},
        )
        with self._state:
            if self._death is not None or self._unloaded:
                return
            self._death = error
        reporter = threading.Thread(target=self._on_death, args=(error,), daemon=True)
        reporter.start()
        reporter.join(GATE_TIMEOUT_S)

    def synthesize(self, request: SynthesisRequest, cancel: CancelToken) -> Iterator[AudioChunk]:
        """A tone of `SECONDS_PER_CHAR` seconds a character, in chunks of `CHUNK_S`."""
        with self._speaking:
            self._now_speaking += 1
            self.most_at_once = max(self.most_at_once, self._now_speaking)
            try:
                yield from self._speak(request, cancel)
            finally:
                self._now_speaking -= 1

    def _speak(self, request: SynthesisRequest, cancel: CancelToken) -> Iterator[AudioChunk]:
        self._raise_if_dead()
        self.spoken.append(request)
        script = self._script
        if script.synthesis_errors:
            raise script.synthesis_errors.pop(0)
        if script.synthesis_error is not None:
            raise script.synthesis_error
        if request.text in script.fail_texts:
            raise script.fail_texts[request.text]
        for number, chunk in enumerate(_tone(request, script.tone_hz)):
            if script.crash_at_chunk == number:
                self.crash()
            if number == 1 and script.chunk_gate is not None:
                script.chunk_gate.pass_through()
            if cancel.cancelled:
                self.cancelled.append(request)
                return
            self._raise_if_dead()
            yield chunk

    def verify(self, cancel: CancelToken) -> None:
        if self._script.verify_gate is not None:
            self._script.verify_gate.pass_through(cancel)
        cancel.raise_if_cancelled()
        self._raise_if_dead()
        if self._script.verify_errors:
            raise self._script.verify_errors.pop(0)
        if self._script.verify_error is not None:
            raise self._script.verify_error

    def resident_bytes(self) -> Mapping[Device, int]:
        if not self.alive:
            return {}
        return {self._script.device: self._script.resident_bytes}

    def unload(self) -> None:
        if self._script.unload_gate is not None:
            self._script.unload_gate.pass_through()
        with self._state:
            if self._unloaded:
                return
            self._unloaded = True
        self._on_unload(self)
        if self._script.unload_error is not None:
            raise self._script.unload_error

    def _raise_if_dead(self) -> None:
        with self._state:
            if self._death is not None:
                raise self._death
            if self._unloaded:
                raise WorkerCrashed(
                    f"{self._key.model} is not loaded any more", context={"model": self._key.model}
                )


class FakeLoader:
    """Satisfies `ModelLoader`. Thread-safe. A model without a script loads and speaks."""

    def __init__(self, scripts: Mapping[str, Script] | None = None) -> None:
        self.scripts: dict[str, Script] = dict(scripts or {})
        self._lock = threading.Lock()
        self._loading: list[ModelRef] = []
        self.load_calls: list[ModelRef] = []
        self.most_loading_at_once = 0
        self.loaded: list[FakeModel] = []
        self.unloads: list[ModelRef] = []
        self.peak_resident_bytes = 0
        self.base: dict[Device, int] = {}

    def script(self, model: str) -> Script:
        with self._lock:
            return self.scripts.setdefault(model, Script())

    def load(
        self,
        profile: ModelProfile,
        key: ModelKey,
        cancel: CancelToken,
        on_death: Callable[[WorkerCrashed], None],
    ) -> FakeModel:
        script = self.script(profile.ref)
        with self._lock:
            self.load_calls.append(profile.ref)
            self._loading.append(profile.ref)
            self.most_loading_at_once = max(self.most_loading_at_once, len(self._loading))
            self._note_peak()
        try:
            if script.load_gate is not None:
                script.load_gate.pass_through(cancel)
            cancel.raise_if_cancelled()
            if script.load_errors:
                raise script.load_errors.pop(0)
            if script.load_error is not None:
                raise script.load_error
            model = FakeModel(key, script, on_death, self._forget)
        finally:
            with self._lock:
                self._loading.remove(profile.ref)
        with self._lock:
            self.loaded.append(model)
            self._note_peak()
        return model

    def base_bytes(self) -> Mapping[Device, int]:
        """What the test put into `base`."""
        return dict(self.base)

    def resident(self) -> tuple[ModelRef, ...]:
        """What is loaded and alive now."""
        with self._lock:
            return tuple(model.key.model for model in self.loaded if model.alive)

    def model(self, ref: str) -> FakeModel:
        """The living model of that name. Raises: ModelNotFound."""
        with self._lock:
            for model in reversed(self.loaded):
                if model.key.model == ref and model.alive:
                    return model
        raise ModelNotFound(f"{ref} is not loaded", context={"model": ref})

    def times_loaded(self, ref: str) -> int:
        with self._lock:
            return sum(1 for call in self.load_calls if call == ref)

    def _forget(self, model: FakeModel) -> None:
        with self._lock:
            self.unloads.append(model.key.model)
            self.loaded.remove(model)

    def _note_peak(self) -> None:
        held = sum(sum(model.resident_bytes().values()) for model in self.loaded)
        coming = sum(self.scripts.get(ref, Script()).resident_bytes for ref in self._loading)
        self.peak_resident_bytes = max(self.peak_resident_bytes, held + coming)


def selftest_failed(model: str) -> SelfTestFailed:
    """What `verify` raises for a model that loads but does not speak."""
    return SelfTestFailed(f"{model} loads but is silent", context={"model": model, "phase": "verify"})


def _tone(request: SynthesisRequest, tone_hz: float) -> Iterator[AudioChunk]:
    total = max(1, round(len(request.text) * SECONDS_PER_CHAR / request.rate * SAMPLE_RATE_HZ))
    step = round(CHUNK_S * SAMPLE_RATE_HZ)
    for start in range(0, total, step):
        times = np.arange(start, min(start + step, total), dtype=np.float32) / SAMPLE_RATE_HZ
        samples = (0.3 * np.sin(2 * np.pi * tone_hz * times)).astype(np.float32)
        yield AudioChunk(samples, SAMPLE_RATE_HZ)
