"""Text as eSpeak may have it.

The library crashes on some mixtures of symbols (voice vi: a quote, a hyphen and J; voice de: an emoji and two
Han characters), reads emoji and signs by name, and stops at a NUL. What stays: letters with their marks,
digits, punctuation that makes a pause or a question, and the signs that people expect to hear.
"""

from __future__ import annotations

import re
import unicodedata

_PAUSES = frozenset(".,;:!?。、！？，；：．؟،؛।॥…")
_SPOKEN_SIGNS = frozenset("%&+=@#$€£¥₹°×÷½¼¾/")
_APOSTROPHES = frozenset("'’ʼ＇")
_HYPHENS = frozenset("-‐‑−")
_DASHES = frozenset("–—―")
_JOINERS = frozenset("\u200c\u200d")
"""Zero-width (non-)joiner: part of the spelling in Persian and Indic scripts."""
_KEYCAPS_AND_SELECTORS = ((0x20D0, 0x20FF), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF))
"""Marks by category, but of emoji; a digit that carries one is still the digit."""

_SPACES = re.compile(r"\s+")
_RUN_OF_PAUSES = re.compile(r"([^\w\s])\1{3,}")


def speakable(text: str) -> str:
    """What of `text` may go to eSpeak; empty when nothing of it can be heard."""
    text = unicodedata.normalize("NFC", text)
    kept: list[str] = []
    for index, char in enumerate(text):
        following = text[index + 1] if index + 1 < len(text) else ""
        kept.append(_kept(char, kept[-1][-1:] if kept else "", following))
    spoken = _SPACES.sub(" ", "".join(kept)).strip()
    spoken = _RUN_OF_PAUSES.sub(r"\1\1\1", spoken)
    return spoken if any(_is_word(char) or char in _SPOKEN_SIGNS for char in spoken) else ""


def _kept(char: str, before: str, after: str) -> str:
    """What one character becomes, given the one kept before it and the one that follows."""
    kind = unicodedata.category(char)
    if kind[0] == "L" or kind == "Nd":
        return _plain(char)
    if kind in {"Mn", "Mc"}:
        return char if _is_word(before) and not _belongs_to_emoji(char) else ""
    if char in _PAUSES or char in _SPOKEN_SIGNS:
        return char
    if char in _APOSTROPHES:
        return "'" if _is_word(before) and _is_word(after) else ""
    if char in _HYPHENS:
        return "-" if (_is_word(before) or not before.strip()) and _is_word(after) else " "
    if char in _DASHES:
        return "-" if before.isdigit() and after.isdigit() else ", "
    if char in _JOINERS:
        return char if _is_word(before) and _is_word(after) else ""
    return " "


def _plain(char: str) -> str:
    """Letters that are others in disguise (mathematical alphabets, full width) as themselves."""
    if ord(char) < 0xFB00:
        return char
    return unicodedata.normalize("NFKC", char)


def _is_word(char: str) -> bool:
    return bool(char) and (unicodedata.category(char)[0] in "LM" or char.isdecimal() or char in _JOINERS)


def _belongs_to_emoji(char: str) -> bool:
    return any(first <= ord(char) <= last for first, last in _KEYCAPS_AND_SELECTORS)
