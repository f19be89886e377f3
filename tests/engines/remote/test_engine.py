"""The engine: which answers are asked for again, when a server is left alone, and what is sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import numpy as np
import pytest

from alltalk_plugin.domain.audio import AudioChunk
from alltalk_plugin.domain.cancel import CancelSource
from alltalk_plugin.domain.engines import Cancellable, SynthesisRequest
from alltalk_plugin.domain.errors import (
    AlltalkError,
    LanguageUnsupported,
    RemoteBusy,
    RemoteError,
    RemoteUnavailable,
)
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.models import OptionValue
from alltalk_plugin.engines.remote.engine import Machine, RemoteEngine, sendable
from alltalk_plugin.engines.remote.line import Answer, Broken, Call, Head, Late
from alltalk_plugin.engines.remote.options import read_options
from alltalk_plugin.workers.supervisor import CHUNK_TIMEOUT_S
from tests.fakes.clock import FakeClock

PCM = (np.sin(np.arange(4_800) / 20) * 9_000).astype("<i2").tobytes()
FINE = Head(200, {"content-type": "audio/pcm"}, framed=True)
HELLO = SynthesisRequest(text="Hello there.")


@dataclass
class Script(Answer):
    """An answer that is known beforehand; among its parts, exceptions are raised and functions called."""

    head: Head
    body: Sequence[bytes | Exception | Callable[[], None]] = (PCM,)
    got_bytes: int = 0

    def parts(self, first_by_s: float, between_s: float) -> Iterator[bytes]:
        for part in self.body:
            if isinstance(part, Exception):
                raise part
            if not isinstance(part, bytes):
                part()
                continue
            self.got_bytes += len(part)
            yield part

    def beginning(self, until_s: float, most_bytes: int) -> bytes:
        return b"".join(part for part in self.body if isinstance(part, bytes))


@dataclass
class FakeServer:
    """Answers with the next of `answers`, the last one for ever."""

    answers: list[Script | Exception]
    calls: list[Call] = field(default_factory=list)
    left: int = 0
    closed: bool = False

    @contextmanager
    def ask(self, call: Call, cancel: Cancellable, until_s: float) -> Iterator[Answer]:
        self.calls.append(call)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        try:
            yield answer
        finally:
            self.left += 1

    def close(self) -> None:
        self.closed = True


class Bench:
    """An engine whose server, clock and luck are the test's."""

    def __init__(self, *answers: Script | Exception, key: str = "", **options: OptionValue) -> None:
        self.clock = FakeClock()
        self.rests: list[float] = []
        self.server = FakeServer(list(answers))
        given: dict[str, OptionValue] = {"base_url": "http://host", "format": "pcm", **options}
        machine = Machine(
            self.clock.monotonic, self.rest, lambda: 1.0, lambda: datetime(2026, 1, 1, tzinfo=UTC)
        )
        self.engine = RemoteEngine(read_options(given), self.server, key, machine)

    def rest(self, seconds: float, cancel: Cancellable) -> bool:
        self.rests.append(seconds)
        self.clock.advance(seconds)
        return not cancel.cancelled

    def say(self, request: SynthesisRequest = HELLO) -> list[AudioChunk]:
        return list(self.engine.synthesize(request, CancelSource()))

    def error(self) -> AlltalkError:
        with pytest.raises(AlltalkError) as caught:
            self.say()
        return caught.value


def status(code: int, **headers: str) -> Script:
    return Script(
        Head(code, {name.replace("_", "-"): value for name, value in headers.items()}, True), (b"{}",)
    )


REFUSED = Broken(ConnectionRefusedError(111, "refused"), begun=False)


# --- asking again ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "first", [status(429), status(500), status(503), REFUSED, Broken(EOFError(), begun=True)]
)
def test_request_when_it_failed_before_any_audio_then_sent_again(first: Script | Exception) -> None:
    bench = Bench(first, Script(FINE))
    assert len(bench.say()) == 1
    assert len(bench.server.calls) == 2
    assert bench.rests == [0.25]


@pytest.mark.parametrize("first", [status(400), status(401), status(404), status(307), Late(connected=True)])
def test_request_when_it_would_fail_again_then_not_sent_again(first: Script | Exception) -> None:
    bench = Bench(first, Script(FINE))
    bench.error()
    assert len(bench.server.calls) == 1


