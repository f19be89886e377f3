"""A number, an amount and a measure in words."""

from __future__ import annotations

import re
from dataclasses import dataclass

from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.text.numbers import figures
from alltalk_plugin.text.numbers.decimals import with_decimals
from alltalk_plugin.text.numbers.manners import MANNERS
from alltalk_plugin.text.numbers.nouns import Noun, currencies, units
from alltalk_plugin.text.numbers.spelling import Speller

_MINUS = "-−"
_SCALES = {
    "k": "thousand",
    "m": "million",
    "mn": "million",
    "b": "billion",
    "bn": "billion",
    "tsd.": "tausend",
    "mio.": "Millionen",
    "mrd.": "Milliarden",
}


@dataclass(frozen=True, slots=True)
class Number:
    """As written, taken apart: plain digits, without separators."""

    whole: str
    decimals: str = ""
    negative: bool = False
    grouped: bool = False

    @staticmethod
    def parsed(text: str, language: LanguageTag) -> Number:
        digits = "".join(str(int(char)) if char.isdecimal() else char for char in text).strip()
        negative = digits[:1] in _MINUS if digits else False
        digits = digits.lstrip(_MINUS)
        manner = MANNERS[language]
        at = _decimal_at(digits, manner.decimal)
        whole, decimals = (digits, "") if at is None else (digits[:at], digits[at + 1 :])
        bare = re.sub(r"\D", "", whole)
        return Number(bare or "0", re.sub(r"\D", "", decimals), negative, bare != whole)

    def said(self, language: LanguageTag, gender: str = "") -> str:
        """In words; `gender` when a noun follows."""
        speller = Speller.of(language)
        words = (
            with_decimals(self.whole, self.decimals, language)
            if self.decimals
            else speller.number(self.whole, gender)
        )
        return f"{MANNERS[language].minus}{speller.gap}{words}" if self.negative else words


def _decimal_at(digits: str, point: str) -> int | None:
    """Where the decimals begin: at the language's own point, or at the last separator that cannot stand
    between thousands."""
    other = "," if point == "." else "."
    last_own, last_other = digits.rfind(point), digits.rfind(other)
    if last_own > last_other:
        if digits.count(point) > 1:
            return None  # the other custom's thousands
        return last_own
    if last_other >= 0 and (last_own >= 0 or (point == "," and not _thousands(digits, last_other))):
        return last_other
    return None


def _thousands(digits: str, at: int) -> bool:
    in_place = len(digits) - at - 1 == 3 and at <= 3 and digits[0] != "0"
    return in_place or digits.count(digits[at]) > 1


def measure(text: str, language: LanguageTag, *, adjective: bool = False) -> str | None:
    """5 km, 10–12 °C. An adjective (a 5 km run) has the singular."""
    figure = figures.number(language)
    found = re.fullmatch(rf"([-−]?{figure})(?:{figures.DASH}({figure}))?{figures.GAP}(\S+)", text)
    noun = units(language).get(found[3]) if found is not None else None
    if found is None or noun is None:
        return None
    values = [Number.parsed(value, language) for value in found.group(1, 2) if value]
    gap = Speller.of(language).gap
    ends = [value.said(language, noun.gender) for value in values]
    to = MANNERS[language].to
    last = values[-1]
    name = noun.forms[0] if adjective else noun.after(last.whole, last.decimals, language)
    return f"{to.join(ends)}{gap}{name}"


def money(text: str, language: LanguageTag, *, adjective: bool = False) -> str | None:
    """$12.50, 12,50 €, $1.2 million. An adjective (a $20 bill) has the singular."""
    known = currencies(language)
    found = re.search("|".join(re.escape(sign) for sign in sorted(known, key=len, reverse=True)), text)
    figure = re.search(figures.number(language), text)
    if found is None or figure is None:
        return None
    major, minor = known[found[0]]
    if adjective:
        major = Noun(major.gender, major.forms[:1])
        minor = None if minor is None else Noun(minor.gender, minor.forms[:1])
    negative = text.lstrip()[0] in _MINUS
    value = Number.parsed(figure[0], language)
    said = _scaled(text[figure.end() :], value, major, language) or _paid(value, major, minor, language)
    return f"{MANNERS[language].minus} {said}" if negative else said


def _scaled(rest: str, value: Number, major: Noun, language: LanguageTag) -> str | None:
    for scale in sorted(figures.SCALES.get(language, ()), key=len, reverse=True):
        if rest.strip(" \u00a0\u202f").startswith(scale):
            word = _SCALES.get(scale.casefold(), scale)
            feminine = "f" if language == "de" and word.startswith("M") else ""
            if word.startswith("Milli") and value.whole == "1" and not value.decimals:
                word = word.removesuffix("en") if word == "Millionen" else word.removesuffix("n")
            return f"{value.said(language, feminine)} {word} {major.forms[-1]}"
    return None


def _paid(value: Number, major: Noun, minor: Noun | None, language: LanguageTag) -> str:
    manner, speller = MANNERS[language], Speller.of(language)
    cents = value.decimals
    if len(cents) != 2 or manner.cents is None or (manner.cents_named and minor is None):
        if not cents.strip("0"):
            value, cents = Number(value.whole), ""
        return f"{value.said(language, major.gender)}{speller.gap}{major.after(value.whole, cents, language)}"
    parts = [Number(value.whole).said(language, major.gender), major.after(value.whole, "", language)]
    if cents != "00":
        small = str(int(cents))
        named = minor if manner.cents_named else None
        if value.whole == "0" and minor is not None:
            parts, named = [], minor
        parts += [manner.cents if parts else "", speller.number(small, named.gender if named else "")]
        parts += [named.after(small, "", language)] if named else []
    return " ".join(filter(None, parts))


def percent(text: str, language: LanguageTag) -> str:
    """Chinese and Turkish, which say it before the number."""
    said = Number.parsed(text.strip("% \u00a0\u202f"), language).said(language)
    return f"百分之{said}" if language == "zh" else f"yüzde {said}"
