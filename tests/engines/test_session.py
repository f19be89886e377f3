"""The worker's side of the pipe, in this process, over real pipes."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import ModuleType
from typing import BinaryIO, NoReturn

import numpy as np
import pytest

from alltalk_plugin.domain.audio import AudioChunk
from alltalk_plugin.domain.engines import Cancellable, EngineFactory, LoadRequest, SynthesisRequest
from alltalk_plugin.domain.errors import OutOfMemory, VoiceNotFound
from alltalk_plugin.domain.models import CPU, Device
from alltalk_plugin.engines.session import EXIT_BAD_FRAME, EXIT_ORPHANED, Session
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

ENTRY = "tests.engines.test_session:create"
PATIENCE_S = 10.0


class Puppet:
    """An engine that the test holds by its strings."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.closed = False

    def synthesize(self, request: SynthesisRequest, cancel: Cancellable) -> Iterator[AudioChunk]:
        if request.text == "unknown":
            raise VoiceNotFound("no such voice", context={"voice": "x"})
        if request.text.startswith("bad"):
            raise RuntimeError(f"cannot say {request.text}")
        yield AudioChunk(np.ones(3, np.float32), 8_000)
        yield AudioChunk(np.ones(0, np.float32), 8_000)
        if request.text == "wait":
            assert self.go_on.wait(PATIENCE_S)
        yield AudioChunk(np.zeros(2, np.float32), 8_000)

    def close(self) -> None:
        self.closed = True
        raise RuntimeError("engines may fail at the end, too")


class Walker(Puppet):
    """One that can move, as far as its devices go."""

    def __init__(self) -> None:
        super().__init__()
        self.moved_to: list[Device] = []

    def to_device(self, device: Device) -> None:
        match device:
            case "cuda:1":
                raise OutOfMemory("the device is full", context={"free_bytes": 3})
            case "cuda:2":
                raise MemoryError
            case "cuda:3":
                raise RuntimeError("device lost")
        self.moved_to.append(device)


PUPPETS: list[Puppet] = []


def create(request: LoadRequest) -> Puppet:
    if request.options.get("fail"):
        raise OSError("disk gone")
    PUPPETS.append(Walker() if request.options.get("walks") else Puppet())
    return PUPPETS[-1]


@dataclass
class Service:
    """The other end: writes requests, reads answers, and sees how the session ended."""

    to_worker: BinaryIO
    from_worker: BinaryIO
    exits: list[int] = field(default_factory=list)
    left: threading.Event = field(default_factory=threading.Event)
    reader_left: threading.Event = field(default_factory=threading.Event)

    def ask(self, *messages: Message) -> None:
        for message in messages:
            self.to_worker.write(encode(message))
        self.to_worker.flush()

    def hear(self) -> Message | None:
        return read_message(self.from_worker)

    def leave(self, exit_code: int) -> NoReturn:
        """As os._exit seen from the thread that calls it: nothing comes after."""
        self.exits.append(exit_code)
        self.left.set()
        if threading.current_thread().name == "service":
            self.reader_left.set()
        threading.Event().wait()
        raise AssertionError("unreachable")

    def wait_exit(self) -> int:
        assert self.left.wait(PATIENCE_S)
        return self.exits[0]


@pytest.fixture
def service() -> Iterator[Service]:
    with serving(ENTRY) as service:
        yield service


@contextmanager
def serving(entry: str) -> Iterator[Service]:
    PUPPETS.clear()
    worker_in, service_out = os.pipe()
    service_in, worker_out = os.pipe()
    inbound, outbound = os.fdopen(worker_in, "rb"), os.fdopen(worker_out, "wb")
    service = Service(os.fdopen(service_out, "wb"), os.fdopen(service_in, "rb"))
    session = Session(inbound, outbound, entry=entry, leave=service.leave)
    runner = threading.Thread(target=session.run, daemon=True)
    runner.start()
    yield service
    service.to_worker.close()
    assert service.reader_left.wait(PATIENCE_S)
    for stream in (service.from_worker, inbound, outbound):
        stream.close()


@pytest.fixture
def loaded(service: Service) -> Service:
    service.ask(Load(1, LoadRequest(model="m", path=None, device=CPU)))
    assert isinstance(service.hear(), Hello)
    assert service.hear() == Loaded(1)
    return service


