"""Growing and stored audio, over the app and over a real socket."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator

import httpx
import pytest

from alltalk_plugin.domain.errors import SynthesisFailed, WorkerCrashed
from alltalk_plugin.domain.speech import Reply
from tests.fakes.runtime import FakeRuntime, Speaking
from tests.http.clients import AppClient, Running

SECOND = 32_000  # bytes of the fake store: 16 000 samples of two bytes


def begin(runtime: FakeRuntime) -> Speaking:
    runtime.speech.begin(Reply(text="Hello."))
    return runtime.speech.begun[-1]


def spoken(runtime: FakeRuntime) -> Speaking:
    speaking = begin(runtime)
    speaking.feed()
    speaking.finish()
    return speaking


def url(speaking: Speaking) -> str:
    return f"/api/v1/audio/{speaking.job.audio_id}"


# --- complete ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        (None, 200, slice(0, SECOND)),
        ("bytes=0-", 206, slice(0, SECOND)),
        ("bytes=10-19", 206, slice(10, 20)),
        ("bytes=31990-99999", 206, slice(31_990, SECOND)),
        ("bytes=-5", 206, slice(SECOND - 5, SECOND)),
        ("bytes=0-1,4-5", 200, slice(0, SECOND)),
        ("bytes=9-3", 200, slice(0, SECOND)),
        ("lines=1-2", 200, slice(0, SECOND)),
    ],
)
def test_audio_when_complete_is_served_whole_or_by_range(
    runtime: FakeRuntime, client: AppClient, *, asked: str | None, status: int, part: slice
) -> None:
    speaking = spoken(runtime)
    whole = speaking.writer.stream.encoded

    answer = client.get(url(speaking), headers={"Range": asked} if asked else {})

    content_range = f"bytes {part.start}-{part.stop - 1}/32000" if status == 206 else None
    assert answer.status_code == status
    assert answer.content == whole[part]
    assert answer.headers["content-length"] == str(len(whole[part]))
    assert answer.headers.get("content-range") == content_range
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-type"] == speaking.writer.stream.media_type


@pytest.mark.parametrize("asked", ["bytes=32000-", "bytes=32000-32001", "bytes=-0"])
def test_audio_when_the_range_lies_outside_is_416_with_the_size(
    runtime: FakeRuntime, client: AppClient, asked: str
) -> None:
    answer = client.get(url(spoken(runtime)), headers={"Range": asked})

    assert (answer.status_code, answer.headers["content-range"]) == (416, "bytes */32000")


def test_audio_when_the_client_has_it_is_not_sent_again(runtime: FakeRuntime, client: AppClient) -> None:
    speaking = spoken(runtime)
    etag = client.get(url(speaking)).headers["etag"]

    assert client.get(url(speaking), headers={"If-None-Match": f'"x", W/{etag}'}).status_code == 304
    assert client.get(url(speaking), headers={"If-None-Match": '"x"'}).status_code == 200


def test_audio_when_if_range_names_something_else_is_sent_whole(
    runtime: FakeRuntime, client: AppClient
) -> None:
    speaking = spoken(runtime)
    etag = client.get(url(speaking)).headers["etag"]

    for named, status in ((etag, 206), ('"x"', 200)):
        answer = client.get(url(speaking), headers={"If-Range": named, "Range": "bytes=0-9"})
        assert answer.status_code == status


def test_head_when_complete_has_the_headers_of_get_and_no_body(
    runtime: FakeRuntime, client: AppClient
) -> None:
    speaking = spoken(runtime)

    head, get = client.head(url(speaking)), client.get(url(speaking))

    assert head.content == b""
    for name in ("content-length", "etag", "accept-ranges", "content-type"):
        assert head.headers[name] == get.headers[name]


def test_audio_when_unknown_is_404_with_its_code(client: AppClient) -> None:
    answer = client.get("/api/v1/audio/no-such")

    assert (answer.status_code, answer.json()["code"]) == (404, "audio_not_found")


def test_audio_when_the_producer_failed_before_any_byte_has_the_errors_status(
    runtime: FakeRuntime, client: AppClient
) -> None:
    speaking = begin(runtime)
    speaking.fail(SynthesisFailed("no"))

    answer = client.get(url(speaking))

    assert (answer.status_code, answer.json()["code"]) == (500, "synthesis_failed")


@pytest.mark.parametrize("asked", ["", "bytes=5-9"])
def test_audio_when_the_producer_fails_while_the_first_byte_is_awaited_has_the_errors_status(
    running: Running, asked: str
) -> None:
    speaking = begin(running.runtime)
    producer = threading.Thread(target=_fail_when_read, args=(speaking,))
    producer.start()

    answer = running.http.get(url(speaking), headers={"Range": asked})
    producer.join()

    assert (answer.status_code, answer.json()["code"]) == (503, "crash")
    assert speaking.writer.stream.readers == 0


def test_audio_when_the_producer_failed_later_is_what_was_spoken(
    runtime: FakeRuntime, client: AppClient
) -> None:
    speaking = begin(runtime)
    speaking.feed()
    speaking.fail(WorkerCrashed("died"))

    answer = client.get(url(speaking))

    assert (answer.status_code, len(answer.content)) == (200, SECOND)


# --- growing -----------------------------------------------------------------------------------------


def test_head_when_growing_has_no_length(runtime: FakeRuntime, client: AppClient) -> None:
    speaking = begin(runtime)

    answer = client.head(url(speaking))

    assert answer.status_code == 200
    assert "content-length" not in answer.headers
    assert "etag" not in answer.headers


@pytest.mark.parametrize("asked", [None, "bytes=0-", "bytes=500-", "bytes=-500"])
def test_audio_when_growing_and_asked_openly_is_200_in_chunks_from_the_start(
    running: Running, asked: str | None
) -> None:
    speaking = begin(running.runtime)
    speaking.feed()
    headers = {"Range": asked} if asked else {}
    with running.http.stream("GET", url(speaking), headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["transfer-encoding"] == "chunked"
        assert "content-length" not in answer.headers
        assert "content-range" not in answer.headers
        blocks = answer.iter_bytes()
        taken = next(blocks)
        speaking.feed()
        speaking.finish()
        taken += b"".join(blocks)

    assert taken == speaking.writer.stream.encoded


@pytest.mark.parametrize(
    ("asked", "content_range", "part"),
    [
        ("bytes=0-1", "bytes 0-1/*", slice(0, 2)),
        ("bytes=10-99999999", "bytes 10-31999/*", slice(10, SECOND)),
        ("bytes=31999-40000", "bytes 31999-31999/*", slice(SECOND - 1, SECOND)),
    ],
)
def test_audio_when_growing_and_asked_for_a_closed_range_is_206_of_what_there_is(
    running: Running, asked: str, content_range: str, part: slice
) -> None:
    speaking = begin(running.runtime)
    speaking.feed()

    answer = running.http.get(url(speaking), headers={"Range": asked})

    assert answer.status_code == 206
    assert answer.headers["content-range"] == content_range
    assert answer.content == speaking.writer.stream.encoded[part]


def test_audio_when_growing_and_the_range_depends_on_an_older_state_is_sent_whole(running: Running) -> None:
    speaking = begin(running.runtime)
    speaking.feed()
    headers = {"Range": "bytes=0-9", "If-Range": '"older"'}
    with running.http.stream("GET", url(speaking), headers=headers) as answer:
        assert answer.status_code == 200
        speaking.finish()
        assert b"".join(answer.iter_bytes()) == speaking.writer.stream.encoded


def test_audio_when_the_range_is_still_to_be_spoken_waits_for_its_first_byte(running: Running) -> None:
    speaking = begin(running.runtime)
    speaking.feed()
    producer = threading.Thread(target=_feed_when_read, args=(speaking,))
    producer.start()

    answer = running.http.get(url(speaking), headers={"Range": "bytes=32010-32019"})
    producer.join()

    assert answer.status_code == 206
    assert answer.headers["content-range"] == "bytes 32010-32019/*"
    assert answer.content == speaking.writer.stream.encoded[32_010:32_020]


def test_audio_when_it_ends_before_the_range_is_416(running: Running) -> None:
    speaking = begin(running.runtime)
    speaking.feed()
    producer = threading.Thread(target=_finish_when_read, args=(speaking,))
    producer.start()

    answer = running.http.get(url(speaking), headers={"Range": "bytes=99999-100000"})
    producer.join()

    assert (answer.status_code, answer.headers["content-range"]) == (416, "bytes */32000")


def test_audio_when_the_producer_fails_midway_breaks_off_without_a_proper_end(running: Running) -> None:
    speaking = begin(running.runtime)
    speaking.feed()
    with running.http.stream("GET", url(speaking)) as answer:
        blocks = answer.iter_bytes()
        assert next(blocks)
        speaking.fail(WorkerCrashed("died"))
        with pytest.raises(httpx.RemoteProtocolError):
            list(blocks)


def test_audio_when_45_listen_at_once_reaches_all_of_them_with_few_threads(running: Running) -> None:
    speaking = begin(running.runtime)
    speaking.feed()
    limits = httpx.Limits(max_connections=50)
    with httpx.Client(base_url=running.http.base_url, limits=limits, timeout=20) as client:
        answers = [client.send(client.build_request("GET", url(speaking)), stream=True) for _ in range(45)]
        streams = [answer.iter_bytes() for answer in answers]
        firsts = [next(stream) for stream in streams]
        threads = sum(thread.name.startswith("AnyIO") for thread in threading.enumerate())
        speaking.feed()
        speaking.finish()
        wholes = [first + b"".join(stream) for first, stream in zip(firsts, streams, strict=True)]
        for answer in answers:
            answer.close()

    assert set(wholes) == {speaking.writer.stream.encoded}
    assert threads <= 16


# --- listeners that go -------------------------------------------------------------------------------


@pytest.mark.alone
@pytest.mark.slow
def test_listening_when_the_last_one_has_been_gone_two_seconds_stops_the_work(running: Running) -> None:
    speaking = begin(running.runtime)
    speaking.feed()
    one = _listener(running, speaking)
    two = _listener(running, speaking)
    next(one)
    next(two)
    one.close()
    assert not speaking.job.cancel_source.wait(2.5), "somebody still listens"
    gone_at = time.monotonic()
    two.close()
    assert speaking.job.cancel_source.wait(5)
    assert 1.9 < time.monotonic() - gone_at < 3.0


@pytest.mark.slow
def test_listening_when_the_only_one_goes_before_the_first_byte_stops_the_work_too(running: Running) -> None:
    speaking = begin(running.runtime)
    with pytest.raises(httpx.ReadTimeout):
        running.http.get(url(speaking), timeout=httpx.Timeout(5, read=0.1))

    assert speaking.opened.is_set()
    assert speaking.job.cancel_source.wait(5)
    assert speaking.writer.stream.readers == 0


@pytest.mark.slow
def test_listening_when_it_is_taken_up_again_in_time_goes_on(running: Running) -> None:
    speaking = begin(running.runtime)
    speaking.feed()
    one = _listener(running, speaking)
    next(one)
    one.close()
    again = _listener(running, speaking)
    next(again)
    assert not speaking.job.cancel_source.wait(2.5)
    again.close()


@pytest.mark.alone
def test_speak_when_the_caller_goes_is_cancelled_within_100_ms(running: Running) -> None:
    running.runtime.speech.script = Speaking.feed
    with running.http.stream("POST", "/api/v1/speak", json={"text": "Hello.", "stream": True}) as answer:
        assert answer.status_code == 200
        next(answer.iter_raw())
        gone_at = time.monotonic()
    speaking = running.runtime.speech.begun[-1]
    assert speaking.job.cancel_source.wait(5)
    assert time.monotonic() - gone_at < 0.1


def test_speak_when_the_caller_has_heard_it_all_is_not_cancelled_at_the_last_moment(running: Running) -> None:
    def all_but_the_result(speaking: Speaking) -> None:
        speaking.feed()
        speaking.writer.finish()

    running.runtime.speech.script = all_but_the_result
    answer = running.http.post("/api/v1/speak", json={"text": "Hello.", "stream": True})
    speaking = running.runtime.speech.begun[-1]

    assert answer.content == speaking.writer.stream.encoded
    assert not speaking.job.cancel_source.wait(0.3)


def test_speak_when_the_caller_goes_before_any_audio_is_cancelled(running: Running) -> None:
    begun = threading.Event()
    running.runtime.speech.script = lambda _speaking: begun.set()

    def ask() -> None:
        with pytest.raises(httpx.ReadTimeout):
            running.http.post("/api/v1/speak", json={"text": "Hello."}, timeout=httpx.Timeout(5, read=0.2))

    asking = threading.Thread(target=ask)
    asking.start()
    assert begun.wait(5)
    speaking = running.runtime.speech.begun[-1]
    assert speaking.job.cancel_source.wait(5)
    asking.join()


def _listener(running: Running, speaking: Speaking) -> Generator[bytes, None, None]:
    with running.http.stream("GET", url(speaking)) as answer:
        yield from answer.iter_raw()


def _feed_when_read(speaking: Speaking) -> None:
    assert speaking.opened.wait(5)
    speaking.feed()


def _finish_when_read(speaking: Speaking) -> None:
    assert speaking.opened.wait(5)
    speaking.finish()


def _fail_when_read(speaking: Speaking) -> None:
    assert speaking.opened.wait(5)
    speaking.fail(WorkerCrashed("died"))
