"""A voice that the reply itself names."""

from __future__ import annotations

import pytest

from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.speech import Reply, Segment, SpeakerRole, TextSpan
from alltalk_plugin.domain.voices import VoiceProfile
from alltalk_plugin.settings.schema import Settings
from alltalk_plugin.voices.catalog import VoiceCatalog
from alltalk_plugin.voices.characters import with_character_defaults
from alltalk_plugin.voices.router import Router

SETTINGS = Settings.model_validate(
    {
        "voices": {"aria": {}, "claire": {"language": "fr"}},
        "characters": {"Aria": {"voice": "aria", "language": "fr"}},
    }
)


def speaks(voice: VoiceProfile, language: LanguageTag) -> str | None:
    return None if voice.language in (None, language) else f"speaks {voice.language} only"


@pytest.mark.parametrize(
    ("named", "language", "voice"),
    [
        ("claire", "fr", "claire"),
        ("CLAIRE", "fr", "claire"),
        ("nobody", "fr", "aria"),
        (None, "fr", "aria"),
        # The right voice for the words: a named one that cannot speak them is passed over, and said so.
        ("claire", "en", "aria"),
    ],
)
def test_route_when_the_text_names_a_voice_then_it_speaks_if_it_exists_and_can(
    named: str | None, language: str, voice: str
) -> None:
    segment = Segment(
        text="Bonjour",
        role=SpeakerRole.CHARACTER,
        speaker="Aria",
        span=TextSpan(0, 7),
        language=LanguageTag(language),
        voice=named,
    )
    router = Router(lambda: SETTINGS, VoiceCatalog(lambda: SETTINGS), speaks)
    choice = router.route(segment, Reply(text="Bonjour", character="Aria"))
    assert choice.voice.name == voice
    assert (choice.fallback_reason is not None) == (named == "claire" and language == "en")


def test_character_when_it_speaks_one_language_only_then_its_replies_are_in_it() -> None:
    assert with_character_defaults(Reply(text="x", character="aria"), SETTINGS).language == "fr"
    asked = Reply(text="x", character="Aria", language=LanguageTag("de"))
    assert with_character_defaults(asked, SETTINGS).language == "de"
