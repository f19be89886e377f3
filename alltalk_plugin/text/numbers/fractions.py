"""Fractions in words."""

from __future__ import annotations

import unicodedata
from fractions import Fraction

from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.text.numbers.manners import MANNERS
from alltalk_plugin.text.numbers.spelling import Speller

# Half as a whole phrase, then thirds, quarters, fifths and eighths: gender of the count, and the forms.
_NAMES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "en": ("", "one half", ("third thirds", "quarter quarters", "fifth fifths", "eighth eighths")),
    "de": ("n", "ein halb", ("Drittel", "Viertel", "Fünftel", "Achtel")),
    "fr": ("m", "un demi", ("tiers", "quart quarts", "cinquième cinquièmes", "huitième huitièmes")),
    "es": ("m", "un medio", ("tercio tercios", "cuarto cuartos", "quinto quintos", "octavo octavos")),
    "it": ("m", "un mezzo", ("terzo terzi", "quarto quarti", "quinto quinti", "ottavo ottavi")),
    "pt": ("m", "um meio", ("terço terços", "quarto quartos", "quinto quintos", "oitavo oitavos")),
    "nl": ("", "een half", ("derde", "kwart", "vijfde", "achtste")),
    "ru": ("f", "одна вторая", ("третья третьих", "четвертая четвертых", "пятая пятых", "восьмая восьмых")),
    "pl": (
        "f",
        "jedna druga",
        ("trzecia trzecie", "czwarta czwarte", "piąta piąte piątych", "ósma ósme ósmych"),
    ),
    "cs": (
        "f",
        "jedna polovina",
        ("třetina třetiny", "čtvrtina čtvrtiny", "pětina pětiny pětin", "osmina osminy osmin"),
    ),
}
_EAST = {"zh": "{below}分之{above}", "ja": "{below}分の{above}", "ko": "{below}분의 {above}"}
_BELOW = (3, 4, 5, 8)


def in_words(above: int, below: int, language: LanguageTag) -> str | None:
    """A fraction that is surely one: cancelled down, less than one, with a common denominator. 24/7 and
    9/11 are not."""
    value = Fraction(above, below) if below else None
    if value is None or not 0 < value < 1 or value.denominator != below or below not in (2, *_BELOW):
        return None
    speller = Speller.of(language)
    if language in _EAST:
        return _EAST[language].format(above=speller.number(str(above)), below=speller.number(str(below)))
    if language not in _NAMES:
        return None
    gender, half, names = _NAMES[language]
    if below == 2:
        return half
    forms = names[_BELOW.index(below)].split()
    form = forms[min(_form(above, language), len(forms) - 1)]
    return f"{speller.number(str(above), gender)} {form}"


def _form(above: int, language: LanguageTag) -> int:
    return int(above > 1) if language == "ru" else MANNERS[language].plural(above)


def of_char(char: str) -> tuple[int, int]:
    """What ½ and its like are."""
    above, _, below = unicodedata.normalize("NFKC", char).partition("⁄")
    return int(above or 0), int(below)


def whole_and(whole: str, above: int, below: int, language: LanguageTag) -> str | None:
    """2½: with the language's "and a half", else None."""
    and_half = MANNERS[language].and_half
    said = Speller.of(language).number(whole)
    if language == "de":
        return _german(whole, said, above, below)
    if below == 2 and and_half is not None:
        return f"{said} {and_half}"
    part = in_words(above, below, language)
    if language == "en" and part is not None:
        return f"{said} and {part}"
    return None


def _german(whole: str, said: str, above: int, below: int) -> str | None:
    """eineinhalb, zweieinhalb; zwei drei Viertel."""
    if below == 2:
        return f"{said.removesuffix('s') if said.endswith('eins') else said}einhalb"
    part = in_words(above, below, LanguageTag("de"))
    return f"{said} {part}" if part is not None and whole != "0" else None
