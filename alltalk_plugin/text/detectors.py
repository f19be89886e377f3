"""Language detectors of packages that are not installed by themselves: lingua and CLD2.

| name | package | restricted to the candidates | memory |
| --- | --- | --- | --- |
| lingua | lingua-language-detector | yes | docs/text.md |
| lingua-low | the same, low accuracy mode | yes | docs/text.md |
| pycld2 | pycld2 | no: it knows its own set | docs/text.md |

Nothing is imported before the first text that needs it.
"""

from __future__ import annotations

import importlib
import importlib.util
import threading
from collections.abc import Callable, Sequence
from typing import Any

from loguru import logger

from alltalk_plugin.domain.errors import SettingsError
from alltalk_plugin.domain.language import LanguageTag, base_language
from alltalk_plugin.domain.ports import DetectedLanguage
from alltalk_plugin.text.language import best_of, by_base

Load = Callable[[], Any]
"""Gives the package's module. These packages have no types we could name without them."""

_UNRELIABLE = 0.5
"""CLD2's percentage says how much of the text is in a language, not how sure it is; where it calls
itself unreliable it counts this much."""

_CLD2_NAMES = {"iw": "he", "nb": "no"}


def installed(package: str, extra: str) -> Load:
    """What imports `package`. Raises: SettingsError, naming the extra, when it is not installed."""
    if importlib.util.find_spec(package) is None:
        raise SettingsError(
            f"this language detector needs the package '{package}', which is not installed",
            hint=f"Install it with: pip install 'alltalk-plugin[{extra}]', or choose another"
            " languages.detector.",
            context={"key": "languages.detector", "extra": extra},
        )
    return lambda: importlib.import_module(package)


class LinguaDetector:
    """lingua, built for exactly the candidates it is asked about. Thread-safe.

    Its statistics are read language by language at the first text in one of their scripts, which takes
    seconds; `ReplyPreparer.warm` shows it such texts ahead of the first reply.
    """

    def __init__(self, *, low_accuracy: bool = False, load: Load | None = None) -> None:
        self._load = load or installed("lingua", "lingua")
        self._low_accuracy = low_accuracy
        self._lock = threading.Lock()
        self._built: dict[tuple[str, ...], Any] = {}

    def warm(self) -> None:
        """The candidates decide what is loaded; without them there is nothing to do."""

    def detect(self, text: str, candidates: Sequence[LanguageTag]) -> DetectedLanguage | None:
        tags = by_base(candidates)
        if not text or not tags:
            return None
        if len(tags) == 1:
            return DetectedLanguage(next(iter(tags.values())), 1.0)
        detector = self._for(tuple(sorted(tags)))
        if detector is None:
            return None
        found = detector.compute_language_confidence_values(text)
        # Norwegian is one language to us and two to lingua.
        scores = dict.fromkeys(tags, 0.0)
        for each in found:
            name = each.language.iso_code_639_1.name.lower()
            for own in (name, "no") if name in ("nb", "nn") else (name,):
                if own in scores:
                    scores[own] += each.value
        return best_of(scores, text, tags)

    def _for(self, names: tuple[str, ...]) -> Any:
        """The detector for these languages; None when lingua knows fewer than two of them."""
        with self._lock:
            if names not in self._built:
                lingua = self._load()
                wanted = {*names, *(("nb", "nn") if "no" in names else ())}
                languages = [
                    each for each in lingua.Language.all() if each.iso_code_639_1.name.lower() in wanted
                ]
                if len(languages) < 2:
                    self._built[names] = None
                else:
                    builder = lingua.LanguageDetectorBuilder.from_languages(*languages)
                    if self._low_accuracy:
                        builder = builder.with_low_accuracy_mode()
                    self._built[names] = builder.build()
                logger.debug("language detector built", languages=len(languages))
            return self._built[names]


class Cld2Detector:
    """CLD2 with best effort: 8 MB, no loading time, its own fixed set of languages. Thread-safe."""

    def __init__(self, *, load: Load | None = None) -> None:
        self._load = load or installed("pycld2", "cld2")

    def warm(self) -> None:
        """It is ready in two milliseconds."""

    def detect(self, text: str, candidates: Sequence[LanguageTag]) -> DetectedLanguage | None:
        tags = by_base(candidates)
        if not text or not tags:
            return None
        if len(tags) == 1:
            return DetectedLanguage(next(iter(tags.values())), 1.0)
        clean = "".join(char if char.isprintable() else " " for char in text)
        reliable, _, found = self._load().detect(clean.encode("utf-8", "replace"), bestEffort=True)
        shares: dict[str, float] = {}
        for _, code, percent, _ in found:
            name = base_language(LanguageTag(_CLD2_NAMES.get(code, code)))
            if name in tags:
                shares[name] = shares.get(name, 0.0) + percent / 100 * (1.0 if reliable else _UNRELIABLE)
        if not shares:
            return None
        rest = max(0.0, 1.0 - sum(shares.values())) / max(1, len(tags) - len(shares))
        return best_of({name: shares.get(name, rest) for name in tags}, text, tags)
