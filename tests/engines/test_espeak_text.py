from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from alltalk_plugin.engines.espeak_text import speakable


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        # the two strings that kill the library
        ('"-J', "-J"),
        ("🚼瓠䑻", "瓠䑻"),
        # emoji, signs and markup are not read by name
        ("Great 😀👍🏽 job!", "Great job!"),
        ("1️⃣ first", "1 first"),
        ("*waves* _slowly_ ~ #tag", "waves slowly #tag"),
        ("a [link](x) <b> {y} | z\\n ^ `c`", "a link x b y z n c"),
        ("™ © ® § µ", "µ"),
        ("10% & $5 + €7 = 20°", "10% & $5 + €7 = 20°"),
        # words stay whole
        ("It’s John's 'quoted' “word” «x»", "It's John's quoted word x"),
        ("well-known e‑mail 3-4 -5", "well-known e-mail 3-4 -5"),
        ("wait - what -- no", "wait what no"),
        ("yes — no", "yes , no"),
        ("pages 10–20", "pages 10-20"),
        ("Příliš žluťoučký kůň, mogę!", "Příliš žluťoučký kůň, mogę!"),
        ("e\u0301te\u0301", "été"),
        ("नमस्ते। می\u200cخواهم", "नमस्ते। می\u200cخواهم"),
        ("你好。世界！", "你好。世界！"),
        ("𝓗𝓮𝓵𝓵𝓸 ＡＢ１", "Hello AB1"),
        # nothing harmful gets through
        ("be\0fore\x07 af\u202eter\ufeff", "be fore af ter"),
        ("lone \ud800 half", "lone half"),
        ("no!!!!!!!! why??????", "no!!! why???"),
        ("line\n\none\ttwo", "line one two"),
        # nothing to hear
        ("", ""),
        ("...", ""),
        ("“…” — !?", ""),
        ("😀", ""),
        ("\u0301\u0301", ""),
    ],
)
def test_speakable_keeps_what_can_be_said(text: str, spoken: str) -> None:
    assert speakable(text) == spoken


@settings(max_examples=200)
@given(st.text())
def test_speakable_gives_only_harmless_characters(text: str) -> None:
    for char in speakable(text):
        assert unicodedata.category(char)[0] != "C" or char in "\u200c\u200d"
        assert char not in '"*_[]{}<>|\\^`~()'


@settings(max_examples=100)
@given(st.text())
@example("0'\u00b9")  # a superscript is no digit that is spoken
def test_speakable_twice_is_speakable_once(text: str) -> None:
    assert speakable(speakable(text)) == speakable(text)


@settings(max_examples=100)
@given(st.text(st.characters(categories=["Lu", "Ll", "Lo", "Nd"], max_codepoint=0xFAFF)))
def test_speakable_keeps_every_letter_and_digit(text: str) -> None:
    assert speakable(text) == unicodedata.normalize("NFC", text)
