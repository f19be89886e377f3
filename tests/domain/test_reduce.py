from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alltalk_plugin.domain.reduce import reduce_text


@pytest.mark.parametrize(
    ("text", "reduced"),
    [
        ('"-J', "J"),
        ("🚼瓠䑻", "瓠䑻"),
        ("Well — (really?) yes; 50%!", "Well really? yes 50 !"),
        ("It's e\u0301te\u0301, नमस्ते।", "It s été, नमस्ते"),
        ("a\0b\n\nc", "a b c"),
        ("...", "..."),
        ("", ""),
        ("\u0301a", "a"),
    ],
)
def test_reduce_keeps_letters_digits_and_four_marks(text: str, reduced: str) -> None:
    assert reduce_text(text) == reduced


@settings(max_examples=100)
@given(st.text())
def test_reduce_twice_is_reduce_once_and_leaves_nothing_else(text: str) -> None:
    reduced = reduce_text(text)
    assert reduce_text(reduced) == reduced
    assert not set(reduced) & set("\"'-—*_()[]<>{}/\\;:\0\n\t")
