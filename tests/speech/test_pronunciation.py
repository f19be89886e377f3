"""The lexicon, on the way from a segment to its engine."""

from __future__ import annotations

from alltalk_plugin.settings.schema import LexiconSettings
from tests.speech.studio import Studio


def test_speak_when_the_voice_has_entries_then_its_engine_gets_them_and_the_text_stays() -> None:
    studio = Studio()
    lexicon = LexiconSettings(voices={"a": {"lead": "led"}})
    studio.settings = studio.settings.model_copy(update={"lexicon": lexicon})
    spoken = studio.speak("a: a lead pipe", "b: a lead pipe")
    assert studio.spoken_texts("a") == ["a led pipe"]
    assert studio.spoken_texts("b") == ["a lead pipe"]
    assert [clip.segment.text for clip in spoken.clips] == ["a lead pipe", "a lead pipe"]
    studio.service.close()
