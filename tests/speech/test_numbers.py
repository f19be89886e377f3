"""Numbers in words, on the way from a segment to an engine that cannot read them."""

from __future__ import annotations

from alltalk_plugin.domain.engines import NumberReading
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.models import ModelRef
from alltalk_plugin.settings.schema import LexiconSettings
from tests.speech.studio import Studio

READS = {"a": NumberReading.PLAIN, "b": NumberReading.ALL, "c": NumberReading.NONE}


def reads(model: ModelRef) -> NumberReading:
    return READS[model]


def test_speak_when_an_engine_cannot_read_an_amount_then_it_gets_words_and_the_text_stays() -> None:
    studio = Studio(numbers=reads, language=LanguageTag("en"))
    spoken = studio.speak("a: 5 km in 1984", "b: 5 km in 1984", "c: 5 km in 1984")
    assert studio.spoken_texts("a") == ["five kilometers in 1984"]
    assert studio.spoken_texts("b") == ["5 km in 1984"]
    assert studio.spoken_texts("c") == ["five kilometers in nineteen eighty-four"]
    assert {clip.segment.text for clip in spoken.clips} == {"5 km in 1984"}
    studio.service.close()


def test_speak_when_the_lexicon_has_the_unit_then_its_words_win() -> None:
    studio = Studio(numbers=reads, language=LanguageTag("en"))
    lexicon = LexiconSettings(languages={LanguageTag("en"): {"km": "clicks"}})
    studio.settings = studio.settings.model_copy(update={"lexicon": lexicon})
    studio.speak("a: 5 km", "c: 5 km")
    assert studio.spoken_texts("a") == ["5 clicks"]
    assert studio.spoken_texts("c") == ["five clicks"]
    studio.service.close()


def test_speak_when_a_reply_has_many_segments_then_an_engine_is_asked_once_for_each_model() -> None:
    asked: list[ModelRef] = []

    def noted(model: ModelRef) -> NumberReading:
        asked.append(model)
        return READS[model]

    studio = Studio(numbers=noted, language=LanguageTag("en"))
    studio.speak("a: 1 km", "c: 1 km", "a: 2 km", "c: 2 km")
    assert sorted(asked) == ["a", "c"]
    studio.service.close()


def test_speak_when_the_reading_changes_then_old_sound_is_not_used_again() -> None:
    studio = Studio(numbers=reads, language=LanguageTag("en"))
    studio.speak("a: 5 km")
    studio.speak("a: 5 km")
    assert studio.spoken_texts("a") == ["five kilometers"]
    studio.numbers = lambda _model: NumberReading.ALL
    studio.speak("a: 5 km")
    assert studio.spoken_texts("a") == ["five kilometers", "5 km"]
    studio.service.close()