@pytest.fixture
def walking(service: Service) -> Service:
    service.ask(Load(1, LoadRequest(model="m", path=None, device=CPU, options={"walks": True})))
    assert isinstance(service.hear(), Hello)
    assert service.hear() == Loaded(1)
    return service


def speak(request_id: int, text: str) -> Speak:
    return Speak(request_id, SynthesisRequest(text=text))


def speaks(service: Service) -> bool:
    """Whether a whole utterance comes next. Heard to its end: nothing may be written when the pipes close."""
    return [type(service.hear()) for _ in range(3)] == [Chunk, Chunk, Done]


def test_session_says_hello_first(service: Service) -> None:
    hello = service.hear()
    assert isinstance(hello, Hello)
    assert (hello.pid, hello.protocol) == (os.getpid(), PROTOCOL_VERSION)


class Preparing(ModuleType):
    """An engine's module that prepares itself; its import takes until the test lets it go on."""

    def __init__(self) -> None:
        super().__init__("preparing")
        self.imported = threading.Event()
        self.prepared = threading.Event()
        self.prepare = self.prepared.set

    @property
    def create(self) -> EngineFactory:
        assert self.imported.wait(PATIENCE_S)
        return create


@pytest.fixture
def preparing(monkeypatch: pytest.MonkeyPatch) -> Preparing:
    module = Preparing()
    monkeypatch.setitem(sys.modules, "preparing", module)
    return module


def test_session_without_a_model_prepares_itself(preparing: Preparing) -> None:
    with serving("preparing:create") as service:
        preparing.imported.set()
        assert preparing.prepared.wait(PATIENCE_S)
        service.ask(Load(1, LoadRequest(model="m", path=None, device=CPU)))
        assert isinstance(service.hear(), Hello)
        assert service.hear() == Loaded(1)


def test_session_that_cannot_prepare_itself_says_so_and_loads(
    preparing: Preparing, capsys: pytest.CaptureFixture[str]
) -> None:
    tried = threading.Event()

    def fail() -> None:
        tried.set()
        raise RuntimeError("no such instruction")

    preparing.prepare = fail
    with serving("preparing:create") as service:
        preparing.imported.set()
        assert tried.wait(PATIENCE_S)
        service.ask(Load(1, LoadRequest(model="m", path=None, device=CPU)))
        assert isinstance(service.hear(), Hello)
        assert service.hear() == Loaded(1)
    assert "no such instruction" in capsys.readouterr().err


def test_session_with_a_model_that_waits_loads_it_at_once(preparing: Preparing) -> None:
    with serving("preparing:create") as service:
        service.ask(Load(1, LoadRequest(model="m", path=None, device=CPU)), Ping(2))
        assert isinstance(service.hear(), Hello)
        assert service.hear() == Pong(2)  # so the load, sent before it, waits
        preparing.imported.set()
        assert service.hear() == Loaded(1)
        assert not preparing.prepared.is_set()


def test_speak_gives_the_chunks_with_sound_then_done(loaded: Service) -> None:
    loaded.ask(speak(2, "hello"))
    first, second = loaded.hear(), loaded.hear()
    assert isinstance(first, Chunk)
    assert isinstance(second, Chunk)
    assert (len(first.audio.samples), len(second.audio.samples)) == (3, 2)
    assert loaded.hear() == Done(2)


def test_cancel_while_speaking_then_done_without_the_rest(loaded: Service) -> None:
    loaded.ask(speak(2, "wait"))
    assert isinstance(loaded.hear(), Chunk)
    loaded.ask(Cancel(2), Ping(3))
    assert loaded.hear() == Pong(3)  # so the cancel, sent before it, has been taken
    PUPPETS[0].go_on.set()
    assert loaded.hear() == Done(2)


def test_cancel_before_its_turn_then_done_at_once_and_later_requests_are_spoken(loaded: Service) -> None:
    loaded.ask(speak(2, "wait"))
    assert isinstance(loaded.hear(), Chunk)
    loaded.ask(speak(3, "never"), Cancel(3), speak(4, "hello"), Ping(5))
    assert loaded.hear() == Pong(5)
    PUPPETS[0].go_on.set()
    assert [type(loaded.hear()) for _ in range(2)] == [Done, Done]
    assert speaks(loaded)


