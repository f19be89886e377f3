"""How numbers look in a text: the patterns, for each language. Linear: every number is tried once at its
start, and nothing in a pattern gives back what it took."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.text.numbers.dates import SLAVIC_MONTHS
from alltalk_plugin.text.numbers.manners import MANNERS
from alltalk_plugin.text.numbers.nouns import currencies, units
from alltalk_plugin.text.numbers.ordinals import GERMAN_NOUNS, MARKS

_UNSPACED = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
"""Han, kana and Hangul, which stand right beside a number and do not make it part of a word."""
LETTER = rf"[^\W{_UNSPACED}¹²³⁰-⁹]"
LINK = r"[.,:/'’\-–−]"
"""Between two digits: versions, dates, scores, telephone numbers. They are read whole or not at all."""
START = rf"(?<!{LETTER})(?<!\d{LINK})"
END = rf"(?!{LETTER})(?!{LINK}\d)"
SIGNED = rf"(?:(?<![^\s(])[-−](?=\d)|{START})"
GAP = "[ \u00a0\u202f\u2009]?"
DASH = rf"(?:{GAP}[–—]{GAP}|-)"
_INDIAN = r"|\d{1,2}(?:,\d{2})+,\d{3}(?!\d)(?:\.\d+)?"
"""Lakhs and crores: 1,00,000."""
HALVES = "½⅓⅔¼¾⅕⅖⅗⅘⅛⅜⅝⅞"
SCALES = {
    "en": ("k", "K", "thousand", "M", "m", "mn", "million", "B", "bn", "billion", "trillion"),
    "de": ("Tsd.", "Mio.", "Mrd.", "Millionen", "Milliarden", "Million", "Milliarde"),
}


@lru_cache(maxsize=32)
def number(language: LanguageTag) -> str:
    """A number with the separators of the language, or of the other custom where that is unmistakable."""
    manner = MANNERS[language]
    point, other = (r"\.", ",") if manner.decimal == "." else (",", r"\.")
    groups = f"[{other}'’\u00a0\u202f\u2009{' ' if manner.spaced_groups else ''}]"
    decimal = r"\." if manner.decimal == "." else "[.,]"
    return (
        rf"(?>(?!0)\d{{1,3}}(?:{groups}\d{{3}})+(?!\d)(?:{point}\d+)?"
        rf"{_INDIAN if other == ',' else ''}"
        rf"|\d{{1,3}}(?:{point}\d{{3}})+(?!\d){other}\d+"
        rf"|\d+(?:{decimal}\d+)?)"
    )


@lru_cache(maxsize=32)
def garbled(language: LanguageTag) -> re.Pattern[str]:
    """What engines that read numbers do not read; the name of the group says what it is."""
    value = number(language)
    kinds = [
        *_dates(language),
        *_money(language, value),
        *_percent(language, value),
        *_measured(language, value),
        *_ordinals(language),
        (
            rf"(?P<fraction>(?:{START}\d{{1,3}}[ ]?|(?<![\w/]))[{HALVES}](?!\w)"
            rf"|{START}(?:\d{{1,3}}[ ])?\d/\d{END})"
        ),
    ]
    if MANNERS[language].section is not None:
        kinds.append(rf"(?P<section>§§?{GAP}\d{{1,4}}(?:{DASH}\d{{1,4}})?{END})")
    kinds.append(rf"(?P<span>{START}\d{{1,4}}{DASH}\d{{1,4}}{END})")
    return re.compile("|".join(kinds))


@lru_cache(maxsize=32)
def figures(language: LanguageTag) -> re.Pattern[str]:
    """Every number that is left, for engines that cannot read any."""
    value = number(language)
    return re.compile(
        rf"(?P<phone>{START}\+\d[\d ()/.-]{{5,20}}\d{END}|\(\d{{3}}\)[ ]?\d{{3}}-\d{{4}}{END})"
        rf"|(?P<number>{SIGNED}{value}{END})"
        rf"|(?P<chain>{START}\d++(?:{LINK}\d++)++(?!{LETTER}))"
    )


def _dates(language: LanguageTag) -> Iterable[str]:
    yield rf"(?P<iso>{START}[12]\d{{3}}-[01]\d-[0-3]\d{END})"
    yield rf"(?P<date>{START}[0-3]?\d(?P<dot>[./])[0-3]?\d(?P=dot)[12]\d{{3}}{END})"
    if language in SLAVIC_MONTHS:
        months = SLAVIC_MONTHS[language].replace(" ", "|")
        dot = r"\.?" if language == "cs" else ""
        yield rf"(?P<day>{START}[0-3]?\d{dot}(?=[ \u00a0](?:{months})\b))"
    if language == "de":
        nouns = GERMAN_NOUNS.replace(" ", "|")
        later = r"(?:[ ](?:bis|und|oder)(?:[ ](?:zum|am))?[ ]\d{1,2}\.)?"
        yield rf"(?P<nth>{START}\d{{1,3}}\.(?={later}[ \u00a0]?(?P<noun>{nouns})\b))"
        yield rf"(?P<clock>{START}(?:[01]?\d|2[0-3])\.[0-5]\d{GAP}Uhr{END})"
    word = {"de": rf"(?:{GAP}Uhr\b)?", "nl": rf"(?:{GAP}uur\b)?"}.get(language, "")
    yield rf"(?P<time>{START}(?:[01]?\d|2[0-3]):[0-5]\d{word}{END})"
    if language in ("fr", "pt"):
        yield rf"(?P<hours>{START}(?:[01]?\d|2[0-3]){GAP}h{GAP}[0-5]\d{END})"
    if language == "en":
        yield rf"(?P<decade>{START}(?:1[1-9]|20)?[0-9]0s(?!{LETTER}))"
    if language == "de":
        yield rf"(?P<decade>{START}(?:1[1-9]|20)?[0-9]0er(?!{LETTER}))"


def _money(language: LanguageTag, value: str) -> Iterable[str]:
    names = currencies(language)
    if names:
        known = _any_of(names)
        scale = rf"(?:[ ]?(?:{_any_of(SCALES[language])}){END})?" if language in SCALES else ""
        yield rf"(?P<money>(?<![^\W\d{_UNSPACED}])[-−]?(?:{known}){GAP}{value}{scale}{END})"
        yield rf"(?P<amount>{SIGNED}{value}{scale}{GAP}(?:{known}){_after_unit()})"


def _percent(language: LanguageTag, value: str) -> Iterable[str]:
    if language in ("zh", "tr"):
        yield rf"(?P<percent>(?:{SIGNED}{value}{GAP}%|(?<!\w)%{GAP}{value}{END}))"


def _measured(language: LanguageTag, value: str) -> Iterable[str]:
    if units(language):
        several = rf"(?:{DASH}{value})?"
        yield rf"(?P<measure>{SIGNED}{value}{several}{GAP}(?:{_any_of(units(language))}){_after_unit()})"


def _ordinals(language: LanguageTag) -> Iterable[str]:
    if language in MARKS:
        yield rf"(?P<ordinal>{START}\d{{1,4}}(?i:{_any_of(MARKS[language])})(?!{LETTER}))"


def _after_unit() -> str:
    """Not in a word: 5 l'uno, 5 m2b."""
    return rf"(?!{LETTER})(?!['’-][^\W\d])"


def _any_of(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
