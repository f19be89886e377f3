"""Numbers in words, by the rules of the Unicode CLDR (unicode-rbnf)."""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import TYPE_CHECKING

from alltalk_plugin.domain.language import LanguageTag

if TYPE_CHECKING:
    from unicode_rbnf import RbnfEngine

_LONGEST = 15
"""Digits of a number that is read as one; longer ones are read digit by digit."""

_GENDERS = {"m": "masculine", "f": "feminine", "n": "neuter"}
_JOINED = frozenset({"zh", "ja"})
_LOCK = threading.Lock()  # the engine sorts its rules at first use


class Speller:
    """The number words of one language. Thread-safe; `of` loads them (0.1 s for the first language)."""

    def __init__(self, language: LanguageTag) -> None:
        from unicode_rbnf import RbnfEngine

        self._language = language
        self._engine: RbnfEngine = RbnfEngine.for_language(language)
        self.gap = "" if language in _JOINED else " "

    @staticmethod
    @lru_cache(maxsize=32)
    def of(language: LanguageTag) -> Speller:
        return Speller(language)

    def number(self, digits: str, gender: str = "") -> str:
        """A whole number; `gender` (m, f, n) when a noun follows it."""
        if len(digits) > _LONGEST:
            return self.digits(digits)
        wanted = ["spellout-cardinal-" + _GENDERS[gender]] if gender else []
        if gender or self._language in ("ko", "hu"):
            wanted += ["spellout-cardinal", "spellout-cardinal-sinokorean"]
        said = self._spelt(int(digits), *wanted, "spellout-numbering")
        return self._mended(said, before_noun=bool(gender))

    def native(self, number: int) -> str:
        """Korean counts hours and things in its own numerals."""
        return self._spelt(number, "spellout-cardinal-native-attributive")

    def year(self, digits: str) -> str:
        return self._mended(self._spelt(int(digits), "spellout-numbering-year", "spellout-numbering"))

    def ordinal(self, digits: str, form: str = "") -> str | None:
        """`form` is the rest of the rule's name (`masculine`, `neuter-genitive`); None where the language
        has no rule for it."""
        if len(digits) > 4:
            return None
        name = f"spellout-ordinal-{form}" if form else "spellout-ordinal"
        return self._spelt(int(digits), name) or None

    def digits(self, digits: str) -> str:
        """One by one."""
        return self.gap.join(self._mended(self._spelt(int(one), "spellout-numbering")) for one in digits)

    def _spelt(self, number: int, *rules: str) -> str:
        with _LOCK:
            known = [rule for rule in rules if rule in self._engine.rulesets]
            if not known:
                return ""
            return self._engine.format_number(number, ruleset_names=known[:1]).text

    def _mended(self, said: str, *, before_noun: bool = False) -> str:
        match self._language:
            case "hu" if before_noun and said.endswith("kettő"):
                return said.removesuffix("kettő") + "két"
            case "zh" if before_noun and said == "二":
                return "两"
            case "zh":
                return said.replace("〇", "零")
            case "ja":
                return said.replace("〇", "ゼロ")
            case "ru":
                return _without_one(said, "тысяча")
            case "uk":
                return _without_one(said.replace("ʼ", "'"), "тисяча")
            case "cs":
                return said.replace("jeden miliarda", "jedna miliarda")
        return said


def _without_one(said: str, thousand: str) -> str:
    """1945 begins with a thousand, not with one thousand."""
    return said.removeprefix("одна ") if said.startswith(f"одна {thousand}") else said
