"""Dates and times of day in words."""

from __future__ import annotations

from collections.abc import Sequence

from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.text.numbers import ordinals
from alltalk_plugin.text.numbers.spelling import Speller

_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
}
SLAVIC_MONTHS = {
    "ru": "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
    "uk": "січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня",
    "pl": "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada"
    " grudnia",
    "cs": "ledna února března dubna května června července srpna září října listopadu prosince",
}
"""In the genitive, as they stand after a day."""

# The days' ordinals in the genitive: first to nineteenth, twentieth, thirtieth.
_DAYS = {
    "pl": "pierwszego drugiego trzeciego czwartego piątego szóstego siódmego ósmego dziewiątego dziesiątego"
    " jedenastego dwunastego trzynastego czternastego piętnastego szesnastego siedemnastego osiemnastego"
    " dziewiętnastego dwudziestego trzydziestego",
    "cs": "prvního druhého třetího čtvrtého pátého šestého sedmého osmého devátého desátého jedenáctého"
    " dvanáctého třináctého čtrnáctého patnáctého šestnáctého sedmnáctého osmnáctého devatenáctého"
    " dvacátého třicátého",
    "uk": "першого другого третього четвертого п'ятого шостого сьомого восьмого дев'ятого десятого"
    " одинадцятого дванадцятого тринадцятого чотирнадцятого п'ятнадцятого шістнадцятого сімнадцятого"
    " вісімнадцятого дев'ятнадцятого двадцятого тридцятого",
}
_TENS = {"uk": ("двадцять", "тридцять")}
"""Ukrainian says only the ones as an ordinal; Polish and Czech both parts."""

_LAST_DAY = 31


def slavic_day(digits: str, language: LanguageTag) -> str | None:
    """The day before a month: 3 мая, 3 maja, 3. května."""
    day = int(digits)
    if not 1 <= day <= _LAST_DAY:
        return None
    if language == "ru":
        return Speller.of(language).ordinal(digits, "neuter-genitive")
    words = _DAYS[language].split()
    tens = (words[19], words[20])
    if day < 20:
        return words[day - 1]
    if day % 10 == 0:
        return tens[day // 10 - 2]
    return f"{_TENS.get(language, tens)[day // 10 - 2]} {words[day % 10 - 1]}"


def date(year: str, month: str, day: str, language: LanguageTag, *, before: str = "") -> str | None:
    """A date in figures; `before` is the text that it stands after. None where it is none."""
    if language not in _MONTHS or not 1 <= int(month) <= 12 or not 1 <= int(day) <= _LAST_DAY:
        return None
    speller = Speller.of(language)
    name = _MONTHS[language].split()[int(month) - 1]
    said_year = speller.year(year)
    plain = speller.number(day)
    match language:
        case "en":
            return f"{name} {speller.ordinal(day)}, {said_year}"
        case "de":
            said = ordinals.german(day, name, before, len(before))
            return f"{said} {name} {said_year}"
        case "fr":
            return f"{'premier' if int(day) == 1 else plain} {name} {said_year}"
        case "es" | "pt":
            return f"{plain} de {name} de {said_year}"
    return f"{plain} {name} {said_year}"


def time_of_day(hour: str, minute: str, language: LanguageTag) -> str | None:
    """14:30. None where the language wants a form that we do not know."""
    speller = Speller.of(language)
    h, m = int(hour), int(minute)
    if language == "en":
        return _english(h, m, speller)
    said = speller.number(str(h), "f" if language in ("es", "pt") else "")
    past = speller.number(str(m)) if m else ""
    if language == "ko":
        said = speller.native(h) if 1 <= h <= 12 else said
    frames = _FRAMES.get(language)
    if frames is None:
        return None
    if language == "de" and h == 1:
        said = "ein"
    if language == "fr":
        said = speller.number(str(h), "f")
        return " ".join(filter(None, (said, "heures" if h > 1 else "heure", past)))
    return frames[bool(m)].format(h=said, m=past)


# On the hour, and past it.
_FRAMES: dict[str, Sequence[str]] = {
    "de": ("{h} Uhr", "{h} Uhr {m}"),
    "fr": ("", ""),
    "es": ("{h} en punto", "{h} y {m}"),
    "it": ("{h} in punto", "{h} e {m}"),
    "pt": ("{h} em ponto", "{h} e {m}"),
    "nl": ("{h} uur", "{h} uur {m}"),
    "hu": ("{h} óra", "{h} óra {m}"),
    "tr": ("{h}", "{h} {m}"),
    "zh": ("{h}点", "{h}点{m}分"),
    "ja": ("{h}時", "{h}時{m}分"),
    "ko": ("{h} 시", "{h} 시 {m} 분"),
}


def _english(hour: int, minute: int, speller: Speller) -> str:
    said = speller.number(str(hour))
    if minute == 0:
        return f"{said} o'clock" if 1 <= hour <= 12 else f"{said} hundred"
    return f"{said} {'oh ' if minute < 10 else ''}{speller.number(str(minute))}"
