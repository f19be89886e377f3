"""Streaming and whole are one scanner; no words are lost; work grows with the text."""

from __future__ import annotations

import sys
from types import FrameType
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alltalk_plugin.domain.speech import ReplyStyle, SpeakerRole
from alltalk_plugin.text.scanner import Scanner, ScanRules
from tests.text.reading import ROSTER, scan

if TYPE_CHECKING:
    from _typeshed import TraceFunction

_PARTS = [
    *"*\"'‘’“”«»„`_~[]()<>&$|\\!#.,:;—–-\n ",
    *(
        "\n\n",
        "**",
        "***",
        "```",
        "```py\n",
        "~~~x\n",
        "$$",
        "\\[",
        "\\]",
        "\\*",
        '\\"',
        "...",
        "?!",
        "。",
        "」",
        "「",
    ),
    *(
        "Hello ",
        "she said, ",
        "nods ",
        "word",
        "I'm ",
        "don’t ",
        "dogs’ ",
        "Straße ",
        "ё",
        "你好",
        "かな",
        "안녕 ",
        "5",
        '27" ',
        "6'2\"",
    ),
    *(
        "<think>",
        "</think>",
        "<thinking>",
        "</thinking>",
        "&lt;think&gt;",
        "&lt;/think&gt;",
        "[THINK]",
        "[/THINK]",
    ),
    *(
        "<|channel|>analysis<|message|>",
        "<|end|>",
        "<|start|>assistant",
        "<|channel|>final<|message|>",
        "<|im_end|>",
    ),
    *(
        "<b>",
        "</b>",
        "<br>",
        "<p>",
        "<audio src='x'>",
        "</audio>",
        "<!--",
        "<!",
        "-->",
        '<a href="x>y">',
        "< ",
    ),
    *(
        '[a](http://b.c/d_(e) "t")',
        "[voice:x]",
        "[voice:]",
        "a clause that goes on for a while, ",
        "![i](u) ",
        "[^1]",
        "https://ex.am/p?q=1. ",
        "www.a.b ",
        "Awww. ",
        "x@y.z ",
    ),
    *(
        "&quot;",
        "&amp;",
        "&#8220;",
        "&nbsp;",
        "1️⃣",
        "👨‍👩‍👧",
        "❤️",
        "©",
        "\x00",
        "\ud800",
        "\u200b",
        "\t",
        "\r\n",
    ),
    *(
        "Mira: ",
        "Tom: ",
        "**Tom:** ",
        "Dr. Who: ",
        "Dr. Who ",
        "- ",
        "* ",
        "1. ",
        "(1) ",
        "2. ",
        "# ",
        "> ",
        "| a | b |\n",
        "|--|\n",
    ),
    *("— ", "—", "Mr. ", "e.g. ", "3.5 ", "a*b*c", "un*believ*able ", "_x_ ", "snake_case ", "$x^2$ ", "$5 "),
]
_TEXTS = st.lists(st.sampled_from(_PARTS), max_size=25).map("".join)
_STYLES = st.sampled_from(
    [ReplyStyle(), ReplyStyle(unmarked=SpeakerRole.NARRATOR), ReplyStyle(reasoning_open=True)]
)
_RULES = st.sampled_from(
    [
        ScanRules(),
        ScanRules(parentheses="skip", urls="skip", code="announce"),
        ScanRules(parentheses="narrator", max_segment_chars=40),
        ScanRules(inline_voices=True, first_clause_chars=30),
    ]
)


_CUTS = st.lists(st.floats(0, 1), max_size=12)


@given(text=_TEXTS, style=_STYLES, rules=_RULES, places=_CUTS)
@settings(max_examples=300, deadline=None)
def test_the_way_a_reply_arrives_does_not_change_its_segments(
    text: str, style: ReplyStyle, rules: ScanRules, places: list[float]
) -> None:
    same_however_it_arrives(text, style, rules, places)


@pytest.mark.campaign
@pytest.mark.timeout(3600)
@given(text=_TEXTS | st.text(max_size=120), style=_STYLES, rules=_RULES, places=_CUTS)
@settings(max_examples=20_000, deadline=None)
def test_the_way_any_reply_arrives_does_not_change_its_segments(
    text: str, style: ReplyStyle, rules: ScanRules, places: list[float]
) -> None:
    same_however_it_arrives(text, style, rules, places)


