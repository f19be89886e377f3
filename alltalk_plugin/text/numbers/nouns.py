"""Units and money: what follows a number, in the form that the number asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.text.numbers import money, units_invariant, units_slavic, units_western
from alltalk_plugin.text.numbers.manners import MANNERS

_EXACT = 15


@dataclass(frozen=True, slots=True)
class Noun:
    """`gender` is m, f, n or "" where it does not matter; `forms` are chosen by the language's plural rule,
    and one more, where there is one, goes with decimals."""

    gender: str
    forms: tuple[str, ...]

    def after(self, whole: str, decimals: str, language: LanguageTag) -> str:
        """The noun after a number."""
        if decimals:
            return self._after_decimals(whole, language)
        return self.forms[min(MANNERS[language].plural(_count(whole)), len(self.forms) - 1)]

    def _after_decimals(self, whole: str, language: LanguageTag) -> str:
        if language == "fr":  # 1,5 kilomètre
            return self.forms[int(_count(whole) > 1) if len(self.forms) > 1 else 0]
        # The few-form is the genitive singular in Russian; Ukrainian, Polish and Czech have a fourth.
        return self.forms[1] if language == "ru" and len(self.forms) == 3 else self.forms[-1]


def _count(digits: str) -> int:
    """A number with the same plural."""
    return int(digits) if len(digits) <= _EXACT else 10**_EXACT + int(digits[-3:])


@lru_cache(maxsize=32)
def units(language: LanguageTag) -> Mapping[str, Noun]:
    """Unit as written -> its noun. Empty for a language whose forms we do not know."""
    for tables in (units_western.UNITS, units_slavic.UNITS, units_invariant.UNITS):
        if language in tables:
            return parsed(tables[language])
    return {}


@lru_cache(maxsize=32)
def currencies(language: LanguageTag) -> Mapping[str, tuple[Noun, Noun | None]]:
    """Sign or code -> the money and its hundredth part."""
    table = money.MONEY.get(language)
    if table is None:
        return {}
    nouns = parsed(table)
    found: dict[str, tuple[Noun, Noun | None]] = {}
    for code, signs in money.SIGNS.items():
        if code in nouns:
            found |= dict.fromkeys((*signs, code), (nouns[code], nouns.get(code.lower())))
    return found


def parsed(table: str) -> dict[str, Noun]:
    """Lines of `names gender form|form`, gender `-` where it does not matter."""
    found: dict[str, Noun] = {}
    for line in table.strip().splitlines():
        names, gender, forms = line.strip().split(" ", 2)
        noun = Noun(gender.strip("-"), tuple(forms.split("|")))
        found |= {name.replace("_", " "): noun for name in names.split(",")}
    return found
