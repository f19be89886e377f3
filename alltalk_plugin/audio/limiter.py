"""Keeps peaks below a ceiling without clicks."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from alltalk_plugin.domain.audio import Samples

LOOK_AHEAD_S = 0.008
"""How long the gain takes to fall before a peak and to come back after it. Shorter becomes audible as
distortion of low voices (a period of 100 Hz is 10 ms)."""


class PeakLimiter:
    """Feed chunks in order, then `finish`; as many samples come out as went in. One thread.

    The gain is the sliding minimum of what each sample needs, smoothed by a moving average of the same
    length w. Every minimum in that average covers the sample that is w - 1 old, so the average is never
    above what this sample needs: the output, delayed by w - 1, stays below the ceiling by construction.
    """

    def __init__(self, ceiling: float, sample_rate_hz: int) -> None:
        # The largest float32 that is not above the ceiling: rounding must not lift a peak over it.
        nearest = np.float32(ceiling)
        self._ceiling = nearest if float(nearest) <= ceiling else np.nextafter(nearest, np.float32(0))
        self._window = max(2, round(LOOK_AHEAD_S * sample_rate_hz))
        self._delayed = np.zeros(0, np.float32)
        self._needs = np.ones(2 * (self._window - 1), np.float64)

    def feed(self, samples: Samples) -> Samples:
        """The limited audio up to `LOOK_AHEAD_S` before the end of `samples`."""
        magnitude = np.abs(samples).astype(np.float64)
        need = np.minimum(1.0, float(self._ceiling) / np.maximum(magnitude, float(self._ceiling)))
        needs = np.concatenate((self._needs, need))
        audio = np.concatenate((self._delayed, samples))
        keep = min(len(audio), self._window - 1)
        out, self._delayed = audio[: len(audio) - keep], audio[len(audio) - keep :]
        self._needs = needs[len(needs) - 2 * (self._window - 1) :]
        if not len(out) or not bool(np.any(needs < 1.0)):
            return out
        lows = sliding_window_view(needs, self._window).min(axis=1)
        sums = np.concatenate((np.zeros(1), np.cumsum(lows)))
        gain = (sums[self._window :] - sums[: -self._window]) / self._window
        limited: Samples = (out * gain[len(gain) - len(out) :]).astype(np.float32)
        # The running sum rounds in its last digits, which may lift a peak by one step of float32.
        return np.clip(limited, -self._ceiling, self._ceiling)

    def finish(self) -> Samples:
        """What was held back. Never shorter than `LOOK_AHEAD_S` unless all the audio was."""
        rest = self._delayed
        self._delayed = np.zeros(0, np.float32)
        if not bool(np.any(self._needs < 1.0)):
            return rest
        self._delayed = rest
        padded = self.feed(np.zeros(self._window - 1, np.float32))
        self._delayed = np.zeros(0, np.float32)
        return padded[: len(rest)]
