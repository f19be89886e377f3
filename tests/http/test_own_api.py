from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from alltalk_plugin.domain.errors import (
    AlltalkError,
    DeadlineExceeded,
    LanguageUnsupported,
    NothingToSay,
    TooManyReplies,
    VoiceNotFound,
    WorkerCrashed,
)
from alltalk_plugin.domain.speech import Reply
from alltalk_plugin.http.own_api import spoken_headers
from tests.fakes.runtime import FakeRuntime, Speaking
from tests.http.clients import AppClient, Running

SPEAK = "/api/v1/speak"


def speak_at_once(speaking: Speaking) -> None:
    speaking.feed()
    speaking.finish()


@pytest.mark.parametrize("stream", [True, False])
def test_speak_when_it_works_gives_the_audio_and_says_who_spoke(
    runtime: FakeRuntime, client: AppClient, stream: bool
) -> None:
    runtime.speech.script = speak_at_once

    answer = client.post(SPEAK, {"text": "Hello.", "stream": stream, "format": "flac"})

    speaking = runtime.speech.begun[0]
    assert answer.status_code == 200
    assert answer.content == speaking.writer.stream.encoded
    assert ("content-length" in answer.headers) is not stream
    assert answer.headers["x-audio-id"] == speaking.job.audio_id
    assert answer.headers["x-audio-format"] == "flac"
    assert answer.headers["x-voice"] == "Zo%C3%AB%2C the elder"
    assert answer.headers["x-model"] == "espeak"
    assert answer.headers["x-model-revision"] == "r1"
    assert answer.headers["x-fallback"] == "Bea has no voice"
    assert answer.headers["x-request-id"]
    assert not speaking.job.cancel_source.cancelled


def test_speak_passes_on_everything_that_is_known_of_the_reply(
    runtime: FakeRuntime, client: AppClient
) -> None:
    runtime.speech.script = speak_at_once
    client.post(
        SPEAK,
        {
            "text": "Hello.",
            "character": "Ann",
            "user_name": "Me",
            "roster": ["Ann", "Bea"],
            "chat_id": "c",
            "message_id": "m",
            "voice": "v",
            "language": "EN_us",
            "default_language": "de",
            "languages": ["de", "en"],
        },
    )

    reply = runtime.speech.begun[0].reply
    assert (reply.text, reply.character, reply.message_id, reply.voice) == ("Hello.", "Ann", "m", "v")
    assert (reply.language, reply.default_language, reply.languages) == ("en-US", "de", ("de", "en"))
    assert (reply.chat.id, reply.chat.roster, reply.chat.user_name) == ("c", ("Ann", "Bea"), "Me")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NothingToSay("nothing"), 422),
        (VoiceNotFound("no voice"), 404),
        (TooManyReplies("busy"), 429),
    ],
)
def test_speak_when_it_cannot_begin_has_the_errors_status(
    runtime: FakeRuntime, client: AppClient, error: AlltalkError, status: int
) -> None:
    runtime.speech.fail_begin = error

    answer = client.post(SPEAK, {"text": "Hello.", "stream": True})

    assert (answer.status_code, answer.json()["code"]) == (status, error.code)


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("error", "status"), [(WorkerCrashed("died"), 503), (DeadlineExceeded("the reply took too long"), 504)]
)
def test_speak_when_it_fails_before_any_audio_has_the_errors_status(
    runtime: FakeRuntime, client: AppClient, *, error: AlltalkError, status: int, stream: bool
) -> None:
    runtime.speech.script = lambda speaking: speaking.fail(error)

    answer = client.post(SPEAK, {"text": "Hello.", "stream": stream})

    assert (answer.status_code, answer.json()["code"]) == (status, error.code)


def test_speak_when_every_segment_was_skipped_has_the_first_ones_error(
    runtime: FakeRuntime, client: AppClient
) -> None:
    runtime.speech.script = lambda speaking: speaking.finish_silent(LanguageUnsupported("no Klingon"))

    answer = client.post(SPEAK, {"text": "Qapla'.", "stream": True})

    assert (answer.status_code, answer.json()["code"]) == (422, "language_unsupported")
    assert answer.json()["detail"] == "no Klingon"


def test_speak_when_it_fails_midway_and_the_whole_was_wanted_is_an_error(
    runtime: FakeRuntime, client: AppClient
) -> None:
    def break_off(speaking: Speaking) -> None:
        speaking.feed()
        speaking.fail(WorkerCrashed("died"))

    runtime.speech.script = break_off

    assert client.post(SPEAK, {"text": "Hello."}).status_code == 503


def test_speak_when_streamed_sends_the_first_audio_before_the_rest_exists(running: Running) -> None:
    running.runtime.speech.script = Speaking.feed
    with running.http.stream("POST", SPEAK, json={"text": "Hello.", "stream": True}) as answer:
        blocks = answer.iter_bytes()
        taken = next(blocks)
        speaking = running.runtime.speech.begun[0]
        assert not speaking.job.done
        speaking.feed()
        speaking.finish()
        taken += b"".join(blocks)

    assert taken == speaking.writer.stream.encoded


