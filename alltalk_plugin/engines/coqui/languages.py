"""Which languages a model speaks, by its files and by the settings. Standard library only."""

from __future__ import annotations

from alltalk_plugin.domain.language import LanguageTag, same_language
from alltalk_plugin.engines.coqui.checkpoint import Checkpoint
from alltalk_plugin.engines.coqui.config import code_for


def languages_of(checkpoint: Checkpoint, own: LanguageTag | None) -> tuple[LanguageTag, ...]:
    """What it speaks; `own`, from the settings, is believed above a config. Empty: nobody says."""
    return checkpoint.languages if own is None else (own,)


def refusal(checkpoint: Checkpoint, own: LanguageTag | None, language: LanguageTag) -> str | None:
    """Why it cannot speak a language; None when it can, or when nobody says what it speaks."""
    spoken = languages_of(checkpoint, own)
    if not spoken or any(same_language(tag, language) for tag in spoken):
        return None
    return f"the model speaks {', '.join(spoken)}"


def code_of(checkpoint: Checkpoint, language: LanguageTag | None) -> str | None:
    """The model's own word for a language it speaks; its first where that does not matter."""
    codes = checkpoint.language_codes
    named = None if language is None else code_for(codes, language)
    return named or next(iter(codes), None)
