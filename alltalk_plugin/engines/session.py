"""The worker's side of the pipe: loads one model, speaks with it, and ends with its service.

Runs in the engine's environment: standard library, numpy and the engine. No loguru here: what is printed
goes to the service as it is.
"""

from __future__ import annotations

import faulthandler
import importlib
import os
import queue
import site
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO, NoReturn, cast

from alltalk_plugin import __version__
from alltalk_plugin.domain.engines import Engine, EngineFactory, LoadRequest, Movable
from alltalk_plugin.domain.errors import AlltalkError, ModelIncompatible, OutOfMemory, SynthesisFailed
from alltalk_plugin.domain.models import Device
from alltalk_plugin.workers.frames import FrameError
from alltalk_plugin.workers.protocol import (
    PROTOCOL_VERSION,
    Cancel,
    Chunk,
    Done,
    Failed,
    Hello,
    Load,
    Loaded,
    Message,
    Ping,
    Pong,
    Speak,
    ToDevice,
    Unload,
    encode,
    read_message,
)
from alltalk_plugin.workers.redaction import redact

EXIT_ORPHANED = 0
EXIT_BAD_FRAME = 3


def main(arguments: Sequence[str]) -> NoReturn:
    """Serve the pipe on stdin and stdout until it closes or Unload comes.

    `arguments`: the engine's entry (package.module:factory), then folders to import from.
    """
    entry, *folders = arguments
    inbound, outbound = take_over_pipes()
    faulthandler.enable()
    for folder in folders:
        site.addsitedir(folder)
    Session(inbound, outbound, entry=entry).run()


def take_over_pipes() -> tuple[BinaryIO, BinaryIO]:
    """The service's pipes, moved away from where libraries read and print.

    Afterwards stdin is empty and everything printed, by Python or C, goes to stderr.
    """
    inbound, outbound = os.dup(0), os.dup(1)
    if sys.platform == "win32":
        import msvcrt

        msvcrt.setmode(inbound, os.O_BINARY)
        msvcrt.setmode(outbound, os.O_BINARY)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = sys.stderr  # line by line, or the last lines before a crash would be lost
    return os.fdopen(inbound, "rb"), os.fdopen(outbound, "wb")


@dataclass(frozen=True, slots=True)
class _StopSign:
    """Up as soon as the service cancels this request; engines look at it between chunks."""

    session: Session
    request_id: int

    @property
    def cancelled(self) -> bool:
        return self.session.is_cancelled(self.request_id)


