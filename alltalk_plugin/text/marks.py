"""Characters with a meaning: quotes of every script, dashes, ends of sentences, and what is never spoken."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

import emoji

from alltalk_plugin.text.tables import TABLE_CHARS, CharTable

DROPPED = "\x00"
"""Stands for a character that vanishes without a trace: controls, zero-width characters, surrogates."""

GAP = "\x01"
"""Stands for a character that vanishes but parts words: emoji and symbols."""

QUOTES: dict[str, str] = {
    '"': '"',
    "＂": "＂",
    "“": "”",
    "”": "”",
    "„": "“”",
    "‟": "”",
    "«": "»",
    "»": "«»",
    "‹": "›",
    "›": "‹›",
    "「": "」",
    "『": "』",
    "﹁": "﹂",
    "〝": "〞〟",
    "‘": "’",
    "‚": "‘’",
    "'": "'",
}
"""What can open a quote, and what closes it. `”` opens in Swedish, `»` in German, Danish and Finnish."""

CLOSING_QUOTES = frozenset("".join(QUOTES.values()))
SINGLE_QUOTES = frozenset("‘’‚'")
ALWAYS_OPENS = frozenset("「『﹁〝")

BRACKETS = frozenset("([{¿¡（【")
"""What may stand between a space and the beginning of a word."""

DASHES = frozenset("—–―")
SENTENCE_END = frozenset(".!?…。！？｡؟۔।॥‼⁇⁈⁉~♪")
CLAUSE_END = frozenset(",;:—–-、，；：،؛")

_KEPT_SYMBOLS = frozenset("©®™°")
_SPACES = frozenset("\u0085\u2028\u2029")


def word_set(words: str) -> frozenset[str]:
    """The words of a block of text: a table that reads as one."""
    return frozenset(words.split())


def ends_by_space(char: str) -> bool:
    """Whether the script of `char` ends sentences with a space alone (Thai, Lao, Khmer)."""
    return "\u0e00" <= char <= "\u0eff" or "\u1780" <= char <= "\u17ff"


def is_cjk(char: str) -> bool:
    """Whether the script of `char` puts no spaces between words (Han, kana, and their punctuation)."""
    return "\u2e80" <= char <= "\u9fff" or "\uf900" <= char <= "\ufaff" or char >= "\U00020000"


def _spoken_form(char: str) -> str:
    if char.isspace() or char in _SPACES:
        return " "
    if " " < char <= "~":
        # As they are, since text of nothing else is not looked up at all.
        return char
    if char in _KEPT_SYMBOLS:
        return char
    if char in emoji.EMOJI_DATA:
        return GAP
    match unicodedata.category(char):
        case "Cc" | "Cs" | "Co" | "Cn" | "Me":
            return DROPPED
        case "Cf":
            # The zero-width non-joiner decides letter forms in Persian and Hindi; the rest is layout.
            return char if char == "\u200c" else DROPPED
        case "Mn" if "\ufe00" <= char <= "\ufe0f":
            return DROPPED
        case "So" | "Sk":
            # Squared words and circled letters decompose to something an engine can say; pictures do not.
            sayable = any(part.isalnum() for part in unicodedata.normalize("NFKC", char))
            return char if sayable else GAP
        case _:
            return char


_KEPT_CATEGORIES = word_set("Lu Ll Lt Lm Lo Mc Nd Nl No Pd Po Ps Pe Pi Pf Pc Sm Sc")
_DROPPED_CATEGORIES = word_set("Cn Co Cs")


@lru_cache(maxsize=1)
def _forms() -> CharTable:
    """Made in 0.05 s."""
    chars = "".join(map(chr, range(TABLE_CHARS)))
    forms = [
        char
        if category in _KEPT_CATEGORIES
        else DROPPED
        if category in _DROPPED_CATEGORIES
        else _spoken_form(char)
        for char, category in zip(chars, map(unicodedata.category, chars), strict=True)
    ]
    for char in emoji.EMOJI_DATA:
        if len(char) == 1:
            forms[ord(char)] = _spoken_form(char)
    return CharTable("".join(forms), _spoken_form)


def spoken_form(text: str) -> str:
    """`text` with every character that is not spoken replaced by DROPPED, GAP or a space, one for one."""
    if text.isascii() and text.isprintable():
        return text
    return _forms().translate(text)
