"""Takes the silence off both ends of an utterance while it streams."""

from __future__ import annotations

import numpy as np

from alltalk_plugin.domain.audio import Samples

KEEP_S = 0.06
"""Silence left at each end. Engines add up to 0.45 s of their own, which would falsify our pauses; a
little is kept because the quiet onset of a consonant counts as silence here."""

QUIET = 0.001
"""Peak below which a sample is silence: -60 dBFS, above the noise floor of a neural vocoder."""


class SilenceTrimmer:
    """Feed chunks in order, then `finish`. One thread.

    Speech is passed on at once. Only a run of silence is held, because it may turn out to be the last.
    """

    def __init__(self, sample_rate_hz: int) -> None:
        self._keep = round(KEEP_S * sample_rate_hz)
        self._held = np.zeros(0, np.float32)
        self._heard = False

    def feed(self, samples: Samples) -> Samples:
        """What of the audio so far is certain to stay."""
        loud = np.flatnonzero(np.abs(samples) > QUIET)
        if not len(loud):
            self._hold(np.concatenate((self._held, samples)))
            return np.zeros(0, np.float32)
        end = int(loud[-1]) + 1
        self._hold(np.concatenate((self._held, samples[: loud[0]])))
        out = np.concatenate((self._held, samples[loud[0] : end]))
        self._heard = True
        self._hold(samples[end:].copy())
        return out

    def finish(self) -> Samples:
        """The last bit of silence, cut to what is kept; empty when nothing was heard at all."""
        return self._held[: self._keep] if self._heard else np.zeros(0, np.float32)

    def _hold(self, silence: Samples) -> None:
        # Before the first sound only the newest silence can be of use.
        self._held = silence if self._heard else silence[max(0, len(silence) - self._keep) :]
