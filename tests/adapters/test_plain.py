from __future__ import annotations

import pytest

from alltalk_plugin.adapters.plain import ADAPTER
from alltalk_plugin.adapters.replies import reply_from
from alltalk_plugin.domain.errors import AlltalkError, NothingToSay, SpeechOff, TooManyReplies
from alltalk_plugin.domain.hosts import HostReply
from tests.fakes.runtime import FakeSpeech, WatchedStore


@pytest.fixture
def speech() -> FakeSpeech:
    return FakeSpeech(WatchedStore())


def test_plain_when_speech_begins_returns_the_text_and_where_the_audio_grows(speech: FakeSpeech) -> None:
    rendering = ADAPTER.output_modifier(HostReply(text="Hi *there*"), speech)

    assert rendering.text == "Hi *there*"
    assert rendering.audio_id == speech.begun[0].job.audio_id
    assert rendering.notes == ("a note",)


@pytest.mark.parametrize(
    ("error", "notes"), [(NothingToSay("no words"), ("no words",)), (SpeechOff("off"), ())]
)
def test_plain_when_nothing_is_to_be_said_returns_the_text_alone(
    speech: FakeSpeech, error: AlltalkError, notes: tuple[str, ...]
) -> None:
    speech.fail_begin = error

    rendering = ADAPTER.output_modifier(HostReply(text="..."), speech)

    assert (rendering.text, rendering.audio_id, rendering.notes) == ("...", None, notes)


def test_plain_when_speech_fails_lets_the_error_through(speech: FakeSpeech) -> None:
    speech.fail_begin = TooManyReplies("busy")

    with pytest.raises(TooManyReplies):
        ADAPTER.output_modifier(HostReply(text="Hi."), speech)


@pytest.mark.parametrize(
    ("text", "escaped", "meant"),
    [
        ("&lt;b&gt; &amp;amp;", True, "<b> &amp;"),
        ("&lt;b&gt;", False, "&lt;b&gt;"),
        ("it&#x27;s &quot;so&quot;", True, 'it\'s "so"'),
    ],
)
def test_reply_when_the_host_escaped_is_unescaped_once(text: str, escaped: bool, meant: str) -> None:
    assert reply_from(HostReply(text=text, escaped=escaped)).text == meant


def test_reply_has_what_the_host_knows() -> None:
    reply = reply_from(
        HostReply(text="Hi.", character="Ann", user_name="Me", roster=("A", "B"), chat_id="c", message_id="m")
    )

    assert (reply.character, reply.message_id) == ("Ann", "m")
    assert (reply.chat.id, reply.chat.roster, reply.chat.user_name) == ("c", ("A", "B"), "Me")
    assert reply_from(HostReply(text="Hi.", character="", user_name="")).character is None
