"""A text with its numbers in words, as far as an engine needs it."""

from __future__ import annotations

import re

from alltalk_plugin.domain.engines import NumberReading
from alltalk_plugin.domain.language import LanguageTag, base_language
from alltalk_plugin.text.numbers import dates, figures, fractions, ordinals, values
from alltalk_plugin.text.numbers.manners import MANNERS
from alltalk_plugin.text.numbers.spelling import Speller
from alltalk_plugin.text.numbers.values import Number

_SOMETHING = re.compile(rf"[\d{figures.HALVES}]")
_LONG = 10
"""A number of so many digits without separators is one to dial or to copy, unless it is a round one."""
_YEARS = range(1100, 2100)
_YEARS_APART = frozenset({"en", "de", "nl"})
"""Languages that read 1984 in two halves; elsewhere it is a number like any other."""
_SCALE_WORD = re.compile(r" (?:mill|mil[hi]|bill|bilh|trill)", re.IGNORECASE)
_LOOK_AHEAD = 12
_ARTICLE = re.compile(r"\b(?:an?|another)[ \u00a0]\Z", re.IGNORECASE)
_COUNTED = re.compile(r" ?(?:시|개|명|살|마리|잔|권|달)|[个個只本杯次位名条张件家间天种]")
_NATIVE = 99
"""Korean counts in its own numerals up to here."""
_PASSES = 4
"""Where words are not set apart, a number in words no longer hides the one beside it (0°½ in Chinese)."""


def written_out(text: str, reading: NumberReading, language: LanguageTag | None) -> str:
    """`text` as an engine that reads numbers so should get it. Text in a language we do not know is left.

    Idempotent; pure but for the tables, which are loaded at first use (0.1 s).
    """
    if reading is NumberReading.ALL or language is None or _SOMETHING.search(text) is None:
        return text
    base = base_language(language)
    if base not in MANNERS:
        return text
    return _Writing(base, every=reading is NumberReading.NONE).written(text)


