"""A model in a worker, seen from the service."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

import numpy as np
import psutil

from alltalk_plugin.domain.audio import AudioChunk
from alltalk_plugin.domain.engines import EngineSpec, SynthesisRequest
from alltalk_plugin.domain.errors import (
    AlltalkError,
    ContextValue,
    ModelTimeout,
    RemoteError,
    SelfTestFailed,
    SynthesisFailed,
    TextTooLong,
    WorkerCrashed,
)
from alltalk_plugin.domain.models import CPU, Device, ModelKey, ModelProfile
from alltalk_plugin.domain.ports import CancelToken
from alltalk_plugin.workers.frames import FrameTooLarge
from alltalk_plugin.workers.priority import restore
from alltalk_plugin.workers.process import WorkerProcess
from alltalk_plugin.workers.protocol import Chunk, Done, Failed, Speak
from alltalk_plugin.workers.turns import Turns
from alltalk_plugin.workers.verification import fault_of, known_utterance

UNLOAD_GRACE_S = 2.0
"""A worker ends itself in some 10 ms; one that is deep in native code is killed after this."""
_PING_S = 1.0


class WorkerModel:
    """Satisfies `LoadedModel`. Thread-safe; requests are spoken one by one in the order they came.

    Its process has a low priority until it is verified. `settled` is called once, when it has been verified
    or found out, or let go before that.
    """

    def __init__(
        self,
        *,
        spec: EngineSpec,
        profile: ModelProfile,
        key: ModelKey,
        process: WorkerProcess,
        chunk_timeout_s: Callable[[], float],
        settled: Callable[[], None],
    ) -> None:
        self._spec = spec
        self._profile = profile
        self._key = key
        self._process = process
        self._chunk_timeout_s = chunk_timeout_s
        self._turns = Turns()
        self._settled = Once(settled)

    @property
    def key(self) -> ModelKey:
        return self._key

    @property
    def alive(self) -> bool:
        return self._process.alive

    @property
    def pid(self) -> int:
        """Of the worker's process."""
        return self._process.pid

    def synthesize(self, request: SynthesisRequest, cancel: CancelToken) -> Iterator[AudioChunk]:
        if not self._turns.take(cancel):
            return
        try:
            yield from self._speak(request, cancel)
        finally:
            self._turns.give_back()

    def _speak(self, request: SynthesisRequest, cancel: CancelToken) -> Iterator[AudioChunk]:
        process = self._process
        process.expect_text(request.text)
        request_id, inbox = process.open()

        def stop() -> None:
            inbox.close()
            process.cancel(request_id)

        forget_stop = cancel.on_cancel(stop)
        finished = False
        try:
            self._send(request_id, request)
            while not cancel.cancelled:
                match inbox.take(self._chunk_timeout_s()):
                    case Chunk(_, audio):
                        yield self._checked(audio)
                    case Done():
                        finished = True
                        return
                    case Failed() as failed:
                        finished = True
                        raise placed(failed.error(), model=self._key.model, phase="synthesize")
                    case None if not cancel.cancelled:
                        finished = True
                        raise self._hung(request)
                    case _:
                        return
        except WorkerCrashed as error:
            finished = True
            raise placed(error, model=self._key.model, phase="synthesize") from error
        finally:
            # An abandoned or failed consumer stops the engine too; what still comes is thrown away by id.
            forget_stop()
            process.forget(request_id)
            if not finished:
                process.cancel(request_id)

    def verify(self, cancel: CancelToken) -> None:
        try:
            self._verify(cancel)
        finally:
            self._settled()

    def _verify(self, cancel: CancelToken) -> None:
        cancel.raise_if_cancelled()
        utterance = known_utterance(self._spec, self._profile)
        try:
            fault = fault_of(self.synthesize(utterance, cancel))
        except (WorkerCrashed, ModelTimeout, RemoteError):
            raise  # each says more than that the test failed
        except AlltalkError as error:
            raise self._failed_test(error.message, hint=error.hint) from error
        cancel.raise_if_cancelled()
        if fault is not None:
            raise self._failed_test(fault)
        restore(self.pid)

    def resident_bytes(self) -> Mapping[Device, int]:
        """Resident set of the worker. Pages of shared libraries count in full: an upper bound."""
        if not self.alive:
            return {}
        try:
            return {CPU: psutil.Process(self.pid).memory_info().rss}
        except psutil.Error:
            return {}

    def unload(self) -> None:
        """Ends the process; its end is the proof that the memory is free."""
        self._process.end(UNLOAD_GRACE_S)
        self._settled()

    def _send(self, request_id: int, request: SynthesisRequest) -> None:
        try:
            self._process.send(Speak(request_id, request))
        except FrameTooLarge as error:
            raise TextTooLong(
                "the text does not fit into one message to a worker",
                context={"length_chars": len(request.text)},
            ) from error

    def _checked(self, audio: AudioChunk) -> AudioChunk:
        if not np.isfinite(audio.samples).all():
            raise SynthesisFailed(
                f"{self._key.model} made numbers that are no audio",
                context={"model": self._key.model, "phase": "synthesize"},
            )
        return audio

    def _hung(self, request: SynthesisRequest) -> ModelTimeout:
        timeout_s = self._chunk_timeout_s()
        answers = self._process.answers_ping(_PING_S)
        self._process.kill(f"its engine made no sound for {timeout_s:g} s")
        return ModelTimeout(
            f"{self._key.model} made no sound for {timeout_s:g} s and was ended",
            hint="The engine hung on this text; it is started again by itself.",
            context={
                "model": self._key.model,
                "phase": "synthesize",
                "timeout_s": timeout_s,
                "length_chars": len(request.text),
                "process_answered": answers,
            },
        )

    def _failed_test(self, reason: str, hint: str | None = None) -> SelfTestFailed:
        return SelfTestFailed(
            f"{self._key.model} failed its self-test: {reason}",
            hint=hint,
            context={"model": self._key.model, "phase": "verify", "reason": reason},
        )


class Once:
    """A call that happens the first time only. Thread-safe."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._first = threading.Lock()

    def __call__(self) -> None:
        if self._first.acquire(blocking=False):
            self._work()


E = TypeVar("E", bound=AlltalkError)


def placed(error: E, **context: ContextValue) -> E:
    """The same error with what its thrower did not know; what it did know stays."""
    return type(error)(error.message, hint=error.hint, context={**context, **error.context})
