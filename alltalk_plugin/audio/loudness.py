"""Brings every voice to the same loudness.

A voice's level is measured on its own speech: frames of 20 ms, gated twice in the manner of ITU-R
BS.1770 (an absolute gate, then one 10 dB below the mean of what passed), so that pauses do not count.
Plain RMS instead of the standard's weighting: voices differ by tens of dB, not by the fraction the
weighting would change, and it needs no filter.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass

import numpy as np

from alltalk_plugin.domain.audio import Samples

FRAME_S = 0.02
ABSOLUTE_GATE = 10 ** (-70 / 10)
RELATIVE_GATE = 10 ** (-10 / 10)

SHORTEST_S = 0.1
"""Less active speech than this says nothing about a voice."""

MEMORY_S = 30.0
"""A level weighs no more than this much speech, so that a voice whose model was exchanged is learned anew."""

MAX_GAIN_DB = 15.0
"""Beyond this a voice is broken or meant to be so; more gain would lift its noise."""


@dataclass(frozen=True, slots=True)
class SpeechLevel:
    """Mean square of active speech (1 is full scale) over `seconds` of it."""

    mean_square: float
    seconds: float


class SpeechMeter:
    """Measures the active speech of one utterance as it comes. One thread."""

    def __init__(self, sample_rate_hz: int) -> None:
        self._frame = max(1, round(FRAME_S * sample_rate_hz))
        self._rest = np.zeros(0, np.float32)
        self._frames: list[np.ndarray[tuple[int], np.dtype[np.float64]]] = []

    def feed(self, samples: Samples) -> None:
        audio = np.concatenate((self._rest, samples))
        whole = len(audio) // self._frame * self._frame
        self._rest = audio[whole:].copy()
        if whole:
            squares = np.square(audio[:whole].astype(np.float64))
            self._frames.append(squares.reshape(-1, self._frame).mean(axis=1))

    def level(self) -> SpeechLevel | None:
        """The level so far; None with less than `SHORTEST_S` of active speech."""
        if not self._frames:
            return None
        frames = np.concatenate(self._frames)
        active = frames[frames > ABSOLUTE_GATE]
        if len(active):
            active = active[active > active.mean() * RELATIVE_GATE]
        seconds = len(active) * FRAME_S
        if seconds < SHORTEST_S - FRAME_S / 2:
            return None
        return SpeechLevel(float(active.mean()), seconds)


class Leveler:
    """The gain of every voice, learned from what it said. Thread-safe; one for all replies.

    A voice is known by any string that names its sound: take the model's name into it, so that the same
    voice name on another model is another voice here.
    """

    def __init__(self, target_dbfs: float, peak_limit: float) -> None:
        self.target_dbfs = target_dbfs
        self.peak_limit = peak_limit
        self._lock = threading.Lock()
        self._levels: dict[str, SpeechLevel] = {}

    def gain_db(self, voice: str) -> float | None:
        """The gain that brings the voice to the target, within ±`MAX_GAIN_DB`; None before it was heard."""
        with self._lock:
            level = self._levels.get(voice)
        return None if level is None else self.gain_for_db(level)

    def gain_for_db(self, level: SpeechLevel) -> float:
        """The gain that brings this level to the target, within ±`MAX_GAIN_DB`."""
        gain_db = self.target_dbfs - 10 * math.log10(level.mean_square)
        return max(-MAX_GAIN_DB, min(MAX_GAIN_DB, gain_db))

    def learn(self, voice: str, level: SpeechLevel) -> None:
        """Take what a voice just said into its level; the gain of its next segments follows."""
        with self._lock:
            old = self._levels.get(voice, SpeechLevel(0.0, 0.0))
            seconds = old.seconds + level.seconds
            total = old.mean_square * old.seconds + level.mean_square * level.seconds
            self._levels[voice] = SpeechLevel(total / seconds, min(seconds, MEMORY_S))
