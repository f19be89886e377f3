"""Ordinal numbers: how each language marks them, and which form it wants."""

from __future__ import annotations

import re

from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.text.numbers.spelling import Speller

# What follows the digits -> the form of the ordinal, as the spelling rules call it.
MARKS: dict[str, dict[str, str]] = {
    "en": dict.fromkeys(("st", "nd", "rd", "th"), ""),
    "fr": {
        **dict.fromkeys(("er", "e", "ème", "eme", "ième", "nd"), "masculine"),
        **dict.fromkeys(("re", "ère", "nde"), "feminine"),
        **dict.fromkeys(("es", "èmes"), "masculine-plural"),
    },
    "es": {
        **dict.fromkeys(("º", ".º"), "masculine"),
        **dict.fromkeys(("ª", ".ª"), "feminine"),
        **dict.fromkeys(("er", ".er"), "masculine-adjective"),
    },
    "it": {"º": "masculine", "ª": "feminine"},
    "pt": {**dict.fromkeys(("º", ".º"), "masculine"), **dict.fromkeys(("ª", ".ª"), "feminine")},
    "nl": dict.fromkeys(("e", "de", "ste"), ""),
    "ru": {
        "-й": "masculine",
        "-я": "feminine",
        "-е": "neuter",
        "-го": "masculine-genitive",
        "-му": "masculine-dative",
        "-ю": "feminine-accusative",
    },
}

GERMAN_NOUNS = (
    "Januar Jänner Februar März April Mai Juni Juli August September Oktober November Dezember"
    " Jahrhundert Jahrhunderts Jahrtausend Weltkrieg Weltkriegs Klasse Tag Tages Mal Platz Kapitel Stock"
    " Etage Jahrestag Geburtstag Lebensjahr Semester Runde Woche Monat Quartal Liga Akt Versuch Stunde"
    " Band Teil Auflage Reihe Bundesliga Advent Stufe Level Person Gang Schritt"
)
_WEAK = re.compile(
    r"\b(?:am|vom|zum|zur|dem|den|des|im|beim|bis|ab|seit|ins|aufs|diesem|diesen|jeden|jedem|einem|einen"
    r"|eines|einer|meinem|meinen|seinem|seinen|ihrem|ihren|unserem|unseren|letzten|nächsten"
    r"|(?:in|an|auf|mit|nach|von|aus|bei|zu|vor|während|trotz|wegen) (?:der|dieser|meiner|seiner|ihrer))\s$",
    re.IGNORECASE,
)
_DEFINITE = re.compile(
    r"\b(?:der|die|das|diese|dieses|jede|jedes|eine|meine|seine|ihre|unsere)\s$", re.IGNORECASE
)
_NEUTER_NOUNS = ("Jahr", "Mal", "Kapitel", "Semester", "Quartal", "Level")
_FEMININE_NOUNS = re.compile(
    r"(?:Klasse|Etage|Runde|Woche|Liga|Stunde|Auflage|Reihe|Bundesliga|Stufe|Person)\Z"
)
_ANOTHER = re.compile(r"\d{1,3}\.\s(?:und|oder|bis)\s\Z")
"""am 3. und 4. Oktober: both stand in the case of the first."""
_CONTEXT = 36


def marked(digits: str, mark: str, language: LanguageTag) -> str | None:
    """1st, 2ème, 3ª, 5-й; None when it is none."""
    forms = MARKS.get(language, {})
    mark = mark.casefold()
    if mark not in forms or not 1 <= int(digits[:5]) <= _HIGHEST:
        return None
    said = Speller.of(language).ordinal(digits, forms[mark])
    if language == "fr" and mark in ("nd", "nde"):
        return {"nd": "second", "nde": "seconde"}[mark] if digits == "2" else None
    return said


_HIGHEST = 9999


def german(digits: str, noun: str, text: str, at: int) -> str | None:
    """`3.` before one of `GERMAN_NOUNS`, in the case that the words before it ask for."""
    before = _ANOTHER.sub("", text[max(0, at - _CONTEXT) : at])
    speller = Speller.of(LanguageTag("de"))
    if _WEAK.search(before):
        return speller.ordinal(digits, "n")
    if _DEFINITE.search(before) or _FEMININE_NOUNS.match(noun):
        return speller.ordinal(digits)
    return speller.ordinal(digits, "s" if noun.startswith(_NEUTER_NOUNS) else "r")