class _Writing:
    """One text in one language; `every` number, or only what engines garble."""

    def __init__(self, language: LanguageTag, *, every: bool) -> None:
        self._language = language
        self._manner = MANNERS[language]
        self._every = every

    def written(self, text: str) -> str:
        for _ in range(_PASSES):
            before = text
            text = figures.garbled(self._language).sub(self._garbled, text)
            if self._every:
                text = figures.figures(self._language).sub(self._read, text)
            if text == before:
                break
        return text

    def _garbled(self, match: re.Match[str]) -> str:
        said = self._in_words(match)
        return match[0] if said is None else said

    @property
    def _speller(self) -> Speller:
        return Speller.of(self._language)

    def _in_words(self, match: re.Match[str]) -> str | None:
        text, language = match[0], self._language
        if not self._every and self._governed(match):
            return None
        match match.lastgroup:
            case "iso":
                year, month, day = text.split("-")
                return dates.date(year, month, day, language, before=match.string[: match.start()])
            case "date":
                return self._dotted(text, match)
            case "day":
                return dates.slavic_day(text.rstrip("."), language)
            case "nth":
                return ordinals.german(text.rstrip("."), match["noun"], match.string, match.start())
            case "time" | "clock" | "hours":
                return self._time(text)
            case "decade":
                return self._decade(text)
            case "money" | "amount":
                return values.money(text, language, adjective=self._adjective(match))
            case "percent":
                return values.percent(text, language)
            case "measure":
                return values.measure(text, language, adjective=self._adjective(match))
            case "ordinal":
                found = re.match(r"\d+", text)
                return ordinals.marked(found[0], text[found.end() :], language) if found else None
            case "fraction":
                return self._fraction(match)
            case "span":
                return self._span(text)
            case "section":
                return self._section(text)
        return None

    def _governed(self, match: re.Match[str]) -> bool:
        """Whether a word before asks for a case that the tables do not have."""
        if not self._manner.oblique or match.lastgroup in ("day", "ordinal", "iso", "date", "time"):
            return False
        before = re.search(
            r"([^\W\d]+)[ \u00a0]$", match.string[max(0, match.start() - _LOOK_BACK) : match.start()]
        )
        return before is not None and before[1].casefold() in self._manner.oblique

    def _adjective(self, match: re.Match[str]) -> bool:
        """A 5 km run, a $20 bill: in the singular."""
        before = match.string[max(0, match.start() - _LOOK_BACK) : match.start()]
        return self._language == "en" and _ARTICLE.search(before) is not None

    def _dotted(self, text: str, match: re.Match[str]) -> str | None:
        first, second, year = text.split(match["dot"])
        if self._language == "en":
            # 12/25/2024 and 25/12/2024 are certain, 03/04/2024 is not.
            if int(first) <= 12 and int(second) <= 12 and first != second:
                return None
            first, second = (second, first) if int(second) > 12 else (first, second)
        return dates.date(year, second, first, self._language, before=match.string[: match.start()])

    def _time(self, text: str) -> str | None:
        figures_of = re.findall(r"\d+", text)
        return dates.time_of_day(figures_of[0], figures_of[1], self._language)

    def _decade(self, text: str) -> str:
        digits = text.rstrip("ser")
        said = self._speller.year(digits)
        if self._language == "de":
            return said + "er"
        return said.removesuffix("y") + "ies" if said.endswith("y") else said + "s"

    def _fraction(self, match: re.Match[str]) -> str | None:
        text = match[0]
        if text[-1] in figures.HALVES:
            above, below = fractions.of_char(text[-1])
            whole = text[:-1].strip()
        else:
            *rest, part = text.split(" ")
            whole = rest[0] if rest else ""
            above, below = (int(digit) for digit in part.split("/"))
        if whole:
            return fractions.whole_and(whole, above, below, self._language)
        beside_noun = re.match(r"[ \u00a0][^\W\d]", match.string[match.end() : match.end() + 2])
        if below == 2 and beside_noun and self._language != "en" and not self._every:
            return None  # ein halber Liter, une demi-heure
        return fractions.in_words(above, below, self._language)

    def _span(self, text: str) -> str | None:
        first, last = re.findall(r"\d+", text)
        rising = int(first) < int(last) and first[0] != "0"
        if not rising or ("-" in text and max(len(first), len(last)) > 3 and len(last) != len(first)):
            return None
        return self._manner.to.join(self._bare(_plain(end)) for end in (first, last))

    def _section(self, text: str) -> str | None:
        if self._manner.section is None:
            return None
        ends = [self._speller.number(_plain(digits)) for digits in re.findall(r"\d+", text)]
        return f"{self._manner.section[text.startswith('§§')]} {self._manner.to.join(ends)}"

    # --- every other number -------------------------------------------------------------------------------

    def _read(self, match: re.Match[str]) -> str:
        text = match[0]
        if match.lastgroup == "number":
            return self._number(text, match.string[match.end() : match.end() + _LOOK_AHEAD])
        parts = [_plain(part) for part in re.findall(r"\d+", text)]
        if match.lastgroup == "phone" or text.count("-") > 1 or ("-" in text and min(map(len, parts)) > 2):
            return ", ".join(map(self._speller.digits, parts))
        between = ", "
        if "." in text and "," not in text:
            between = f" {self._manner.point} "
        elif ":" in text:
            between = " "
        return between.join(map(self._bare, parts))

    def _number(self, text: str, after: str) -> str:
        value = Number.parsed(text, self._language)
        if value.decimals or value.negative or value.grouped:
            return value.said(self._language)
        if value.whole == "1" and _SCALE_WORD.match(after):
            return value.said(self._language, "f" if self._language == "de" else "m")
        if value.whole == "1" and self._language == "de" and after[1:2].isupper():
            return value.said(self._language, "m")
        if len(text) == 4 and self._language == "zh" and after.startswith("年"):
            return self._speller.digits(value.whole)
        if _COUNTED.match(after):
            return self._counted(value.whole)
        return self._bare(value.whole)

    def _counted(self, digits: str) -> str:
        """Before a counter, which asks for numerals of its own in Korean and for 两 in Chinese."""
        if self._language == "ko" and 1 <= int(digits[:3]) <= _NATIVE:
            return self._speller.native(int(digits))
        return self._speller.number(digits, "m" if self._language == "zh" else "")

    def _bare(self, digits: str) -> str:
        """Digits alone: a year, a number, or something to read one by one."""
        if (digits[0] == "0" and len(digits) > 1) or (len(digits) >= _LONG and not digits.endswith("000000")):
            return self._speller.digits(digits)
        if len(digits) == 4 and int(digits) in _YEARS and self._language in _YEARS_APART:
            return self._speller.year(digits)
        return self._speller.number(digits)


_LOOK_BACK = 20


def _plain(digits: str) -> str:
    """In the digits 0 to 9, whatever script they were in."""
    return "".join(str(int(digit)) for digit in digits)
