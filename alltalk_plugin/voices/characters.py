"""Finding a character by any of its names, and what its settings add to a reply."""

from __future__ import annotations

from dataclasses import dataclass, replace

from alltalk_plugin.domain.speech import Reply
from alltalk_plugin.settings.schema import CharacterSettings, Settings


@dataclass(frozen=True, slots=True)
class Character:
    """A character's own entry; `name` as the settings spell it."""

    name: str
    settings: CharacterSettings


def find_character(settings: Settings, name: str | None) -> Character | None:
    """The entry that has `name` as its name or alias, upper and lower case alike."""
    if not name:
        return None
    if (entry := settings.characters.get(name)) is not None:
        return Character(name, entry)
    wanted = name.strip().casefold()
    for known, entry in settings.characters.items():
        if any(called.strip().casefold() == wanted for called in (known, *entry.aliases)):
            return Character(known, entry)
    return None


def with_character_defaults(reply: Reply, settings: Settings) -> Reply:
    """`reply` with what the settings know: its character's language where it names none itself,
    and every character as a name that may speak a line (`Name: ...`), since not every host has a roster.

    A language that the caller asks for is meant for every line; else each speaker's own holds for theirs.
    """
    known = {name: entry for key, entry in settings.characters.items() for name in (key, *entry.aliases)}
    roster = tuple(dict.fromkeys((*reply.chat.roster, *known)))
    reply = replace(reply, chat=replace(reply.chat, roster=roster))
    if reply.language is None:
        own = ((name, entry.language) for name, entry in known.items())
        languages = tuple((name, language) for name, language in own if language is not None)
        reply = replace(reply, speaker_languages=languages)
    character = find_character(settings, reply.character)
    if character is None:
        return reply
    return replace(
        reply,
        language=reply.language or character.settings.language,
        default_language=reply.default_language or character.settings.default_language,
    )