@pytest.mark.parametrize(("retries", "rests"), [(0, []), (1, [0.25]), (6, [0.25, 0.5, 1.0, 2.0, 4.0, 4.0])])
def test_pauses_when_it_keeps_failing_then_they_double_up_to_a_limit(
    retries: int, rests: list[float]
) -> None:
    bench = Bench(status(500), retries=retries)
    assert type(bench.error()) is RemoteError
    assert bench.rests == rests


def test_pauses_when_luck_is_low_then_shorter() -> None:
    bench = Bench(status(500), Script(FINE))
    bench.engine._machine = replace(bench.engine._machine, share=lambda: 0.1)
    bench.say()
    assert bench.rests == [pytest.approx(0.025)]


def test_pause_when_the_server_names_one_then_at_least_that() -> None:
    bench = Bench(status(429, retry_after="3"), Script(FINE))
    bench.say()
    assert bench.rests == [3.0]


def test_pause_when_it_would_outlast_the_time_for_first_audio_then_the_error_at_once() -> None:
    bench = Bench(status(429, retry_after="40"), Script(FINE), first_byte_s=30.0)
    error = bench.error()
    assert isinstance(error, RemoteBusy)
    assert error.context["retry_after_s"] == 40.0
    assert bench.rests == []


def test_request_when_audio_was_passed_on_then_never_sent_again() -> None:
    bench = Bench(Script(FINE, (PCM, Broken(ConnectionResetError(), begun=True))))
    stream = bench.engine.synthesize(HELLO, CancelSource())
    assert len(next(stream).samples) == 4_800
    with pytest.raises(RemoteError, match="broke off after 9600 bytes"):
        next(stream)
    assert len(bench.server.calls) == 1


def test_request_when_cancelled_between_attempts_then_it_ends_without_an_error() -> None:
    bench = Bench(status(500))
    cancel = CancelSource()
    bench.engine._machine = replace(bench.engine._machine, rest=lambda _seconds, _cancel: False)
    assert list(bench.engine.synthesize(HELLO, cancel)) == []
    assert bench.engine._breaker.state == "closed"


def test_consumer_when_it_leaves_then_the_answer_is_left_too_and_nothing_is_counted() -> None:
    bench = Bench(Script(FINE, (PCM,) * 50), open_after=1)
    stream = bench.engine.synthesize(HELLO, CancelSource())
    next(stream)
    stream.close()  # type: ignore[attr-defined]  # the port promises an iterator; ours is a generator
    assert bench.server.left == 1
    assert len(bench.say()) > 1


# --- leaving it alone ------------------------------------------------------------------------------------


def test_server_when_it_failed_often_then_not_asked_and_the_error_says_until_when() -> None:
    bench = Bench(REFUSED, retries=0, open_after=2, open_s=10.0)
    assert [type(bench.error()), type(bench.error())] == [RemoteUnavailable, RemoteUnavailable]
    error = bench.error()
    assert type(error) is RemoteUnavailable
    assert error.context["retry_after_s"] == 10.0
    assert len(bench.server.calls) == 2


def test_server_when_it_was_left_alone_then_one_request_tries_it_and_closes_the_breaker() -> None:
    bench = Bench(REFUSED, REFUSED, Script(FINE), retries=0, open_after=1)
    bench.error()
    bench.clock.advance(10.0)
    bench.error()
    bench.clock.advance(19.0)
    assert "left alone" in bench.error().message
    bench.clock.advance(1.0)
    assert bench.say()
    assert bench.say()


def test_server_when_it_asks_for_a_long_pause_then_left_alone_from_the_first_time() -> None:
    bench = Bench(status(429, retry_after="40"), Script(FINE))
    bench.error()
    assert "left alone for 40 s" in bench.error().message
    bench.clock.advance(40.0)
    assert bench.say()


@pytest.mark.parametrize("answer", [status(400), status(404)])
def test_server_when_it_does_not_want_a_request_then_it_lives(answer: Script) -> None:
    bench = Bench(answer, open_after=1)
    for _ in range(3):
        assert not isinstance(bench.error(), RemoteError)
    assert len(bench.server.calls) == 3


# --- what is sent ----------------------------------------------------------------------------------------


