"""Words as they are to be said."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.settings.schema import LexiconSettings
from alltalk_plugin.text.lexicon import pronounced

EN = LanguageTag("en")


def say(text: str, entries: dict[str, str], *, language: str = "en") -> str:
    lexicon = LexiconSettings(languages={LanguageTag(language): entries})
    return pronounced(text, lexicon, language=LanguageTag(language), voice="default")


@pytest.mark.parametrize(
    ("text", "entries", "spoken"),
    [
        ("Mr Nguyen's dog", {"nguyen": "win"}, "Mr win's dog"),
        ("NGUYEN waits", {"nguyen": "win"}, "win waits"),
        ("Turn US around, join us", {"US": "U S"}, "Turn U S around, join us"),
        ("caching a cache", {"cache": "cash"}, "caching a cash"),
        ("caching a cache", {"cach*": "cash"}, "cash a cash"),
        ("MySQL and SQLite", {"*sql*": "sequel"}, "sequel and sequel"),
        ("New York and York", {"york": "jork", "new york": "nu jork"}, "nu jork and jork"),
        ("a b", {"a": "b", "b": "a"}, "b a"),
        ("C++ is not C", {"C++": "see plus plus"}, "see plus plus is not C"),
        ("snake_case snake", {"snake": "x"}, "snake_case x"),
        ("cafe\u0301 now", {"café": "kaffay"}, "kaffay now"),
        ("café now", {"cafe\u0301": "kaffay"}, "kaffay now"),
        ("nothing here", {"word": "x"}, "nothing here"),
        ("a (b) [c]", {"(b)": "bee"}, "a bee [c]"),
    ],
)
def test_pronounced_when_an_entry_matches_whole_words_then_they_are_respelt(
    text: str, entries: dict[str, str], spoken: str
) -> None:
    assert say(text, entries) == spoken


@pytest.mark.parametrize(
    ("text", "entries", "spoken", "language"),
    [
        ("我在北京住", {"北京": "背景"}, "我在背景住", "zh"),
        ("彼はGPTです", {"GPT": "ジーピーティー"}, "彼はジーピーティーです", "ja"),
        ("ไปกรุงเทพมา", {"กรุงเทพ": "x"}, "ไปxมา", "th"),
        ("यह कमल है, कमला नहीं", {"कमल": "x"}, "यह x है, कमला नहीं", "hi"),
        ("שלום שלומית", {"שלום": "x"}, "x שלומית", "he"),
        ("Кот и коты", {"кот": "x"}, "x и коты", "ru"),
        ("한국 한국어", {"한국": "x"}, "x 한국어", "ko"),
    ],
)
def test_pronounced_when_the_script_differs_then_words_still_begin_and_end(
    text: str, entries: dict[str, str], spoken: str, language: str
) -> None:
    assert say(text, entries, language=language) == spoken


def test_pronounced_when_voice_and_language_both_know_a_word_then_the_voice_wins() -> None:
    lexicon = LexiconSettings(
        languages={EN: {"lead": "leed", "tear": "teer"}}, voices={"aria": {"lead": "led"}}
    )
    assert pronounced("lead tear", lexicon, language=EN, voice="aria") == "led teer"
    assert pronounced("lead tear", lexicon, language=EN, voice="other") == "leed teer"


def test_pronounced_when_the_region_has_an_entry_then_it_wins_over_the_language() -> None:
    lexicon = LexiconSettings(
        languages={EN: {"route": "root", "data": "dayta"}, LanguageTag("en-US"): {"route": "rowt"}}
    )
    assert pronounced("route data", lexicon, language=LanguageTag("en-US"), voice="x") == "rowt dayta"
    assert pronounced("route data", lexicon, language=EN, voice="x") == "root dayta"
    assert pronounced("route data", lexicon, language=None, voice="x") == "route data"
    assert pronounced("route data", lexicon, language=LanguageTag("de"), voice="x") == "route data"


@pytest.mark.parametrize("word", ["", "*", "...", "a*b*c*d", "x" * 101])
def test_settings_when_an_entry_is_no_word_then_refused(word: str) -> None:
    with pytest.raises(ValidationError):
        LexiconSettings(voices={"aria": {word: "x"}})


def test_pronounced_when_entries_are_hostile_then_work_stays_linear() -> None:
    # Two wildcards against a text that almost matches everywhere: what breaks naive patterns.
    assert say("a" * 20_000, {"a*a*b": "x"}) == "a" * 20_000
