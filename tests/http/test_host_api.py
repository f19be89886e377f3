from __future__ import annotations

from contextlib import closing
from typing import cast

import pytest

from alltalk_plugin.domain.errors import AlltalkError, StoreFailed, TooManyReplies
from alltalk_plugin.domain.hosts import HostAdapter, HostReply, Rendering, ReplySpeaker
from alltalk_plugin.settings.schema import HostSettings
from tests.fakes.runtime import FakeRuntime, Speaking
from tests.http.clients import TOKEN, AppClient

OUTPUT = "/api/v1/hosts/plain/output"
STOP = "/api/v1/hosts/plain/stop"


def test_output_when_it_works_returns_at_once_with_the_text_unchanged(
    runtime: FakeRuntime, client: AppClient
) -> None:
    text = "<b>&quot;Hi&quot;</b> she said"

    answer = client.post(
        OUTPUT, {"text": text, "escaped": True, "character": "Ann", "chat_id": "c", "message_id": "m"}
    )

    speaking = runtime.speech.begun[0]
    assert answer.json() == {
        "text": text,
        "audio_id": speaking.job.audio_id,
        "audio_file": f"{speaking.job.audio_id}.wav",
        "audio_url": f"http://127.0.0.1:7851/api/v1/audio/{speaking.job.audio_id}",
        "message_id": "m",
        "notes": ["a note"],
    }
    assert speaking.reply.text == '<b>"Hi"</b> she said'
    assert (speaking.reply.character, speaking.reply.chat.id) == ("Ann", "c")
    assert not speaking.job.done


def test_output_when_the_message_has_no_id_gets_one(client: AppClient) -> None:
    ids = {client.post(OUTPUT, {"text": "Hi."}).json()["message_id"] for _ in range(2)}

    assert len(ids) == 2
    assert all(len(message_id) == 32 for message_id in ids)


def test_output_when_the_adapter_is_newer_and_says_more_is_understood(client: AppClient) -> None:
    assert client.post(OUTPUT, {"text": "Hi.", "mood": "new"}).status_code == 200


@pytest.mark.parametrize("error", [TooManyReplies("busy"), StoreFailed("disk full")])
def test_output_when_speech_fails_keeps_the_text_and_says_why(
    runtime: FakeRuntime, client: AppClient, error: AlltalkError
) -> None:
    runtime.speech.fail_begin = error

    answer = client.post(OUTPUT, {"text": "Hi &amp; bye"})

    assert answer.status_code == 200
    assert (answer.json()["text"], answer.json()["audio_url"]) == ("Hi &amp; bye", None)
    assert error.message in answer.json()["notes"][0]


def _raising(_reply: HostReply, _speaker: ReplySpeaker) -> Rendering:
    raise KeyError("character_menu")


def _forgetful(_reply: HostReply, _speaker: ReplySpeaker) -> Rendering:
    return cast("Rendering", None)


@pytest.mark.parametrize("modifier", [_raising, _forgetful])
def test_output_when_the_adapter_is_broken_keeps_the_text(
    runtime: FakeRuntime, client: AppClient, modifier: object
) -> None:
    broken = HostAdapter(name="plain", output_modifier=modifier)  # type: ignore[arg-type]  # one of two above
    runtime.plugins.hosts = {"plain": broken}

    answer = client.post(OUTPUT, {"text": "Hi."})

    assert answer.status_code == 200
    assert answer.json()["text"] == "Hi."
    assert answer.json()["notes"]


def test_output_when_the_host_is_switched_off_is_not_spoken(runtime: FakeRuntime, client: AppClient) -> None:
    runtime.settings.current = runtime.settings.current.model_copy(
        update={"hosts": {"plain": HostSettings(activate=False)}}
    )

    answer = client.post(OUTPUT, {"text": "Hi."})

    assert answer.json()["text"] == "Hi."
    assert (answer.json()["audio_url"], answer.json()["notes"]) == (None, [])
    assert runtime.speech.begun == []


@pytest.mark.parametrize("path", [OUTPUT, f"/k/{TOKEN}{OUTPUT}"])
def test_output_when_others_can_reach_the_server_gives_a_url_that_is_let_in(
    runtime: FakeRuntime, path: str
) -> None:
    runtime.speech.script = _speak_at_once
    with closing(AppClient(runtime, bound_host="0.0.0.0")) as client:
        url = client.post(path, {"text": "Hi."}).json()["audio_url"]
    with closing(AppClient(runtime, bound_host="0.0.0.0", with_token=False)) as player:
        assert player.get(url).status_code == 200


@pytest.mark.parametrize(
    ("asked", "stopped"),
    [
        ({}, {"m1", "m2", "m3"}),
        ({"message_id": "m2"}, {"m2"}),
        ({"chat_id": "c1"}, {"m1", "m2"}),
        ({"chat_id": "c2", "message_id": "m1"}, set()),
    ],
)
def test_stop_ends_what_was_named_and_nothing_else(
    runtime: FakeRuntime, client: AppClient, asked: dict[str, str], stopped: set[str]
) -> None:
    for chat_id, message_id in (("c1", "m1"), ("c1", "m2"), ("c2", "m3")):
        client.post(OUTPUT, {"text": "Hi.", "chat_id": chat_id, "message_id": message_id})

    answer = client.post(STOP, asked)

    cancelled = {one.reply.message_id for one in runtime.speech.begun if one.job.cancel_source.cancelled}
    assert cancelled == stopped
    assert answer.json() == {"stopped": len(stopped)}


def test_stop_when_all_is_spoken_stops_nothing(runtime: FakeRuntime, client: AppClient) -> None:
    runtime.speech.script = _speak_at_once
    client.post(OUTPUT, {"text": "Hi."})

    assert client.post(STOP, {}).json() == {"stopped": 0}


def test_hello_and_bye_are_answered_with_who_answers(client: AppClient) -> None:
    for word in ("hello", "bye"):
        answer = client.post(f"/api/v1/hosts/plain/{word}", {"pid": 1, "instance": "i"})
        assert answer.status_code == 200
        assert set(answer.json()) == {"version", "pid", "missing"}


@pytest.mark.parametrize("word", ["output", "stop", "hello", "bye"])
def test_host_when_unknown_is_told_the_nearest_name(client: AppClient, word: str) -> None:
    answer = client.post(f"/api/v1/hosts/plian/{word}", {"text": "x", "pid": 1, "instance": "i"})

    assert answer.status_code == 404
    assert (answer.json()["code"], answer.json()["nearest"]) == ("host_unknown", "plain")


def _speak_at_once(speaking: Speaking) -> None:
    speaking.feed()
    speaking.finish()
