"""What can be said about finished audio in numbers; for the demo, comparisons and tests."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from alltalk_plugin.domain.audio import AudioChunk, Samples
from alltalk_plugin.domain.errors import AudioError


def read_audio(path: Path) -> AudioChunk:
    """A whole file as mono float32, its channels averaged. Raises: AudioError."""
    import soundfile

    try:
        samples, sample_rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise AudioError(f"{path} cannot be read as audio: {error}", context={"path": str(path)}) from error
    return AudioChunk(samples.mean(axis=1, dtype=np.float32), sample_rate_hz)


def peak(samples: Samples) -> float:
    """The largest magnitude, full scale 1; 0 for nothing."""
    return float(np.abs(samples).max(initial=0.0))


def rms_dbfs(samples: Samples) -> float:
    """Level over everything, pauses included; -inf for silence or nothing."""
    if not len(samples):
        return -math.inf
    mean_square = float(np.square(samples.astype(np.float64)).mean())
    return 10 * math.log10(mean_square) if mean_square else -math.inf


def envelope(samples: Samples, bins: int) -> Samples:
    """Lowest and highest sample of each of `bins` equal stretches: shape (bins, 2), for a waveform.

    Fewer samples than bins repeat; nothing gives zeros.
    """
    if not len(samples):
        return np.zeros((bins, 2), np.float32)
    starts = np.arange(bins) * len(samples) // bins
    lows = np.minimum.reduceat(samples, starts)
    highs = np.maximum.reduceat(samples, starts)
    return np.stack((lows, highs), axis=1)
