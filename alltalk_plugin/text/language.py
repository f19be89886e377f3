"""Language detectors: py3langid for everyday use, none for a single language."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, NamedTuple

from loguru import logger

from alltalk_plugin.domain.language import LanguageTag, base_language
from alltalk_plugin.domain.ports import DetectedLanguage
from alltalk_plugin.text.everyday import weights


def best_of(scores: dict[str, float], text: str, tags: dict[str, LanguageTag]) -> DetectedLanguage | None:
    """The likeliest language once the words and letters of a short text have had their say."""
    names = tuple(sorted(scores))
    factors = weights(text, names)
    weighed = {name: scores[name] * factor for name, factor in zip(names, factors, strict=True)}
    total = sum(weighed.values())
    if total <= 0:
        return None
    best = max(names, key=weighed.__getitem__)
    return DetectedLanguage(tags[best], weighed[best] / total)


def by_base(candidates: Sequence[LanguageTag]) -> dict[str, LanguageTag]:
    """The candidates by their language without region, the first of each."""
    tags: dict[str, LanguageTag] = {}
    for tag in candidates:
        tags.setdefault(base_language(tag), tag)
    return tags


class NoDetector:
    """Knows nothing: for one language, or when detection is switched off. Thread-safe."""

    def detect(
        self,
        text: str,  # noqa: ARG002 (the port's parameters, which this one has no use for)
        candidates: Sequence[LanguageTag],  # noqa: ARG002 (see text)
    ) -> DetectedLanguage | None:
        return None

    def warm(self) -> None:
        """There is nothing to load."""


class _Question(NamedTuple):
    """Candidates as the model sees them: their tags by language, those it knows, and the model for these."""

    tags: dict[str, LanguageTag]
    known: tuple[str, ...]
    identifier: Any


class LangidDetector:
    """py3langid, restricted to the candidates, with what short texts give away added. Thread-safe.

    The model costs 1 to 4 s and about 100 MB, so it is loaded on the first need or ahead of it by
    `warm()`. A `detect` that comes while it is loading waits for it: a wrong language would be heard,
    a second is only noticed once. With fewer than two candidates nothing is ever loaded.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # py3langid has no types: its identifier is the one Any in this package.
        self._full: Any = None
        self._labels: frozenset[str] = frozenset()
        # Benign races: every thread computes the same.
        self._questions: dict[tuple[LanguageTag, ...], _Question] = {}

    def warm(self) -> None:
        """Load the model in a background thread; returns at once. Another call costs nothing."""
        threading.Thread(target=self._load, name="language-model", daemon=True).start()

    def detect(self, text: str, candidates: Sequence[LanguageTag]) -> DetectedLanguage | None:
        """The likeliest candidate; None without candidates the model knows or without anything to go by.

        `probability` is calibrated among the candidates. Blocks while the model is being loaded.
        """
        asked = tuple(candidates)
        question = self._questions.get(asked)
        if question is None:
            question = self._questions[asked] = self._question(asked)
        if not text or not question.tags:
            return None
        if len(question.tags) == 1:
            return DetectedLanguage(next(iter(question.tags.values())), 1.0)
        if not question.known:
            return None
        ranked = dict(question.identifier.rank(text))
        return best_of({name: ranked.get(name, 0.0) for name in question.known}, text, question.tags)

    def _question(self, candidates: tuple[LanguageTag, ...]) -> _Question:
        tags = by_base(candidates)
        known = tuple(sorted(self._load() & tags.keys())) if len(tags) > 1 else ()
        return _Question(tags, known, self._identifier(known) if known else None)

    def _load(self) -> frozenset[str]:
        """The languages the model knows; loads it first if nobody has."""
        with self._lock:
            if self._full is None:
                from py3langid.langid import MODEL_FILE, LanguageIdentifier

                self._full = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
                self._labels = frozenset(self._full.labels)
                logger.debug("language model loaded", languages=len(self._labels))
            return self._labels

    def _identifier(self, names: tuple[str, ...]) -> Any:
        """The model restricted to `names`: its own columns, the big tables shared; ranking changes none."""
        full = self._full
        restricted = type(full)(
            full.nb_ptc,
            full.nb_pc,
            full.nb_classes,
            full.tk_nextmove,
            full.tk_output,
            norm_probs=True,
            tk_row=full.tk_row,
        )
        restricted.set_languages(names)
        return restricted
