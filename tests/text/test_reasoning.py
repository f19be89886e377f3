"""Thinking blocks are never spoken, in whatever form they come."""

from __future__ import annotations

import pytest

from alltalk_plugin.domain.speech import ReplyStyle
from tests.text.reading import read_whole, scan, script

BLOCKS = [
    "<think>plan</think>Hi.",
    '<think>\nplan *a* "b"\n\n```\nc\n</think>\n\nHi.',
    "<thinking>plan</thinking>Hi.",
    "<THINK>plan</THINK>Hi.",
    "<reasoning>plan</reasoning>Hi.",
    "<seed:think>plan</seed:think>Hi.",
    '<think time="3">plan</think>Hi.',
    "&lt;think&gt;plan&lt;/think&gt;Hi.",
    "<|channel|>analysis<|message|>plan<|end|><|start|>assistant<|channel|>final<|message|>Hi.",
    "<|channel|>commentary<|message|>plan<|channel|>final<|message|>Hi.",
    "<|channel>thought\nplan<channel|>Hi.",
    "<|think|>plan<|end|><|begin|>assistant<|content|>Hi.",
    "[THINK]plan[/THINK]Hi.",
    "plan first.\n</think>\nHi.",
    "plan first.\n&lt;/think&gt;\nHi.",
    "plan<channel|>Hi.",
    "Hi.<think>never closed. More",
    "<think>one</think>Hi.<think>two</think>",
]


@pytest.mark.parametrize("text", BLOCKS)
def test_reasoning_is_not_spoken(text: str) -> None:
    assert script(read_whole(text)) == "C: Hi."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The `<think>` tag opens it.", "C: The think tag opens it."),
        ("I think </b> so.", "C: I think so."),
        ("<thinker>Hi", "C: Hi"),
    ],
)
def test_text_about_tags_is_spoken(text: str, expected: str) -> None:
    assert script(read_whole(text)) == expected


def test_a_lone_closer_in_a_stream_drops_what_is_pending_and_teaches_the_prior() -> None:
    segments, learned = scan(["Plan one. Plan tw", "o</think>Hi."])
    assert script(segments) == "C: Plan one. Hi."
    assert learned.reasoning_open


def test_an_open_prior_holds_everything_back_until_the_closer() -> None:
    segments, learned = scan(
        ["Plan one. Plan two.\n\n", "</think>Hi."], style=ReplyStyle(reasoning_open=True)
    )
    assert script(segments) == "C: Hi."
    assert learned.reasoning_open


def test_an_open_prior_that_nothing_closes_was_wrong_and_the_reply_is_spoken() -> None:
    segments, learned = scan(["Hello ", "there."], style=ReplyStyle(reasoning_open=True))
    assert script(segments) == "C: Hello there."
    assert not learned.reasoning_open


def test_an_open_prior_and_an_explicit_unclosed_block_is_silent() -> None:
    segments, learned = scan(["<think>Hello ", "there."], style=ReplyStyle(reasoning_open=True))
    assert segments == ()
    assert not learned.reasoning_open
