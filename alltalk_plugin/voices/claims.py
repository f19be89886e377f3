"""Who has a claim on a segment, strongest first. Pure: nothing is asked of engines here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from alltalk_plugin.domain.language import LanguageTag, base_language, same_language
from alltalk_plugin.domain.speech import Reply, Segment, SpeakerRole
from alltalk_plugin.settings.schema import Settings
from alltalk_plugin.voices.characters import find_character
from alltalk_plugin.voices.names import language_name


@dataclass(frozen=True, slots=True)
class Claim:
    """A voice's claim and the sentence for it.

    `expected` says that the user configured this voice for such a segment, so that another one speaking
    must be told. It is False for claims that only hold by chance: the voice of a preferred language that
    the segment is not in, or one that stands in because it is there.
    """

    voice: str
    reason: str
    expected: bool = True


def claims(segment: Segment, reply: Reply, settings: Settings) -> Iterator[Claim]:
    """A voice the text itself names, explicit choice, character's voice for the language, character's
    (narrator's) voice, the user's preferred language, the detected language, the default voice."""
    if segment.voice is not None and (named := named_voice(settings, segment.voice)) is not None:
        yield Claim(named, f"chosen in the text: voice '{named}'")
    if reply.voice is not None:
        yield Claim(reply.voice, f"asked for: voice '{reply.voice}'")
    yield from _own(segment, reply, settings)
    yield from _by_language(segment, reply, settings)
    yield Claim(settings.default_voice, "the default voice")


def _own(segment: Segment, reply: Reply, settings: Settings) -> Iterator[Claim]:
    if segment.role is SpeakerRole.NARRATOR:
        character = find_character(settings, reply.character)
        if character is not None and character.settings.narrator is not None:
            yield Claim(character.settings.narrator, f"the narrator in {character.name}'s replies")
        yield Claim(settings.narrator_voice, "the narrator's voice")
        return
    # A name of the roster never falls back to the reply's own character: that would be a wrong voice.
    speaker = segment.speaker
    if speaker is None and segment.role is SpeakerRole.CHARACTER:
        speaker = reply.character
    character = find_character(settings, speaker)
    if character is None:
        return
    if segment.language is not None:
        special = for_language(character.settings.languages, segment.language)
        if special is not None:
            yield Claim(special, f"{character.name}'s voice for {language_name(segment.language)}")
    yield Claim(character.settings.voice, f"{character.name}'s voice")


def _by_language(segment: Segment, reply: Reply, settings: Settings) -> Iterator[Claim]:
    voices = settings.languages.voices
    preferred = reply.chat.language or settings.languages.preference
    if preferred is not None and (voice := for_language(voices, preferred)) is not None:
        spoken_now = segment.language is None or same_language(preferred, segment.language)
        yield Claim(voice, f"preferred language {language_name(preferred)}: voice '{voice}'", spoken_now)
    if segment.language is not None and (voice := for_language(voices, segment.language)) is not None:
        yield Claim(voice, f"{_how_known(segment, reply)} {language_name(segment.language)}: voice '{voice}'")


def _how_known(segment: Segment, reply: Reply) -> str:
    if reply.language is not None:
        return "asked for"
    return "the reply's" if segment.inherited else "detected"


def named_voice(settings: Settings, name: str) -> str | None:
    """The voice that a reply names, upper and lower case alike; None when there is none."""
    wanted = name.strip().casefold()
    return next((voice for voice in settings.voices if voice.casefold() == wanted), None)


def for_language(voices: Mapping[LanguageTag, str], language: LanguageTag) -> str | None:
    """The entry for exactly this tag, else for its language, else for another region of it."""
    for tag in (language, base_language(language)):
        if tag in voices:
            return voices[tag]
    return next((voice for tag, voice in voices.items() if same_language(tag, language)), None)