class Session:
    """One worker's life. `run` belongs to the main thread; a second thread reads the pipe.

    The reading thread takes Cancel and Ping while the engine works, and ends the process when the service
    is gone. `leave` ends it at once, without the finalisers of libraries that may hang or crash there:
    whatever must be undone, the end of a process undoes.
    """

    def __init__(
        self,
        inbound: BinaryIO,
        outbound: BinaryIO,
        *,
        entry: str,
        leave: Callable[[int], NoReturn] = os._exit,
    ) -> None:
        self._inbound = inbound
        self._outbound = outbound
        self._entry = entry
        self._leave_process = leave
        self._writing = threading.Lock()
        self._work: queue.SimpleQueue[Load | Speak | ToDevice | Unload] = queue.SimpleQueue()
        self._engine: Engine | None = None
        # Ids grow and requests are spoken in order, so one number says which are cancelled.
        self._cancelled_up_to = 0

    def is_cancelled(self, request_id: int) -> bool:
        return self._cancelled_up_to >= request_id

    def run(self) -> NoReturn:
        self._send(Hello(os.getpid(), PROTOCOL_VERSION, __version__, sys.version.split()[0]))
        threading.Thread(target=self._read, name="service", daemon=True).start()
        # Before a model is named: in a process kept ready this takes the import out of the load. What goes
        # wrong here goes wrong again, and is reported, in the load.
        with suppress(Exception):
            _factory(self._entry)
            if self._work.empty():
                self._prepare()
        while True:
            match self._work.get():
                case Load(request_id, request):
                    self._load(request_id, request)
                case Speak() as speak:
                    self._speak(speak)
                case ToDevice() as move:
                    self._move(move)
                case Unload():
                    self._unload()

    def _prepare(self) -> None:
        """What the engine can do before there is a model. When that fails, models take longer and no more."""
        prepare = getattr(sys.modules[self._entry.partition(":")[0]], "prepare", None)
        try:
            if prepare is not None:
                prepare()
        except Exception:  # noqa: BLE001  # an engine may raise anything; the service's log gets it
            traceback.print_exc()

    def _read(self) -> None:
        try:
            while (message := read_message(self._inbound)) is not None:
                self._take(message)
        except FrameError:
            traceback.print_exc()
            self._leave(EXIT_BAD_FRAME)
        self._leave(EXIT_ORPHANED)

    def _take(self, message: Message) -> None:
        match message:
            case Cancel(request_id):
                self._cancelled_up_to = max(self._cancelled_up_to, request_id)
            case Ping(request_id):
                self._send(Pong(request_id))
            case Load() | Speak() | ToDevice() | Unload():
                self._work.put(message)
            case _:
                raise FrameError(f"{type(message).__name__} is not for a worker")

    def _load(self, request_id: int, request: LoadRequest) -> None:
        try:
            self._engine = _factory(self._entry)(request)
        except Exception as error:  # noqa: BLE001  # an engine may raise anything; the service must hear of it
            self._send(Failed.from_error(request_id, _model_error(error, "load")))
        else:
            self._send(Loaded(request_id))

    def _speak(self, speak: Speak) -> None:
        try:
            self._say(speak)
        except Exception as error:  # noqa: BLE001  # as in _load
            self._send(Failed.from_error(speak.id, _speech_error(error, speak.request.text)))
        else:
            self._send(Done(speak.id))

    def _say(self, speak: Speak) -> None:
        if self._engine is None:
            raise SynthesisFailed("no model is loaded")
        if self.is_cancelled(speak.id):
            return
        for audio in self._engine.synthesize(speak.request, _StopSign(self, speak.id)):
            if self.is_cancelled(speak.id):
                return
            if len(audio.samples):
                self._send(Chunk(speak.id, audio))

    def _move(self, move: ToDevice) -> None:
        try:
            _movable(self._engine, move.device).to_device(move.device)
        except Exception as error:  # noqa: BLE001  # as in _load
            self._send(Failed.from_error(move.id, _model_error(error, "move")))
        else:
            self._send(Done(move.id))

    def _unload(self) -> NoReturn:
        if self._engine is not None:
            try:
                self._engine.close()
            except Exception:  # noqa: BLE001  # the process ends now, whatever the engine thinks of it
                traceback.print_exc()
        self._leave(0)

    def _send(self, message: Message) -> None:
        raw = encode(message)
        try:
            with self._writing:
                self._outbound.write(raw)
                self._outbound.flush()
        except OSError:
            self._leave(EXIT_ORPHANED)

    def _leave(self, exit_code: int) -> NoReturn:
        sys.stdout.flush()
        sys.stderr.flush()
        self._leave_process(exit_code)


def _factory(entry: str) -> EngineFactory:
    module, _, name = entry.partition(":")
    return cast("EngineFactory", getattr(importlib.import_module(module), name))


def _movable(engine: Engine | None, device: Device) -> Movable:
    if isinstance(engine, Movable):
        return engine
    raise ModelIncompatible(
        "this engine leaves a model on the device that it was loaded for",
        hint="Unload the model and load it for the other device.",
        context={"device": device},
    )


def _model_error(error: Exception, doing: str) -> AlltalkError:
    """`doing`: load or move."""
    match error:
        case AlltalkError():
            return error
        case MemoryError():
            return OutOfMemory(f"there was not enough memory to {doing} the model")
        case ImportError():
            hint = "Install what the engine needs into its environment ('alltalk-plugin engine install')."
            return ModelIncompatible(f"the engine cannot be imported: {error}", hint=hint)
        case _:
            traceback.print_exception(error)
            return ModelIncompatible(f"the engine could not {doing} it: {type(error).__name__}: {error}")


def _speech_error(error: Exception, text: str) -> AlltalkError:
    match error:
        case AlltalkError():
            return error
        case MemoryError():
            return OutOfMemory("there was not enough memory to speak")
        case _:
            traceback.print_exception(error)
            return SynthesisFailed(redact(f"{type(error).__name__}: {error}", (text,)))
