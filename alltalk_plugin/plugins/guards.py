"""Calls into strangers' code that may go wrong without anything of ours going wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from loguru import logger

from alltalk_plugin.domain.audio import Samples
from alltalk_plugin.domain.errors import AlltalkError
from alltalk_plugin.domain.filters import AudioEffect, TextFilter
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.ports import DetectedLanguage, LanguageDetector


def guarded_filter(plugin: str, text_filter: TextFilter) -> TextFilter:
    """A filter that gives the text back unchanged when the plugin's own fails."""

    def apply(text: str) -> str:
        try:
            changed: object = text_filter.apply(text)
            if not isinstance(changed, str):
                raise TypeError(f"a text filter must give text, not {type(changed).__name__}")  # noqa: TRY301 - one way out
        except Exception as error:  # noqa: BLE001 - a plugin call
            _failed(plugin, "text filter", text_filter.name, error)
            return text
        return changed

    return replace(text_filter, apply=apply)


def guarded_effect(plugin: str, effect: AudioEffect) -> AudioEffect:
    """An effect that gives the samples back unchanged when the plugin's own fails."""

    def apply(samples: Samples, sample_rate_hz: int) -> Samples:
        try:
            changed = np.asarray(effect.apply(samples, sample_rate_hz))
            if changed.ndim != 1 or changed.dtype.kind != "f" or not np.isfinite(changed).all():
                raise TypeError("an audio effect must give finite mono float samples")  # noqa: TRY301 - one way out
        except Exception as error:  # noqa: BLE001 - a plugin call
            _failed(plugin, "audio effect", effect.name, error)
            return samples
        return changed.astype(np.float32, copy=False)

    return replace(effect, apply=apply)


class GuardedDetector:
    """A detector that has no opinion when the plugin's own fails. Thread-safe as that one is."""

    def __init__(self, plugin: str, name: str, factory: Callable[[], LanguageDetector]) -> None:
        self._plugin = plugin
        self._name = name
        self._detector: LanguageDetector | None = None
        try:
            self._detector = factory()
        except AlltalkError:
            # It says what is missing (a package, a setting): whoever chose this detector must see that.
            raise
        except Exception as error:  # noqa: BLE001 - a plugin call
            self._failed(error)

    def warm(self) -> None:
        if self._detector is None:
            return
        try:
            self._detector.warm()
        except Exception as error:  # noqa: BLE001 - a plugin call
            self._failed(error)

    def detect(self, text: str, candidates: Sequence[LanguageTag]) -> DetectedLanguage | None:
        if self._detector is None:
            return None
        try:
            return self._detector.detect(text, candidates)
        except Exception as error:  # noqa: BLE001 - a plugin call
            self._failed(error)
            return None

    def _failed(self, error: Exception) -> None:
        _failed(self._plugin, "language detector", self._name, error)


def _failed(plugin: str, kind: str, name: str, error: Exception) -> None:
    # Without a trace: its frames would hold chat text. The error's own words name its kind only.
    logger.warning("plugin failed", plugin=plugin, kind=kind, name=name, error=type(error).__name__)
    logger.opt(exception=error).debug("plugin failed")
