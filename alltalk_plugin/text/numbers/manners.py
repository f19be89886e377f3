"""How each language writes and says numbers: separators, and the small words between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from alltalk_plugin.domain.language import LanguageTag


def _alone(number: int) -> int:
    return int(number != 1)


def _up_to_one(number: int) -> int:
    return int(number > 1)


def _never(_number: int) -> int:
    return 0


def _east_slavic(number: int) -> int:
    if number % 10 == 1 and number % 100 != 11:
        return 0
    return 1 if number % 10 in (2, 3, 4) and number % 100 not in (12, 13, 14) else 2


def _polish(number: int) -> int:
    if number == 1:
        return 0
    return 1 if number % 10 in (2, 3, 4) and number % 100 not in (12, 13, 14) else 2


def _czech(number: int) -> int:
    return 0 if number == 1 else 1 if number in (2, 3, 4) else 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """One language's way with numbers.

    point: between whole and decimals. decimals: "digits" one by one, "number" as one number, "parts" as
    tenths and hundredths (their words are in `decimals.py`). to: between the ends of a range, with its
    spaces; "-" where people say just the two numbers. plural: number -> which form of a noun; a noun has
    one form more for numbers with decimals where that is a form of its own. oblique: words after which a
    number stands in a case that the tables do not have.
    """

    decimal: str
    point: str
    minus: str
    plural: Callable[[int], int]
    decimals: str = "digits"
    spaced_groups: bool = False
    to: str = "-"
    section: tuple[str, str] | None = None
    cents: str | None = None
    cents_named: bool = True
    and_half: str | None = None
    oblique: frozenset[str] = frozenset()


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


MANNERS: dict[LanguageTag, Manner] = {
    LanguageTag(tag): manner
    for tag, manner in {
        "en": Manner(
            decimal=".",
            point="point",
            minus="minus",
            plural=_alone,
            to=" to ",
            section=("section", "sections"),
            cents="and",
            and_half="and a half",
        ),
        "de": Manner(
            decimal=",",
            point="Komma",
            minus="minus",
            plural=_alone,
            to=" bis ",
            section=("Paragraph", "Paragraphen"),
            cents="",
            cents_named=False,
        ),
        "fr": Manner(
            decimal=",",
            point="virgule",
            minus="moins",
            plural=_up_to_one,
            decimals="number",
            spaced_groups=True,
            to=" à ",
            section=("paragraphe", "paragraphes"),
            cents="",
            cents_named=False,
            and_half="et demi",
        ),
        "es": Manner(
            decimal=",",
            point="coma",
            minus="menos",
            plural=_alone,
            decimals="number",
            spaced_groups=True,
            to=" a ",
            section=("párrafo", "párrafos"),
            cents="con",
            cents_named=False,
            and_half="y medio",
        ),
        "it": Manner(
            decimal=",",
            point="virgola",
            minus="meno",
            plural=_alone,
            decimals="number",
            to=" a ",
            section=("paragrafo", "paragrafi"),
            cents="e",
            cents_named=False,
            and_half="e mezzo",
        ),
        "pt": Manner(
            decimal=",",
            point="vírgula",
            minus="menos",
            plural=_alone,
            decimals="number",
            spaced_groups=True,
            to=" a ",
            section=("parágrafo", "parágrafos"),
            cents="e",
            cents_named=False,
            and_half="e meio",
        ),
        "nl": Manner(
            decimal=",",
            point="komma",
            minus="min",
            plural=_never,
            to=" tot ",
            section=("paragraaf", "paragrafen"),
            cents="",
            cents_named=False,
        ),
        "pl": Manner(
            decimal=",",
            point="przecinek",
            minus="minus",
            plural=_polish,
            decimals="number",
            spaced_groups=True,
            section=("paragraf", "paragrafy"),
            cents="",
            and_half="i pół",
            oblique=_words(
                "od do około bez z ze po przed za nad pod między o w we przy ku dzięki ponad poniżej powyżej"
                " mniej więcej niż dla wśród oprócz według"
            ),
        ),
        "ru": Manner(
            decimal=",",
            point="целых",
            minus="минус",
            plural=_east_slavic,
            decimals="parts",
            spaced_groups=True,
            section=("параграф", "параграфы"),
            cents="",
            and_half="с половиной",
            oblique=_words(
                "от до около без из с со к ко в во о об обо при между над под перед после более менее больше"
                " меньше свыше у для по порядка кроме против среди выше ниже"
            ),
        ),
        "uk": Manner(
            decimal=",",
            point="цілих",
            minus="мінус",
            plural=_east_slavic,
            decimals="parts",
            spaced_groups=True,
            section=("параграф", "параграфи"),
            cents="",
            and_half="з половиною",
            oblique=_words(
                "від до близько біля без із з зі к у в о об при між над під перед після більше менше понад"
                " для по крім проти серед"
            ),
        ),
        "cs": Manner(
            decimal=",",
            point="celých",
            minus="minus",
            plural=_czech,
            decimals="parts",
            spaced_groups=True,
            section=("paragraf", "paragrafy"),
            cents="",
            and_half="a půl",
            oblique=_words(
                "od do okolo bez z ze po před za nad pod mezi o v ve při k ke u kolem kromě podle proti více"
                " méně než s se během"
            ),
        ),
        "hu": Manner(
            decimal=",", point="egész", minus="mínusz", plural=_never, decimals="parts", spaced_groups=True
        ),
        "tr": Manner(decimal=",", point="virgül", minus="eksi", plural=_never, to=" ila "),
        "zh": Manner(decimal=".", point="点", minus="负", plural=_never, to="到"),
        "ja": Manner(decimal=".", point="点", minus="マイナス", plural=_never, to="から"),
        "ko": Manner(decimal=".", point="점", minus="마이너스", plural=_never, to="에서 "),
        "hi": Manner(decimal=".", point="दशमलव", minus="ऋण", plural=_never, to=" से "),
        "ar": Manner(decimal=".", point="فاصلة", minus="ناقص", plural=_never, to="، "),
    }.items()
}
"""The languages in which numbers are written out; text in any other stays as it is."""