def test_typed_error_of_the_engine_comes_back_whole(loaded: Service) -> None:
    loaded.ask(speak(2, "unknown"))
    failed = loaded.hear()
    assert isinstance(failed, Failed)
    assert (failed.code, failed.context) == ("voice_not_found", {"voice": "x"})


def test_unforeseen_error_of_the_engine_comes_back_without_the_text(loaded: Service) -> None:
    loaded.ask(speak(2, "bad secret diary"), speak(3, "hello"))
    failed = loaded.hear()
    assert isinstance(failed, Failed)
    assert failed.code == "synthesis_failed"
    assert "secret" not in failed.message
    assert speaks(loaded)


def test_load_when_the_factory_fails_then_incompatible(service: Service) -> None:
    service.ask(Load(1, LoadRequest(model="m", path=None, device=CPU, options={"fail": True})))
    assert isinstance(service.hear(), Hello)
    failed = service.hear()
    assert isinstance(failed, Failed)
    assert failed.code == "incompatible"
    assert "disk gone" in failed.message


def test_speak_before_load_then_failed(service: Service) -> None:
    service.ask(speak(1, "hello"))
    assert isinstance(service.hear(), Hello)
    assert isinstance(service.hear(), Failed)


def test_move_while_speaking_then_in_its_turn(walking: Service) -> None:
    walker = PUPPETS[0]
    assert isinstance(walker, Walker)
    walking.ask(speak(2, "wait"))
    assert isinstance(walking.hear(), Chunk)
    walking.ask(ToDevice(3, Device("cuda:0")), speak(4, "hello"), Ping(5))
    assert walking.hear() == Pong(5)
    assert walker.moved_to == []
    walker.go_on.set()
    heard = [walking.hear() for _ in range(3)]
    assert [type(message) for message in heard] == [Chunk, Done, Done]
    assert heard[1:] == [Done(2), Done(3)]
    assert walker.moved_to == ["cuda:0"]
    assert speaks(walking)


@pytest.mark.parametrize(
    ("device", "code"), [("cuda:1", "oom"), ("cuda:2", "oom"), ("cuda:3", "incompatible")]
)
def test_move_when_the_engine_fails_then_typed_and_it_speaks_on(
    walking: Service, device: str, code: str
) -> None:
    walking.ask(ToDevice(2, Device(device)), speak(3, "hello"))
    failed = walking.hear()
    assert isinstance(failed, Failed)
    assert (failed.id, failed.code) == (2, code)
    assert speaks(walking)


def test_move_when_the_engine_cannot_then_incompatible_and_it_speaks_on(loaded: Service) -> None:
    loaded.ask(ToDevice(2, Device("cuda:0")), speak(3, "hello"))
    failed = loaded.hear()
    assert isinstance(failed, Failed)
    assert (failed.id, failed.code, failed.context) == (2, "incompatible", {"device": "cuda:0"})
    assert "load it for the other device" in failed.hint
    assert speaks(loaded)


def test_move_before_load_then_failed(service: Service) -> None:
    service.ask(ToDevice(1, CPU))
    assert isinstance(service.hear(), Hello)
    assert isinstance(service.hear(), Failed)


def test_unload_closes_the_engine_and_leaves_with_zero(loaded: Service) -> None:
    loaded.ask(Unload())
    assert loaded.wait_exit() == 0
    assert PUPPETS[0].closed


def test_end_of_the_service_while_the_engine_works_then_the_worker_leaves(loaded: Service) -> None:
    loaded.ask(speak(2, "wait"))
    assert isinstance(loaded.hear(), Chunk)
    loaded.to_worker.close()
    assert loaded.wait_exit() == EXIT_ORPHANED
    # Here the other thread lives on; it must have written its last before the fixture closes the pipe.
    PUPPETS[0].go_on.set()
    assert [type(loaded.hear()) for _ in range(2)] == [Chunk, Done]


@pytest.mark.parametrize("raw", [b"nonsense, not a frame", encode(Done(1))])
def test_what_is_not_for_a_worker_then_it_leaves_with_its_own_code(service: Service, raw: bytes) -> None:
    service.to_worker.write(raw)
    service.to_worker.flush()
    assert service.wait_exit() == EXIT_BAD_FRAME
