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
    Cancelled,
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
from alltalk_plugin.workers.memory import own_bytes
from alltalk_plugin.workers.priority import restore
from alltalk_plugin.workers.process import WorkerProcess
from alltalk_plugin.workers.protocol import Chunk, Done, Failed, Speak, ToDevice
from alltalk_plugin.workers.turns import Turns
from alltalk_plugin.workers.verification import fault_of, known_utterance

UNLOAD_GRACE_S = 2.0
"""A worker ends itself in some 10 ms; one that is deep in native code is killed after this."""
_PING_S = 1.0
_SPEECH_HINT = "The engine hung on this text; it is started again by itself."
_MOVE_HINT = "The engine hung while it moved the model; it is started again by itself."


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
                        length_chars = len(request.text)
                        raise self._hung(
                            "made no sound", phase="synthesize", hint=_SPEECH_HINT, length_chars=length_chars
                        )
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

    def to_device(self, device: Device, cancel: CancelToken) -> None:
        """Move the model, in its turn; blocks. A move that has begun is not cancelled. When it fails for what
        the engine, the machine or its memory lacks, the model speaks on where it was.

        Raises: ModelIncompatible, OutOfMemory, Cancelled, WorkerCrashed, ModelTimeout (the worker is ended).
        """
        if not self._turns.take(cancel):
            raise Cancelled(f"{self._key.model} was not moved")
        try:
            self._move(device)
        except WorkerCrashed as error:
            raise placed(error, model=self._key.model, phase="move") from error
        finally:
            self._turns.give_back()

    def _move(self, device: Device) -> None:
        process = self._process
        request_id, inbox = process.open()
        try:
            process.send(ToDevice(request_id, device))
            match inbox.take(self._chunk_timeout_s()):
                case Done():
                    return
                case Failed() as failed:
                    raise placed(failed.error(), model=self._key.model, phase="move")
                case _:
                    raise self._hung("did not move", phase="move", hint=_MOVE_HINT, device=device)
        finally:
            process.forget(request_id)

    def resident_bytes(self) -> Mapping[Device, int]:
        """What the worker holds of its own, the weights it has mapped included.

        Main memory only, wherever the model is: on another device its estimate counts.
        """
        if not self.alive:
            return {}
        try:
            return {CPU: own_bytes(psutil.Process(self.pid))}
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

    def _hung(self, what: str, *, phase: str, hint: str, **more: ContextValue) -> ModelTimeout:
        """Ends the worker. `what` its engine did for as long as is allowed."""
        timeout_s = self._chunk_timeout_s()
        answers = self._process.answers_ping(_PING_S)
        self._process.kill(f"its engine {what} for {timeout_s:g} s")
        return ModelTimeout(
            f"{self._key.model} {what} for {timeout_s:g} s and was ended",
            hint=hint,
            context={
                "model": self._key.model,
                "phase": phase,
                "timeout_s": timeout_s,
                "process_answered": answers,
                **more,
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