def test_reply_while_it_is_spoken_shows_how_far_it_is(runtime: FakeRuntime, client: AppClient) -> None:
    runtime.speech.script = Speaking.feed
    begun = client.post("/api/v1/hosts/plain/output", {"text": "Hello."}).json()
    audio_id = begun["audio_url"].rpartition("/")[2]

    view = client.get(f"/api/v1/replies/{audio_id}").json()

    assert (view["id"], view["done"], view["clips"], view["error"]) == (audio_id, False, [], None)
    assert (view["notes"], view["audio_url"]) == (["a note"], begun["audio_url"])


def test_reply_when_done_shows_clips_with_timing_voice_and_model(
    runtime: FakeRuntime, client: AppClient
) -> None:
    runtime.speech.script = speak_at_once
    audio_id = client.post(SPEAK, {"text": "Hello."}).headers["x-audio-id"]

    view = client.get(f"/api/v1/replies/{audio_id}").json()

    assert view["done"]
    assert view["clips"] == [
        {
            "role": "character",
            "speaker": "Ann",
            "text": "Hello.",
            "span": [0, 6],
            "language": None,
            "confidence": None,
            "inherited": False,
            "voice": "Zoë, the elder",
            "engine": "espeak",
            "model": "espeak",
            "revision": "r1",
            "why": "the default voice",
            "fallback": "Bea has no voice",
            "start_s": 0.0,
            "duration_s": 1.0,
            "synthesis_s": 0.1,
            "retried": False,
        }
    ]
    assert view["fallbacks"] == ["Bea has no voice"]
    assert (view["duration_s"], view["elapsed_s"], view["first_audio_s"]) == (1.0, 0.2, 0.1)
    assert view["real_time_factor"] == pytest.approx(0.1)


def test_reply_when_asked_between_last_byte_and_result_waits_for_the_result(running: Running) -> None:
    running.runtime.speech.script = Speaking.feed
    running.runtime.speech.begin(_reply())
    speaking = running.runtime.speech.begun[0]
    speaking.writer.finish()
    ending = threading.Timer(0.05, speaking.finish)
    ending.start()

    view = running.http.get(f"/api/v1/replies/{speaking.job.audio_id}").json()

    ending.join()
    assert view["done"]
    assert view["duration_s"] == 1.0


def test_reply_when_failed_has_the_problem(runtime: FakeRuntime, client: AppClient) -> None:
    runtime.speech.begin(_reply())
    speaking = runtime.speech.begun[0]
    speaking.fail(WorkerCrashed("died"))

    view = client.get(f"/api/v1/replies/{speaking.job.audio_id}").json()

    assert (view["done"], view["error"]["code"]) == (True, "crash")


def test_reply_when_a_segment_was_skipped_says_which_and_why(runtime: FakeRuntime, client: AppClient) -> None:
    runtime.speech.begin(_reply())
    speaking = runtime.speech.begun[0]
    speaking.finish_silent(LanguageUnsupported("no Klingon"))

    (skipped,) = client.get(f"/api/v1/replies/{speaking.job.audio_id}").json()["skipped"]

    assert (skipped["code"], skipped["message"]) == ("language_unsupported", "no Klingon")
    assert skipped["segment"]["text"] == "Hello."


@pytest.mark.parametrize(
    ("path", "answered"),
    [
        ("/api/v1/explain", lambda answer: answer["segments"][0]["text"]),
        ("/api/v1/hosts/plain/output", lambda answer: answer["text"]),
    ],
)
def test_text_when_it_holds_half_a_surrogate_pair_comes_back_as_it_was(
    client: AppClient, path: str, answered: Callable[[Any], str]
) -> None:
    answer = client.post_raw(path, b'{"text": "a \\ud800 b"}')

    assert answer.status_code == 200
    assert answered(answer.json()) == "a \ud800 b"


def test_explain_says_what_would_be_said_by_whom_and_why(client: AppClient) -> None:
    answer = client.post("/api/v1/explain", {"text": "Hello.", "default_language": "de"}).json()

    assert answer == {
        "language": "de",
        "segments": [
            {
                "role": "character",
                "speaker": "Ann",
                "text": "Hello.",
                "span": [0, 6],
                "language": None,
                "confidence": None,
                "inherited": False,
                "voice": "Zoë, the elder",
                "model": "espeak",
                "why": "plain text; the default voice",
            }
        ],
    }


def test_explain_when_the_text_is_too_long_is_refused(runtime: FakeRuntime, client: AppClient) -> None:
    runtime.change_server(max_text_chars=1000)

    answer = client.post("/api/v1/explain", {"text": "x" * 1001})

    assert (answer.status_code, answer.json()["limit_chars"]) == (413, 1000)


def test_voices_are_listed_without_any_path(client: AppClient) -> None:
    (voice,) = client.get("/api/v1/voices").json()["voices"]

    assert (voice["name"], voice["model"], voice["has_reference"]) == ("Zoë, the elder", "espeak", False)


def test_headers_when_nothing_speaks_are_none() -> None:
    assert spoken_headers(()) == {}


def test_headers_when_a_name_could_break_out_are_encoded(runtime: FakeRuntime) -> None:
    runtime.speech.begin(_reply())
    clip = runtime.speech.begun[0].clip
    for value in spoken_headers((clip, clip)).values():
        assert value.isascii()
        assert not set(value) & set("\r\n")


def _reply() -> Reply:
    return Reply(text="Hello.")
