"""Which script a letter belongs to, and which scripts a language is written in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from alltalk_plugin.domain.language import LanguageTag, base_language
from alltalk_plugin.text.tables import TABLE_CHARS, CharTable

LATIN = "latin"
HAN = "han"
KANA = "kana"
HANGUL = "hangul"

# First code point of each block and its script; blocks of letters only (Unicode 16, Blocks.txt).
_BLOCKS: tuple[tuple[int, str], ...] = (
    (0x0000, LATIN),
    (0x0370, "greek"),
    (0x0400, "cyrillic"),
    (0x0530, "armenian"),
    (0x0590, "hebrew"),
    (0x0600, "arabic"),
    (0x0700, "other"),
    (0x0750, "arabic"),
    (0x0780, "other"),
    (0x08A0, "arabic"),
    (0x0900, "devanagari"),
    (0x0980, "bengali"),
    (0x0A00, "gurmukhi"),
    (0x0A80, "gujarati"),
    (0x0B00, "oriya"),
    (0x0B80, "tamil"),
    (0x0C00, "telugu"),
    (0x0C80, "kannada"),
    (0x0D00, "malayalam"),
    (0x0D80, "sinhala"),
    (0x0E00, "thai"),
    (0x0E80, "lao"),
    (0x0F00, "other"),
    (0x1000, "burmese"),
    (0x10A0, "georgian"),
    (0x1100, HANGUL),
    (0x1200, "ethiopic"),
    (0x1380, "other"),
    (0x1780, "khmer"),
    (0x1800, "other"),
    (0x1C80, "cyrillic"),
    (0x1C90, "georgian"),
    (0x1CC0, "other"),
    (0x1E00, LATIN),
    (0x1F00, "greek"),
    (0x2000, LATIN),
    (0x2DE0, "cyrillic"),
    (0x2E80, HAN),
    (0x3040, KANA),
    (0x3100, HAN),
    (0x3130, HANGUL),
    (0x3190, HAN),
    (0x31F0, KANA),
    (0x3200, HAN),
    (0xA000, "other"),
    (0xA640, "cyrillic"),
    (0xA6A0, "other"),
    (0xA720, LATIN),
    (0xA800, "other"),
    (0xA8E0, "devanagari"),
    (0xA900, "other"),
    (0xA960, HANGUL),
    (0xA980, "other"),
    (0xAB30, LATIN),
    (0xAB70, "other"),
    (0xAC00, HANGUL),
    (0xD800, "other"),
    (0xF900, HAN),
    (0xFB00, LATIN),
    (0xFB1D, "hebrew"),
    (0xFB50, "arabic"),
    (0xFE00, "other"),
    (0xFE70, "arabic"),
    (0xFF00, LATIN),
    (0xFF66, KANA),
    (0xFFA0, HANGUL),
    (0xFFE0, "other"),
    (0x20000, HAN),
)
_STARTS = tuple(start for start, _ in _BLOCKS)

_WRITTEN_IN: dict[str, tuple[str, ...]] = {
    "cyrillic": ("ru", "uk", "bg", "sr", "mk", "be", "kk", "ky", "mn", "tg", "tt", "ba", "cv"),
    "greek": ("el",),
    "armenian": ("hy",),
    "hebrew": ("he", "yi"),
    "arabic": ("ar", "fa", "ur", "ps", "ug", "ckb", "sd"),
    "devanagari": ("hi", "mr", "ne", "sa"),
    "bengali": ("bn", "as"),
    "gurmukhi": ("pa",),
    "gujarati": ("gu",),
    "oriya": ("or",),
    "tamil": ("ta",),
    "telugu": ("te",),
    "kannada": ("kn",),
    "malayalam": ("ml",),
    "sinhala": ("si",),
    "thai": ("th",),
    "lao": ("lo",),
    "burmese": ("my",),
    "georgian": ("ka",),
    "ethiopic": ("am", "ti"),
    "khmer": ("km",),
    HANGUL: ("ko",),
    KANA: ("ja",),
    HAN: ("zh", "ja", "yue", "cmn"),
}
_NEUTRAL = "."
# One byte each: no letter, digit or mark of a pattern.
_CODES = {script: chr(0xC0 + place) for place, script in enumerate(dict.fromkeys(s for _, s in _BLOCKS))}
_SCRIPTS = {code: script for script, code in _CODES.items()}
_SAME = re.compile(r"(\.*([^.])(?:\2|\.)*|\.+)")
_HAN_OR_KANA = re.compile(rf"[{_CODES[HAN]}{_CODES[KANA]}][{_CODES[HAN]}{_CODES[KANA]}.]*")

Run = tuple[int, int, str | None]
"""Start and end of a range of text, and its one script (None: no letters)."""


@lru_cache(maxsize=1)
def _letter_marks() -> CharTable:
    """For each letter a mark of its script, for all else the neutral one. Made in 0.03 s."""
    marks: list[str] = []
    for (start, script), end in zip(_BLOCKS, (*_STARTS[1:], TABLE_CHARS), strict=True):
        own = _CODES[script]
        marks += [own if char.isalpha() else _NEUTRAL for char in map(chr, range(start, end))]
    return CharTable("".join(marks), lambda _char: _NEUTRAL)


def script_runs(text: str, start: int, end: int) -> list[Run]:
    """Ranges of `text[start:end]` in one script each; what is no letter goes with the letters before it.
    Han and kana together are Japanese, so kana."""
    codes = _letter_marks().translate(text[start:end])
    if _CODES[KANA] in codes:
        codes = _HAN_OR_KANA.sub(_japanese, codes)
    runs: list[Run] = []
    for run, code in _SAME.findall(codes):
        end = start + len(run)
        runs.append((start, end, _SCRIPTS.get(code)))
        start = end
    return runs


def _japanese(run: re.Match[str]) -> str:
    return run[0].replace(_CODES[HAN], _CODES[KANA]) if _CODES[KANA] in run[0] else run[0]


def letters_by_script(text: str) -> dict[str, int]:
    """How many letters of each script `text` has."""
    if text.isascii():
        letters = sum(map(str.isalpha, text))
        return {LATIN: letters} if letters else {}
    codes = _letter_marks().translate(text)
    return {_SCRIPTS[code]: codes.count(code) for code in sorted(set(codes) - {_NEUTRAL}, key=codes.index)}


_NOT_LATIN = frozenset(language for languages in _WRITTEN_IN.values() for language in languages)


def written_in(script: str, candidates: Iterable[LanguageTag]) -> tuple[LanguageTag, ...]:
    """The candidates that are written in `script`."""
    if script == LATIN:
        return tuple(tag for tag in candidates if base_language(tag) not in _NOT_LATIN)
    languages = _WRITTEN_IN.get(script, ())
    return tuple(tag for tag in candidates if base_language(tag) in languages)
