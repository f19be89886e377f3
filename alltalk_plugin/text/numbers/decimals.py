"""Numbers with decimals, as each language says them."""

from __future__ import annotations

from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.text.numbers.manners import MANNERS
from alltalk_plugin.text.numbers.spelling import Speller

_SMALLEST_PART = 3
"""Thousandths; what is finer is read digit by digit."""

# One and several wholes, then tenths, hundredths and thousandths, one and several.
_PARTS = {
    "ru": (("целая", "целых"), ("десятая", "десятых"), ("сотая", "сотых"), ("тысячная", "тысячных")),
    "uk": (("ціла", "цілих"), ("десята", "десятих"), ("сота", "сотих"), ("тисячна", "тисячних")),
}
_HUNGARIAN = ("tized", "század", "ezred")


def with_decimals(whole: str, decimals: str, language: LanguageTag) -> str:
    """`whole` and `decimals` are digits."""
    speller, manner = Speller.of(language), MANNERS[language]
    if manner.decimals == "parts" and len(decimals) <= _SMALLEST_PART:
        return _in_parts(whole, decimals, language, speller)
    said = speller.number(whole)
    fine = _as_one(decimals, speller) if manner.decimals == "number" else speller.digits(decimals)
    return speller.gap.join((said, manner.point, fine))


def _as_one(decimals: str, speller: Speller) -> str:
    """Leading zeros one by one, the rest as one number when it is short."""
    rest = decimals.lstrip("0")
    if not rest or len(rest) > _SMALLEST_PART:
        return speller.digits(decimals)
    zeros = decimals[: len(decimals) - len(rest)]
    return " ".join(filter(None, (speller.digits(zeros), speller.number(rest))))


def _in_parts(whole: str, decimals: str, language: LanguageTag, speller: Speller) -> str:
    place = len(decimals)
    if language == "hu":
        return f"{speller.number(whole)} egész {speller.number(decimals)} {_HUNGARIAN[place - 1]}"
    if language == "cs":
        form = ("celá", "celé", "celých")[MANNERS[language].plural(int(whole[-_LAST:]))]
        return f"{speller.number(whole, 'f')} {form} {_as_one(decimals, speller)}"
    names = _PARTS[language]
    return " ".join(
        (
            speller.number(whole, "f"),
            names[0][_several(whole)],
            speller.number(decimals, "f"),
            names[place][_several(decimals)],
        )
    )


_LAST = 4  # digits that decide a plural


def _several(digits: str) -> int:
    last = int(digits[-_LAST:])
    return int(last % 10 != 1 or last % 100 == 11)
