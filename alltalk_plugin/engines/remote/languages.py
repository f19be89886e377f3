"""Which languages a remote model is said to speak."""

from __future__ import annotations

from collections.abc import Sequence

from alltalk_plugin.domain.language import LanguageTag, same_language


def unspoken_reason(language: LanguageTag | None, languages: Sequence[LanguageTag]) -> str | None:
    """Why a model with these languages does not speak one; nothing said means it speaks all."""
    if language is None or not languages or any(same_language(language, own) for own in languages):
        return None
    return f"its option languages is '{' '.join(languages)}'"
