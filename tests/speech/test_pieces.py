"""Cutting text to an engine's room."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alltalk_plugin.speech.pieces import pieces_of


@pytest.mark.parametrize(
    ("text", "max_chars", "expected"),
    [
        ("Short.", 40, ["Short."]),
        ("One two. Three four five.", 16, ["One two.", "Three four five."]),
        ("One two, three four five six", 16, ["One two,", "three four five", "six"]),
        ("aaaa bbbb cccc", 9, ["aaaa", "bbbb cccc"]),
        ("abcdefghij", 4, ["abcd", "efgh", "ij"]),
        ("  spaced out  ", 40, ["spaced out"]),
        ("   ", 40, []),
    ],
)
def test_pieces_when_text_is_cut_then_at_the_best_place(
    text: str, max_chars: int, expected: list[str]
) -> None:
    assert list(pieces_of(text, max_chars)) == expected


@given(text=st.text(max_size=300), max_chars=st.integers(1, 60))
def test_pieces_of_any_text_fit_and_lose_nothing_but_spaces(text: str, max_chars: int) -> None:
    pieces = list(pieces_of(text, max_chars))
    assert all(0 < len(piece) <= max_chars for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())
