"""Who uses a voice or a model, and what becomes of them when it goes."""

from __future__ import annotations

from collections.abc import Iterator

from alltalk_plugin.settings.edit import SettingValue
from alltalk_plugin.settings.found import Found
from alltalk_plugin.settings.schema import BUILTIN_MODELS, Settings
from alltalk_plugin.settings.store import Key

Changes = dict[Key, SettingValue]
"""Settings keys and their new values."""


def voice_users(settings: Settings, voice: str) -> tuple[str, ...]:
    """In words, for a message: the characters, languages and voices that name it."""
    return tuple(dict.fromkeys(said for said, _ in _uses(settings, voice)))


def without_voice(settings: Settings, voice: str) -> Changes:
    """Changes after which nobody names `voice`: characters get the default voice, the rest lets go of it."""
    return dict(change for _, change in _uses(settings, voice))


def model_users(settings: Settings, found: Found, model: str) -> tuple[str, ...]:
    """The voices on a model. One that was merely found counts when somebody names it: it comes and goes by
    itself otherwise."""
    return tuple(
        name
        for name, voice in settings.voices.items()
        if voice.model == model and (voice is not found.voices.get(name) or voice_users(settings, name))
    )


def without_model(settings: Settings, found: Found, model: str) -> Changes:
    """Changes after which no voice is on `model`: they speak on the built-in one until told otherwise."""
    changes: Changes = {}
    for name in model_users(settings, found, model):
        changes["voices", name, "model"] = next(iter(BUILTIN_MODELS))
        changes["voices", name, "speaker"] = None  # a word of the other engine's
        changes["voices", name, "reference"] = None
    return changes


def _uses(settings: Settings, voice: str) -> Iterator[tuple[str, tuple[Key, SettingValue]]]:
    default = settings.default_voice if settings.default_voice != voice else "default"
    if settings.default_voice == voice:
        yield "the default voice", (("default_voice",), None)
    if settings.narrator_voice == voice:
        yield "the narrator", (("narrator_voice",), None)
    for name, character in settings.characters.items():
        said = f"character {name!r}"
        if character.voice == voice:
            yield said, (("characters", name, "voice"), default)
        if character.narrator == voice:
            yield said, (("characters", name, "narrator"), None)
        for tag, chosen in character.languages.items():
            if chosen == voice:
                yield said, (("characters", name, "languages", tag), None)
    for tag, chosen in settings.languages.voices.items():
        if chosen == voice:
            yield f"language {tag}", (("languages", "voices", tag), None)
    for name, other in settings.voices.items():
        if other.fallback == voice:
            yield f"voice {name!r} as its fallback", (("voices", name, "fallback"), None)
    if voice in settings.lexicon.voices:
        yield "the lexicon", (("lexicon", "voices", voice), None)