def sent(
    request: SynthesisRequest = HELLO, key: str = "", **options: OptionValue
) -> tuple[Call, dict[str, object]]:
    bench = Bench(Script(FINE), key=key, **options)
    bench.say(request)
    call = bench.server.calls[0]
    return call, json.loads(call.body or b"")


def test_request_when_plain_then_the_fields_every_server_knows() -> None:
    call, fields = sent()
    assert (call.method, call.path) == ("POST", "/v1/audio/speech")
    assert fields == {"model": "tts-1", "input": "Hello there.", "voice": "alloy", "response_format": "pcm"}
    assert "Authorization" not in call.headers


def test_request_when_everything_is_asked_for_then_sent() -> None:
    request = SynthesisRequest(text="Hallo.", language=LanguageTag("de"), speaker="storm", rate=1.25)
    _, fields = sent(request, model="kokoro", language_field="lang", extra='{"seed": 7, "model": "k2"}')
    assert fields == {
        "model": "k2",
        "input": "Hallo.",
        "voice": "storm",
        "response_format": "pcm",
        "speed": 1.25,
        "lang": "de",
        "seed": 7,
    }


def test_request_when_names_are_empty_then_not_sent() -> None:
    _, fields = sent(model="", voice="")
    assert fields.keys() == {"input", "response_format"}


@pytest.mark.parametrize(
    ("rate", "speed"), [(0.1, 0.25), (0.5, 0.5), (1.0, None), (1.0 / 3, 0.333), (9.0, 4.0)]
)
def test_rate_when_sent_then_within_what_the_api_allows(rate: float, speed: float | None) -> None:
    assert sent(replace(HELLO, rate=rate))[1].get("speed") == speed


def test_key_when_there_is_one_then_sent_as_bearer() -> None:
    assert sent(key="abc")[0].headers["Authorization"] == "Bearer abc"


@pytest.mark.parametrize(
    ("text", "clean"),
    [("a\0b", "a b"), ("a\ud800b", "ab"), ("a\n\tb", "a  b"), ("aé你😀", "aé你😀"), ("\x7f", " ")],
)
def test_text_when_it_holds_what_servers_choke_on_then_taken_out(text: str, clean: str) -> None:
    assert sendable(text) == clean


def test_text_when_there_is_nothing_to_say_then_nobody_is_asked() -> None:
    bench = Bench(Script(FINE))
    assert bench.say(SynthesisRequest(text="…!? 😀")) == []
    assert bench.server.calls == []


def test_language_when_the_option_leaves_it_out_then_unsupported_without_asking() -> None:
    bench = Bench(Script(FINE), languages="en de")
    with pytest.raises(LanguageUnsupported):
        bench.say(replace(HELLO, language=LanguageTag("fr")))
    assert bench.server.calls == []
    assert bench.say(replace(HELLO, language=LanguageTag("de-AT")))


def test_rate_of_raw_audio_when_the_answer_names_it_then_that() -> None:
    head = Head(200, {"content-type": "audio/pcm;rate=22050"}, framed=True)
    assert {chunk.sample_rate_hz for chunk in Bench(Script(head)).say()} == {22_050}


@pytest.mark.parametrize("part", [b"OggS" * 10, PCM[:100]])
def test_answer_when_it_trickles_then_given_up_before_the_worker_would_be_ended(part: bytes) -> None:
    bench = Bench(REFUSED, retries=0)
    trickle = [step for _ in range(10) for step in (part, lambda: bench.clock.advance(10.0))]
    bench.server.answers = [Script(FINE, trickle)]
    heard: list[AudioChunk] = []
    with pytest.raises(RemoteError, match="is too slow"):
        heard.extend(bench.engine.synthesize(HELLO, CancelSource()))
    assert bench.clock.monotonic() - 1_000.0 <= CHUNK_TIMEOUT_S


def test_listener_when_slow_then_no_fault_of_the_server() -> None:
    bench = Bench(Script(FINE, (PCM,) * 10))
    for _ in bench.engine.synthesize(HELLO, CancelSource()):
        bench.clock.advance(100.0)


def test_answer_when_compressed_unasked_then_not_taken_for_sound() -> None:
    head = Head(200, {"content-type": "audio/pcm", "content-encoding": "gzip"}, framed=True)
    assert type(Bench(Script(head)).error()) is RemoteError


def test_close_then_the_connection_is_closed() -> None:
    bench = Bench(Script(FINE))
    bench.engine.close()
    assert bench.server.closed
