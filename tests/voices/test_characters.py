"""Characters by any of their names."""

from __future__ import annotations

import pytest

from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.speech import Chat, Reply
from alltalk_plugin.settings.schema import Settings
from alltalk_plugin.voices.characters import find_character, with_character_defaults

SETTINGS = Settings.model_validate(
    {"characters": {"Ärger": {"voice": "default", "aliases": ["STRASSE"], "default_language": "de"}}}
)


@pytest.mark.parametrize(
    ("called", "name"),
    [("Ärger", "Ärger"), ("ärger ", "Ärger"), ("straße", "Ärger"), ("Arger", None), ("", None), (None, None)],
)
def test_character_when_called_then_found_by_name_or_alias_in_any_case(
    called: str | None, name: str | None
) -> None:
    found = find_character(SETTINGS, called)
    assert (found.name if found else None) == name


@pytest.mark.parametrize(
    ("character", "own", "after"),
    [("ärger", None, "de"), ("ärger", "fr", "fr"), ("Bob", None, None), (None, None, None)],
)
def test_default_language_when_the_reply_names_none_then_the_characters(
    character: str | None, own: str | None, after: str | None
) -> None:
    reply = Reply(text="x", character=character, default_language=LanguageTag(own) if own else None)
    assert with_character_defaults(reply, SETTINGS).default_language == after


def test_with_character_defaults_when_the_host_has_no_roster_then_known_characters_may_speak_lines() -> None:
    settings = Settings.model_validate({"characters": {"Bram": {"voice": "default", "aliases": ["B"]}}})
    reply = with_character_defaults(Reply(text="x", chat=Chat(roster=("Aria", "Bram"))), settings)
    assert reply.chat.roster == ("Aria", "Bram", "B")


def test_with_character_defaults_when_others_have_a_language_then_their_lines_are_in_it() -> None:
    settings = Settings.model_validate(
        {
            "characters": {
                "Aria": {"voice": "default", "language": "fr"},
                "Bram": {"voice": "default", "aliases": ["B"], "language": "nl"},
                "Carl": {"voice": "default"},
            }
        }
    )
    reply = with_character_defaults(Reply(text="x", character="aria"), settings)
    assert reply.language == "fr"
    assert reply.speaker_languages == (("Aria", "fr"), ("Bram", "nl"), ("B", "nl"))
    asked = with_character_defaults(Reply(text="x", language=LanguageTag("de")), settings)
    assert (asked.language, asked.speaker_languages) == ("de", ())
