"""Replies that are still being written, and rewritten at their end."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from alltalk_plugin.domain.speech import Boundary, Chat, Reply, ReplyStyle, Segment, SpeakerRole
from alltalk_plugin.settings.schema import LanguageSettings, SpeechSettings
from alltalk_plugin.text.growing import GrowingReply
from alltalk_plugin.text.language import NoDetector
from alltalk_plugin.text.prepare import ReplyPreparer
from alltalk_plugin.text.reasoning import LONE_CLOSER
from tests.text.test_streaming import _TEXTS

NARRATED = ReplyStyle(unmarked=SpeakerRole.NARRATOR)
REPLY = Reply(text="", character="Mira", chat=Chat(roster=("Mira", "Tom"), user_name="Max"), style=NARRATED)


def preparer(first_clause_chars: int = 0) -> ReplyPreparer:
    speech = SpeechSettings(first_clause_chars=first_clause_chars)
    return ReplyPreparer(lambda: speech, LanguageSettings, NoDetector())


def growing(first_clause_chars: int = 0) -> GrowingReply:
    return preparer(first_clause_chars).growing(REPLY)


def texts(segments: tuple[Segment, ...]) -> list[str]:
    return [segment.text for segment in segments]


def test_show_when_text_only_grows_then_each_segment_comes_once() -> None:
    reply = growing()
    assert texts(reply.show("One. Tw")) == ["One."]
    assert texts(reply.show("One. Two. Th")) == ["Two."]
    assert texts(reply.show("One. Two. Th")) == []
    assert texts(reply.finish("One. Two. Three.")) == ["Three."]


def test_show_when_the_host_cuts_a_stop_string_off_then_it_is_not_spoken() -> None:
    reply = growing()
    assert texts(reply.show("See you soon. Bye then.\nMax: I wou")) == ["See you soon.", "Bye then."]
    assert texts(reply.finish("See you soon. Bye then.")) == []


def test_show_when_the_pending_sentence_is_written_anew_then_the_new_one_is_spoken() -> None:
    reply = growing()
    assert texts(reply.show("It is done. I was goi")) == ["It is done."]
    assert texts(reply.finish("It is done. Nobody saw it.")) == ["Nobody saw it."]


def test_show_when_what_was_spoken_is_shortened_then_only_what_lies_beyond_follows() -> None:
    reply = growing()
    assert texts(reply.show("One two. Three four. N")) == ["One two.", "Three four."]
    assert texts(reply.finish("One two.")) == []


def test_show_when_a_name_is_taken_off_the_front_then_nothing_is_spoken_twice() -> None:
    reply = preparer().growing(replace(REPLY, style=ReplyStyle()))
    assert texts(reply.show("Mira: Hello there, friend. How a")) == ["Hello there, friend."]
    assert texts(reply.finish("Hello there, friend. How are you?")) == ["How are you?"]


def test_show_when_a_spoken_end_turns_out_to_be_none_then_the_rest_follows() -> None:
    reply = growing()
    assert texts(reply.show("We met at dawn. Ye")) == ["We met at dawn."]
    # What looked like an end is followed by a small letter now: the words that are out stand.
    assert texts(reply.finish("We met at dawn. yes, at dawn.")) == ["yes, at dawn."]


def test_first_segment_when_long_enough_then_may_end_at_a_clause() -> None:
    reply = growing(first_clause_chars=30)
    first = reply.add("After the long walk through the rain, s")
    assert texts(first) == ["After the long walk through the rain,"]
    assert first[0].boundary is Boundary.CLAUSE
    assert texts(reply.add("he sat down by the fire, tired, and slept. N")) == [
        "she sat down by the fire, tired, and slept."
    ]


def test_first_segment_when_the_clause_is_short_then_waits_for_more() -> None:
    assert texts(growing(first_clause_chars=30).add("Well, she said")) == []
    assert texts(growing().add("After the long walk through the rain, she sat")) == []


def test_first_segment_when_text_is_whole_then_ends_at_a_sentence() -> None:
    reply = Reply(text="After the long walk through the rain, she sat down.")
    assert texts(preparer(30).segments(reply)) == [reply.text]


def joined(segments: tuple[Segment, ...]) -> list[str]:
    return [char for segment in segments for char in segment.text if char.isalnum()]


@given(text=_TEXTS, cuts=st.lists(st.integers(0, 200), max_size=8), early=st.sampled_from([0, 30]))
@settings(max_examples=150, deadline=None)
def test_growing_reply_however_it_is_shown_then_says_what_the_whole_says(
    text: str, cuts: list[int], early: int
) -> None:
    # A closer without an opener silences what is before it, unless that was handed out early.
    assume(not early or LONE_CLOSER.search(text) is None)
    reply = growing(early)
    shown: tuple[Segment, ...] = ()
    for cut in sorted(min(cut, len(text)) for cut in cuts):
        shown += reply.show(text[:cut])
    shown += reply.finish(text)
    once = growing()
    whole = once.add(text) + once.finish()
    assert joined(shown) == joined(whole)
    if not early:
        assert texts(shown) == texts(whole)


@given(text=_TEXTS, other=_TEXTS, cut=st.integers(0, 200))
@settings(max_examples=100, deadline=None)
def test_growing_reply_when_rewritten_at_will_then_nothing_breaks(text: str, other: str, cut: int) -> None:
    reply = growing()
    reply.show(text)
    reply.show(text[:cut] + other)
    for segment in reply.finish():
        assert any(map(str.isalnum, segment.text))
        assert 0 <= segment.span.start < segment.span.end <= len(text[:cut] + other)
