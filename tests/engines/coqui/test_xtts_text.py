from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alltalk_plugin.engines.coqui.xtts_text import parts_of


@pytest.mark.parametrize(
    ("text", "limit", "spaced", "parts"),
    [
        ("Short.", 20, True, ["Short."]),
        ("", 20, True, []),
        ("One is here. Two is there.", 20, True, ["One is here.", "Two is there."]),
        ("One. Two. Three. Four. Five.", 12, True, ["One. Two.", "Three. Four.", "Five."]),
        ("first of all, then the rest of it", 20, True, ["first of all,", "then the rest of it"]),
        ("no mark in all of this", 12, True, ["no mark in", "all of this"]),
        ("a " + "b" * 30 + " c", 12, True, ["a", "b" * 30, "c"]),
        ("b" * 30, 12, True, ["b" * 30]),
        ("你好世界今天天气很好", 4, False, ["你好世界", "今天天气", "很好"]),
        ("你好。世界，今天", 4, False, ["你好。", "世界，", "今天"]),
    ],
)
def test_parts_are_cut_after_sentences_then_clauses_then_words(
    text: str, limit: int, spaced: bool, parts: list[str]
) -> None:
    assert list(parts_of(text, limit, spaced=spaced)) == parts


@settings(max_examples=200)
@given(st.text(alphabet="ab ,.!。，", max_size=80), st.integers(1, 30), st.booleans())
def test_parts_lose_nothing_and_come_to_an_end(text: str, limit: int, spaced: bool) -> None:
    parts = list(parts_of(text, limit, spaced=spaced))
    assert "".join("".join(parts).split()) == "".join(text.split())
    assert all(parts)
    if not spaced:
        assert all(len(part) <= limit for part in parts)
    assert all(len(part) <= limit or " " not in part for part in parts)
