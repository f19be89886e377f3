"""What the schema cannot see: names that point to other names."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from alltalk_plugin.settings.document import KeyPath
from alltalk_plugin.settings.nearest import did_you_mean
from alltalk_plugin.settings.schema import Settings

Problem = tuple[KeyPath, str]
"""Where, and what is wrong there."""


def reference_problems(settings: Settings) -> Iterator[Problem]:
    """Every name that names nothing, every circle of fallbacks, every name two characters claim."""
    yield from _missing("voice", settings.voices, _voice_references(settings))
    yield from _missing(
        "model",
        settings.models,
        ((("voices", name, "model"), voice.model) for name, voice in settings.voices.items()),
    )
    yield from _fallback_circles(settings)
    yield from _claimed_twice(settings)


def _voice_references(settings: Settings) -> Iterator[tuple[KeyPath, str | None]]:
    yield ("default_voice",), settings.default_voice
    yield ("narrator_voice",), settings.narrator_voice
    for name, voice in settings.voices.items():
        yield ("voices", name, "fallback"), voice.fallback
    for name, character in settings.characters.items():
        yield ("characters", name, "voice"), character.voice
        yield ("characters", name, "narrator"), character.narrator
        for language, chosen in character.languages.items():
            yield ("characters", name, "languages", language), chosen
    for name in settings.lexicon.voices:
        yield ("lexicon", "voices", name), name
    for language, chosen in settings.languages.voices.items():
        yield ("languages", "voices", language), chosen


def _missing(
    kind: str, known: Collection[str], references: Iterator[tuple[KeyPath, str | None]]
) -> Iterator[Problem]:
    for path, name in references:
        if name is not None and name not in known:
            yield path, f"there is no {kind} '{name}'{did_you_mean(name, known)}"


def _fallback_circles(settings: Settings) -> Iterator[Problem]:
    reported: set[str] = set()
    for start in settings.voices:
        chain = [start]
        while (voice := settings.voices.get(chain[-1])) is not None and voice.fallback is not None:
            if voice.fallback in chain:
                circle = [*chain[chain.index(voice.fallback) :], voice.fallback]
                if reported.isdisjoint(circle):
                    yield ("voices", circle[0], "fallback"), f"fallbacks go in a circle: {' > '.join(circle)}"
                reported.update(circle)
                break
            chain.append(voice.fallback)


def _claimed_twice(settings: Settings) -> Iterator[Problem]:
    owners: dict[str, str] = {}
    for name, character in settings.characters.items():
        for index, called in enumerate((name, *character.aliases)):
            owner = owners.setdefault(called.casefold(), name)
            if owner != name:
                path: KeyPath = ("characters", name, *(("aliases", index - 1) if index else ()))
                yield path, f"'{called}' is a name of '{owner}' already"
