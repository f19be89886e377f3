"""Numbers, amounts and units in words, for engines that cannot read them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alltalk_plugin.domain.engines import NumberReading
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.text.numbers.manners import MANNERS
from alltalk_plugin.text.numbers.nouns import currencies, units
from alltalk_plugin.text.numbers.written import written_out

ALL, PLAIN, NONE = NumberReading.ALL, NumberReading.PLAIN, NumberReading.NONE


def said(text: str, language: str, reading: NumberReading = PLAIN) -> str:
    return written_out(text, reading, LanguageTag(language))


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "$12.50", "twelve dollars and fifty cents"),
        ("en", "£3 each", "three pounds each"),
        ("en", "$0.50", "fifty cents"),
        ("en", "-$5", "minus five dollars"),
        ("en", "$1.2k", "one point two thousand dollars"),
        ("en", "$1.2 million", "one point two million dollars"),
        ("en", "3/4", "three quarters"),
        ("en", "2½ cups", "two and a half cups"),
        ("en", "1 1/2", "one and a half"),
        ("en", "the 21st", "the twenty-first"),
        ("en", "1 km, 5km", "one kilometer, five kilometers"),
        ("en", "10–12 km", "ten to twelve kilometers"),
        ("en", "-5 °C", "minus five degrees Celsius"),
        ("en", "60 km/h", "sixty kilometers per hour"),
        ("en", "50%", "fifty percent"),
        ("en", "1914–1918", "nineteen fourteen to nineteen eighteen"),
        ("en", "2:05 pm", "two oh five pm"),
        ("en", "the 1990s", "the nineteen nineties"),
        ("en", "2024-05-17", "May seventeenth, twenty twenty-four"),
        ("en", "12/25/2024", "December twenty-fifth, twenty twenty-four"),
        ("en", "§ 5", "section five"),
        ("en", "a $2.50 coffee, a 5 km run", "a two dollar and fifty cent coffee, a five kilometer run"),
        ("en", "20th-century", "twentieth-century"),
        ("en", "(5%-10%)", "(five percent-ten percent)"),
        ("de", "am 3. und 4. Oktober", "am dritten und vierten Oktober"),
        ("de", "vom 3. bis zum 5. Mai", "vom dritten bis zum fünften Mai"),
        ("de", "um 14.30 Uhr", "um vierzehn Uhr dreißig"),
        ("de", "80er-Jahre", "achtziger-Jahre"),
        ("de", "12,50 €", "zwölf Euro fünfzig"),
        ("de", "5 Mio. €", "fünf Millionen Euro"),
        ("de", "1 Mio. €", "eine Million Euro"),
        ("de", "1 Std.", "eine Stunde"),
        ("de", "2½", "zweieinhalb"),
        ("de", "am 3. Mai", "am dritten Mai"),
        ("de", "der 3. Mai", "der dritte Mai"),
        ("de", "im 19. Jahrhundert", "im neunzehnten Jahrhundert"),
        ("de", "am 17.05.2024", "am siebzehnten Mai zweitausendvierundzwanzig"),
        ("de", "14:30 Uhr", "vierzehn Uhr dreißig"),
        ("de", "§§ 5–7", "Paragraphen fünf bis sieben"),
        ("fr", "le 1er, la 2e", "le premier, la deuxième"),
        ("fr", "14h30", "quatorze heures trente"),
        ("fr", "1,5 km", "un virgule cinq kilomètre"),
        ("fr", "80 €", "quatre-vingts euros"),
        ("es", "200 £", "doscientas libras"),
        ("es", "21 km", "veintiún kilómetros"),
        ("es", "3.er", "tercer"),
        ("it", "3ª", "terza"),
        ("pt", "2 t", "duas toneladas"),
        ("nl", "14:30 uur", "veertien uur dertig"),
        ("ru", "1 мин, 22 км, 5 км", "одна минута, двадцать два километра, пять километров"),
        ("ru", "2,5 км", "две целых пять десятых километра"),
        ("ru", "21 мая", "двадцать первого мая"),
        ("ru", "5-я", "пятая"),
        ("uk", "2 км, 20 ₴", "два кілометри, двадцять гривень"),
        ("uk", "23 травня", "двадцять третього травня"),
        ("pl", "2 zł, 5 km", "dwa złote, pięć kilometrów"),
        ("pl", "21 maja", "dwudziestego pierwszego maja"),
        ("cs", "3. května", "třetího května"),
        ("cs", "1,5 km", "jedna celá pět kilometru"),
        ("hu", "2 km", "két kilométer"),
        ("tr", "%50, 50%", "yüzde elli, yüzde elli"),
        ("zh", "跑了2 km", "跑了两公里"),
        ("zh", "50%", "百分之五十"),
        ("ja", "約5km", "約五キロメートル"),
        ("ko", "2:30", "두 시 삼십 분"),
        ("ko", "5kg의", "오 킬로그램의"),
        ("hi", "₹50", "पचास रुपये"),
    ],
)
def test_amount_when_engines_garble_it_then_written_out(language: str, text: str, expected: str) -> None:
    assert said(text, language) == expected
    assert said(expected, language) == expected


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "1,234,567", "one million two hundred thirty-four thousand five hundred sixty-seven"),
        ("en", "In 1984", "In nineteen eighty-four"),
        ("en", "-3.14", "minus three point one four"),
        ("en", "1.234,50", "one thousand two hundred thirty-four point five zero"),
        ("en", "3.11.7", "three point eleven point seven"),
        ("en", "978-3-16", "nine seven eight, three, one six"),
        ("en", "+49 30 123456", "four nine, three zero, one two three four five six"),
        ("en", "555-1234", "five five five, one two three four"),
        ("en", "5551234567", "five five five one two three four five six seven"),
        ("en", "agent 007", "agent zero zero seven"),
        ("en", "a 20-year-old", "a twenty-year-old"),
        ("en", "24/7", "twenty-four, seven"),
        ("de", "1.234,5", "eintausendzweihundertvierunddreißig Komma fünf"),
        ("de", "0.125 und 3.5", "null Komma eins zwei fünf und drei Komma fünf"),
        ("de", "1 Hund, 1984", "ein Hund, neunzehnhundertvierundachtzig"),
        ("fr", "1 234 567", "un million deux cent trente-quatre mille cinq cent soixante-sept"),
        ("es", "1 millón", "un millón"),
        ("ru", "14:30", "четырнадцать тридцать"),
        ("hi", "1,00,000", "एक लाख"),
        ("ru", "1945", "тысяча девятьсот сорок пять"),
        ("ko", "3시, 21명", "세시, 스물한명"),
        ("zh", "2个, 12个", "两个, 十二个"),
        ("zh", "2024年", "二零二四年"),
        ("ja", "1984年", "千九百八十四年"),
        ("hi", "५", "पाँच"),
        ("ar", "٣٤", "أربعة وثلاثون"),
    ],
)
def test_number_when_the_engine_reads_none_then_written_out_and_else_left(
    language: str, text: str, expected: str
) -> None:
    assert said(text, language, NONE) == expected
    if text != "14:30":
        assert said(text, language) == text


@pytest.mark.parametrize("text", ["B2B and R2-D2", "an MP3 from 4chan", "x86-64", "km2", "5 m2b", "XIV"])
def test_digits_when_inside_a_word_then_left_alone(text: str) -> None:
    assert said(text, "en", PLAIN) == text
    assert said(text, "en", NONE).replace("five", "5") == text


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "03/04/2024"),
        ("en", "24/7 and 9/11"),
        ("en", "555-1234"),
        ("en", "192.168.0.1"),
        ("de", "Ich nehme 3. Danach gehen wir."),
        ("it", "5 l'uno"),
        ("fr", "1/2 heure"),
        ("de", "1/2 Liter"),
        ("ru", "в 5 км от города"),
        ("ru", "5 с половиной"),
        ("pl", "do 5 km"),
        ("ar", "5 km"),
    ],
)
def test_amount_when_its_reading_is_uncertain_then_the_engine_decides(language: str, text: str) -> None:
    assert said(text, language) == text


def test_text_when_the_engine_reads_all_or_the_language_is_unknown_then_untouched() -> None:
    text = "5 km for $3 in 1984"
    assert said(text, "en", ALL) == text
    assert said(text, "xx", NONE) == text
    assert written_out(text, NONE, None) == text
    assert said(text, "en-GB") == said(text, "en") == "five kilometers for three dollars in 1984"


def test_digits_when_there_are_thousands_then_read_one_by_one() -> None:
    assert said("1" * 5000, "en", NONE) == " ".join(["one"] * 5000)


_PIECES = st.one_of(
    st.integers(0, 10**7).map(str),
    st.sampled_from([*"0123456789.,:/-–−°%$€£ §½¾'’()+", *"٣४１\n\u00a0\u202f年円X"]),
    st.sampled_from([" km", "km/h", "st", "th", "ème", "º", " мая", " мин", ". Mai", "h30", " Mio. €", " a"]),
    st.characters(),
)
_JOINING = re.compile(r"[\w.,:/'’\-–−\u00a0\u202f\u2009 ]")


def _token(text: str, at: int) -> str:
    first, last = at, at
    while first and _JOINING.match(text[first - 1]):
        first -= 1
    while last < len(text) and _JOINING.match(text[last]):
        last += 1
    return text[first:last]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(_PIECES, max_size=12).map("".join),
    st.sampled_from(list(MANNERS)),
    st.sampled_from(NumberReading),
)
def test_any_text_when_written_out_then_stable_and_no_digit_stands_alone(
    text: str, language: LanguageTag, reading: NumberReading
) -> None:
    once = written_out(text, reading, language)
    assert written_out(once, reading, language) == once
    if reading is NONE:
        for match in re.finditer(r"\d", once):
            assert re.search(r"[^\W\d]|[^\w\s.,:/'’\-–−]", _token(once, match.start()))


@pytest.mark.parametrize("language", MANNERS)
def test_tables_when_a_noun_has_forms_then_every_count_finds_one(language: LanguageTag) -> None:
    nouns = [*units(language).values(), *(major for major, _ in currencies(language).values())]
    for noun in nouns:
        for whole in ("0", "1", "2", "5", "11", "21", "1" * 40):
            for decimals in ("", "5"):
                form = noun.after(whole, decimals, language)
                assert form
                assert not re.search(r"\d", form)
