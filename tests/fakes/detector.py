"""A language detector that knows a handful of words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.ports import DetectedLanguage


class FakeDetector:
    """Answers with the language of the first known word, at the probability given for it.

    `asked` holds every text it was asked about, in order. One thread.
    """

    def __init__(self, words: Mapping[str, tuple[str, float]]) -> None:
        self._words = words
        self.asked: list[str] = []

    def detect(self, text: str, candidates: Sequence[LanguageTag]) -> DetectedLanguage | None:
        self.asked.append(text)
        for word in text.lower().split():
            language, probability = self._words.get(word.strip(".,!?:"), ("", 0.0))
            if language in candidates:
                return DetectedLanguage(LanguageTag(language), probability)
        return None

    def warm(self) -> None:
        """There is nothing to load."""
