from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from alltalk_plugin.text.tables import TABLE_CHARS, CharTable

ANY_CHAR = st.characters(exclude_categories=())  # surrogates too


def turned(char: str) -> str:
    """Another character for each, near and far, surrogates included."""
    return chr((ord(char) * 7 + 1) % TABLE_CHARS)


TABLE = CharTable("".join(turned(chr(code)) for code in range(TABLE_CHARS)), lambda _char: "?")


@given(st.text(ANY_CHAR, max_size=30), st.integers(0, 12))
def test_translate_of_any_length_then_character_by_character(text: str, times: int) -> None:
    expected = "".join(turned(char) if ord(char) < TABLE_CHARS else "?" for char in text)
    assert TABLE.translate(text * times) == expected * times


def test_translate_of_much_text_with_one_rare_character() -> None:
    long = "aй漢" * 100
    assert TABLE.translate(f"{long}\U0010ffff") == f"{TABLE.translate(long)}?"
