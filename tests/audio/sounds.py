"""Sounds for tests: speech-like bursts, tones, silence."""

from __future__ import annotations

import numpy as np

from alltalk_plugin.domain.audio import AudioChunk, Samples


def speech(seconds: float, rate_hz: int, *, level: float = 0.1, pitch_hz: float = 140.0) -> Samples:
    """A buzz with harmonics in syllables of 0.2 s with short gaps; the same every time."""
    at = np.arange(round(seconds * rate_hz)) / rate_hz
    harmonics = np.arange(1, 8)[:, None]
    buzz = (np.sin(2 * np.pi * pitch_hz * harmonics * at) / harmonics).sum(axis=0)
    syllables = np.clip(np.sin(2 * np.pi * 2.5 * at) * 4, 0, 1)
    return np.asarray(level * buzz * (0.05 + 0.95 * syllables), np.float32)


def tone(seconds: float, rate_hz: int, *, level: float = 0.3, pitch_hz: float = 440.0) -> Samples:
    at = np.arange(round(seconds * rate_hz)) / rate_hz
    return np.asarray(level * np.sin(2 * np.pi * pitch_hz * at), np.float32)


def silence(seconds: float, rate_hz: int) -> Samples:
    return np.zeros(round(seconds * rate_hz), np.float32)


def chunks(samples: Samples, rate_hz: int, size: int) -> list[AudioChunk]:
    return [AudioChunk(samples[at : at + size], rate_hz) for at in range(0, len(samples), size)]


def active_dbfs(samples: Samples, rate_hz: int) -> float:
    """Level of the loud frames, measured in another way than the code under test: frames above the median."""
    frame = rate_hz // 50
    whole = samples[: len(samples) // frame * frame].astype(np.float64).reshape(-1, frame)
    powers = np.square(whole).mean(axis=1)
    return float(10 * np.log10(powers[powers > powers.max() / 10].mean()))
