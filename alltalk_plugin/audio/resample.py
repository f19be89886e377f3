"""Changes the sample rate of an utterance while it streams."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from alltalk_plugin.domain.audio import Samples


class _Stream(Protocol):
    """The part of `soxr.ResampleStream` in use."""

    def resample_chunk(self, x: Samples, last: bool = False) -> Samples: ...


class Resampler:
    """Feed chunks in order, then `finish`. One thread. Equal rates pass through untouched.

    soxr is loaded with the first instance that needs it.
    """

    def __init__(self, in_rate_hz: int, out_rate_hz: int) -> None:
        self._stream: _Stream | None = None
        if in_rate_hz != out_rate_hz:
            import soxr

            self._stream = soxr.ResampleStream(in_rate_hz, out_rate_hz, 1, dtype="float32", quality="HQ")

    def feed(self, samples: Samples) -> Samples:
        if self._stream is None or not len(samples):
            return samples
        return self._stream.resample_chunk(samples)

    def finish(self) -> Samples:
        """The samples still in the filter."""
        rest = np.zeros(0, np.float32)
        return rest if self._stream is None else self._stream.resample_chunk(rest, last=True)