def same_however_it_arrives(text: str, style: ReplyStyle, rules: ScanRules, places: list[float]) -> None:
    whole = scan([text], style=style, rules=rules)
    cuts = sorted(int(place * len(text)) for place in places)
    chunks = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert scan(chunks, style=style, rules=rules) == whole
    assert scan(text, style=style, rules=rules) == whole


@given(text=_TEXTS, style=_STYLES, rules=_RULES)
@settings(max_examples=200, deadline=None)
def test_segments_are_clean_whatever_the_reply(text: str, style: ReplyStyle, rules: ScanRules) -> None:
    for segment in scan([text], style=style, rules=rules)[0]:
        assert any(map(str.isalnum, segment.text))
        assert segment.text == " ".join(segment.text.split())
        assert not set(segment.text) & set('*"“”«»「」\x00\ud800')
        assert len(segment.text) <= rules.max_segment_chars
        assert 0 <= segment.span.start < segment.span.end <= len(text)


_PROSE = st.lists(
    st.sampled_from(
        [
            "Hello",
            "wörld",
            "Привет",
            "naïve",
            "42",
            "don't",
            "7.5",
            "Mr.",
            "I",
            "so-called",
            "Zürich",
            "她",
            "안녕",
        ]
    ),
    min_size=1,
    max_size=40,
)


@given(
    words=_PROSE,
    joints=st.lists(st.sampled_from([" ", ". ", ", ", "\n", "\n\n", "? ", "… ", ' "', '" ']), min_size=40),
)
@settings(max_examples=150, deadline=None)
def test_plain_prose_loses_no_letter(words: list[str], joints: list[str]) -> None:
    text = "".join(word + joint for word, joint in zip(words, joints, strict=False))
    spoken = "".join(segment.text for segment in scan([text])[0])
    assert [char for char in spoken if char.isalnum()] == [char for char in text if char.isalnum()]


def test_a_sentence_is_handed_out_as_soon_as_the_next_begins() -> None:
    scanner = Scanner(ReplyStyle(), ScanRules(), "Mira", ROSTER)
    assert scanner.feed("One sentence. ") == ()
    assert [segment.text for segment in scanner.feed("N")] == ["One sentence."]


def test_speech_is_handed_out_when_its_quote_has_closed() -> None:
    scanner = Scanner(ReplyStyle(unmarked=SpeakerRole.NARRATOR), ScanRules(), "Mira", ROSTER)
    assert [segment.text for segment in scanner.feed('"Hello," s')] == ["Hello,"]


def _calls(text: str) -> int:
    """How many function calls scanning takes: work without a clock."""
    count = 0

    def note(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        if event in ("call", "c_call"):
            count += 1

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        scan([text])
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize(
    "unit",
    [
        'She nods. "Yes," she says. *waits* ',
        "word ",
        "x",
        "*",
        "*a ",
        '"',
        "'a ",
        "‘a ",
        "<a ",
        "<",
        "&",
        "` ",
        "[](",
        "![",
        "$$ ",
        "\\[",
        "\n",
        "😀",
        "你好。",
        "— ",
        "www.",
        "_a ",
        "<think>",
        "* a\n",
        "Tom: x\n",
        "| a |\n",
        ".",
    ],
)
def test_twice_the_text_is_twice_the_work(unit: str) -> None:
    one, two = unit * (4000 // len(unit)), unit * (8000 // len(unit))
    assert _calls(two) <= 2.3 * _calls(one) + 200


def _lines(text: str) -> int:
    """How many lines of code scanning takes: loops that call nothing count too."""
    count = 0

    def note(frame: FrameType, event: str, argument: object) -> TraceFunction:
        nonlocal count
        count += event == "line"
        return note

    before = sys.gettrace()
    sys.settrace(note)
    try:
        scan([text])
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("unit", ["“", "“a ", "„a ", "«a «", "「", "「a*", "*a _b ", "“*a ", "(a “b "])
def test_marks_nested_twice_as_deep_are_twice_the_work(unit: str) -> None:
    one, two = unit * (600 // len(unit)), unit * (1200 // len(unit))
    assert _lines(two) <= 2.3 * _lines(one) + 200


def test_an_address_that_never_ends_is_looked_at_once() -> None:
    """While it waits for the end it keeps no more than a closer's length, which has no trace outside."""
    scanner = Scanner(ReplyStyle(), ScanRules(), "Mira", ROSTER)
    for _ in range(50):
        scanner.feed("https://a" * 100)
    assert len(scanner._cursor.text) - scanner._cursor.at < 1000
