"""One connection against a real server in another process."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from alltalk_plugin.domain.cancel import CancelSource
from alltalk_plugin.domain.errors import Cancelled
from alltalk_plugin.engines.remote.access import Never
from alltalk_plugin.engines.remote.line import Broken, Call, Head, Late, Line
from alltalk_plugin.engines.remote.options import endpoint_of
from tests.engines.remote.running import SpeechServer
from tests.fakes.waiting import until

PROMPT_S = 0.3
"""A cancelled wait is to end within this; the stop sign is looked at every 0.05 s."""
LONG_S = 20.0


@pytest.fixture
def line(server: SpeechServer) -> Iterator[Line]:
    made = Line(endpoint_of(server.url), connect_s=5.0)
    yield made
    made.close()


def call(model: str, text: str = "hello there") -> Call:
    fields = {"model": model, "input": text, "response_format": "wav"}
    return Call("POST", "/v1/audio/speech", {"Content-Type": "application/json"}, json.dumps(fields).encode())


def ask(line: Line, model: str, *, first_s: float = 5.0, gap_s: float = 5.0) -> tuple[Head, bytes]:
    until_s = time.monotonic() + first_s
    with line.ask(call(model), Never(), until_s) as answer:
        return answer.head, b"".join(answer.parts(until_s, gap_s))


@pytest.mark.parametrize(("model", "framed"), [("fine", True), ("sized", True), ("until-close", False)])
def test_answer_when_framed_in_any_way_then_whole(line: Line, model: str, framed: bool) -> None:
    head, body = ask(line, model)
    assert (head.status, head.framed, head.content_type) == (200, framed, "audio/wav")
    assert body.startswith(b"RIFF")
    assert len(body) > 20_000


def test_connection_when_the_answer_was_whole_then_used_again(server: SpeechServer, line: Line) -> None:
    before = server.connections
    for _ in range(3):
        ask(line, "fine")
    assert server.connections - before == 1 + 1  # ours, and the question


def test_connection_when_the_server_closed_it_meanwhile_then_a_new_one_unnoticed(
    server: SpeechServer, line: Line
) -> None:
    ask(line, "fine")
    kept, used = line.take()
    assert used
    kept.sock.shutdown(socket.SHUT_RDWR)  # what the end of the server's patience looks like from here
    line.keep(kept)
    _, body = ask(line, "fine")
    assert len(body) > 20_000
    assert len(server.requests) == 2


@pytest.mark.alone
@pytest.mark.parametrize("model", ["stall", "stall-body", "stall-late"])
def test_wait_when_cancelled_then_it_ends_at_once_and_so_does_its_thread(line: Line, model: str) -> None:
    cancel = CancelSource()
    timer = threading.Timer(0.1, cancel.cancel)
    begun = time.monotonic()
    timer.start()
    with pytest.raises(Cancelled), line.ask(call(model), cancel, begun + LONG_S) as answer:
        for _ in answer.parts(begun + LONG_S, LONG_S):
            pass
    assert time.monotonic() - begun < 0.1 + PROMPT_S
    until(lambda: "remote-answer" not in {thread.name for thread in threading.enumerate()})


@pytest.mark.parametrize("model", ["stall", "stall-body"])
def test_answer_when_none_comes_in_time_then_late(line: Line, model: str) -> None:
    with pytest.raises(Late) as caught:
        ask(line, model, first_s=0.15)
    assert caught.value.connected


def test_answer_when_it_pauses_too_long_then_late(line: Line) -> None:
    with pytest.raises(Late):
        ask(line, "stall-late", gap_s=0.15)


@pytest.mark.parametrize(("model", "begun"), [("drop", False), ("drop-late", True)])
def test_answer_when_the_server_leaves_then_broken(line: Line, model: str, begun: bool) -> None:
    with pytest.raises(Broken) as caught:
        ask(line, model)
    assert caught.value.begun is begun


def test_connection_when_nobody_listens_then_broken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(Broken) as caught:
        ask(Line(endpoint_of(f"http://127.0.0.1:{port}"), connect_s=5.0), "fine")
    assert isinstance(caught.value.error, ConnectionRefusedError)


@pytest.mark.alone
def test_connection_when_nobody_takes_it_then_late() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        line = Line(endpoint_of(f"http://127.0.0.1:{full.getsockname()[1]}"), connect_s=0.2)
        begun = time.monotonic()
        with pytest.raises((Late, Broken)) as caught:
            ask(line, "fine")
        assert time.monotonic() - begun < 0.2 + PROMPT_S
        for one in waiting:
            one.close()
    match caught.value:  # both clocks run: the socket's and ours
        case Broken(error=error):
            assert isinstance(error, TimeoutError)
        case Late(connected=connected):
            assert not connected


def test_document_when_it_is_longer_than_wanted_then_cut(line: Line) -> None:
    until_s = time.monotonic() + 5.0
    with line.ask(call("endless"), Never(), until_s) as answer:
        assert 100_000 <= len(answer.beginning(until_s, 100_000)) < 300_000


def test_reader_when_its_consumer_is_slow_then_it_holds_a_bounded_part(line: Line) -> None:
    until_s = time.monotonic() + 5.0
    with line.ask(call("endless"), Never(), until_s) as answer:
        parts = answer.parts(until_s, 5.0)
        next(parts)
        until(answer._exchange.events.full)
        assert answer._exchange.events.qsize() == 16
