"""Which writing system a letter belongs to. Standard library only."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections import Counter
from enum import StrEnum


class Script(StrEnum):
    """Writing systems by name; OTHER is every one that no engine of ours speaks."""

    LATIN = "Latin"
    GREEK = "Greek"
    CYRILLIC = "Cyrillic"
    ARMENIAN = "Armenian"
    HEBREW = "Hebrew"
    ARABIC = "Arabic"
    DEVANAGARI = "Devanagari"
    BENGALI = "Bengali"
    GURMUKHI = "Gurmukhi"
    GUJARATI = "Gujarati"
    ORIYA = "Oriya"
    TAMIL = "Tamil"
    TELUGU = "Telugu"
    KANNADA = "Kannada"
    MALAYALAM = "Malayalam"
    SINHALA = "Sinhala"
    THAI = "Thai"
    MYANMAR = "Myanmar"
    GEORGIAN = "Georgian"
    HANGUL = "Hangul"
    ETHIOPIC = "Ethiopic"
    KANA = "kana"
    HAN = "Han"
    OTHER = "another"


# First code point of each range, in order; a range ends where the next begins (Unicode 15, Blocks.txt).
_STARTS: tuple[tuple[int, Script], ...] = (
    (0x0000, Script.LATIN),
    (0x0370, Script.GREEK),
    (0x0400, Script.CYRILLIC),
    (0x0530, Script.ARMENIAN),
    (0x0590, Script.HEBREW),
    (0x0600, Script.ARABIC),
    (0x0700, Script.OTHER),
    (0x0750, Script.ARABIC),
    (0x0780, Script.OTHER),
    (0x0870, Script.ARABIC),
    (0x0900, Script.DEVANAGARI),
    (0x0980, Script.BENGALI),
    (0x0A00, Script.GURMUKHI),
    (0x0A80, Script.GUJARATI),
    (0x0B00, Script.ORIYA),
    (0x0B80, Script.TAMIL),
    (0x0C00, Script.TELUGU),
    (0x0C80, Script.KANNADA),
    (0x0D00, Script.MALAYALAM),
    (0x0D80, Script.SINHALA),
    (0x0E00, Script.THAI),
    (0x0E80, Script.OTHER),
    (0x1000, Script.MYANMAR),
    (0x10A0, Script.GEORGIAN),
    (0x1100, Script.HANGUL),
    (0x1200, Script.ETHIOPIC),
    (0x13A0, Script.OTHER),
    (0x1C80, Script.CYRILLIC),
    (0x1C90, Script.GEORGIAN),
    (0x1CC0, Script.OTHER),
    (0x1D00, Script.LATIN),
    (0x1F00, Script.GREEK),
    (0x2000, Script.LATIN),
    (0x2C00, Script.OTHER),
    (0x2C60, Script.LATIN),
    (0x2C80, Script.OTHER),
    (0x2D00, Script.GEORGIAN),
    (0x2D30, Script.OTHER),
    (0x2D80, Script.ETHIOPIC),
    (0x2DE0, Script.CYRILLIC),
    (0x2E00, Script.HAN),
    (0x3040, Script.KANA),
    (0x3100, Script.OTHER),
    (0x3130, Script.HANGUL),
    (0x3190, Script.OTHER),
    (0x31F0, Script.KANA),
    (0x3200, Script.OTHER),
    (0x3400, Script.HAN),
    (0xA000, Script.OTHER),
    (0xA640, Script.CYRILLIC),
    (0xA6A0, Script.OTHER),
    (0xA720, Script.LATIN),
    (0xA800, Script.OTHER),
    (0xA8E0, Script.DEVANAGARI),
    (0xA900, Script.OTHER),
    (0xA960, Script.HANGUL),
    (0xA980, Script.OTHER),
    (0xAA60, Script.MYANMAR),
    (0xAA80, Script.OTHER),
    (0xAB00, Script.ETHIOPIC),
    (0xAB30, Script.LATIN),
    (0xAB70, Script.OTHER),
    (0xAC00, Script.HANGUL),
    (0xD800, Script.OTHER),
    (0xF900, Script.HAN),
    (0xFB00, Script.LATIN),
    (0xFB13, Script.ARMENIAN),
    (0xFB1D, Script.HEBREW),
    (0xFB50, Script.ARABIC),
    (0xFE00, Script.OTHER),
    (0xFE70, Script.ARABIC),
    (0xFF00, Script.LATIN),
    (0xFF66, Script.KANA),
    (0xFFA0, Script.HANGUL),
    (0xFFE0, Script.OTHER),
    (0x20000, Script.HAN),
    (0x32000, Script.OTHER),
)
_POINTS = [start for start, _ in _STARTS]


def script_of(letter: str) -> Script:
    """The script of one letter. Marks and digits belong to none; do not ask for theirs."""
    return _STARTS[bisect_right(_POINTS, ord(letter)) - 1][1]


def letters_by_script(text: str) -> Counter[Script]:
    """How many letters of each script a text has."""
    return Counter(script_of(char) for char in text if unicodedata.category(char)[0] == "L")
