"""Waveforms as SVG and spectrograms as PNG. Pure: samples in, text or bytes out."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np
import numpy.typing as npt

from alltalk_plugin.audio.measure import envelope
from alltalk_plugin.domain.audio import AudioChunk, Samples

_WIDTH, _HEIGHT = 600, 60
_BINS = 300
_WINDOW_S, _COLUMNS, _ROWS = 0.032, 600, 160
_HIGHEST_HZ = 8_000
"""What lies above hardly tells voices apart; models of all rates are drawn to the same scale."""
_FLOOR_DB = -75.0
_STOPS = np.array(
    [(0, 0, 4), (40, 11, 84), (101, 21, 110), (159, 42, 99), (212, 72, 66), (245, 125, 21), (252, 255, 164)]
)
"""From silence to loud: dark violet over red to pale yellow, equally far apart for the eye."""


def waveform_svg(audio: AudioChunk) -> str:
    """The lowest and highest sample of each of 300 stretches."""
    middle = _HEIGHT / 2
    bars = "".join(
        f'<rect x="{index / _BINS * _WIDTH:.1f}" y="{middle - high * middle:.1f}" width="1.4"'
        f' height="{max((high - low) * middle, 0.6):.1f}"/>'
        for index, (low, high) in enumerate(envelope(audio.samples, _BINS).tolist())
    )
    return f'<svg class="wave" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">{bars}</svg>'


def spectrogram(audio: AudioChunk) -> npt.NDArray[np.uint8]:
    """Loudness from 0 (75 dB below the loudest) to 255, shape (160, 600).

    8 kHz is at the top, time runs to the right. A model whose rate is under 16 kHz leaves the top dark.
    """
    window = max(round(audio.sample_rate_hz * _WINDOW_S), 16)
    padded = np.pad(audio.samples, window // 2)
    starts = np.linspace(0, max(len(padded) - window, 0), _COLUMNS).astype(int)
    frames = np.stack([_padded(padded[start : start + window], window) for start in starts])
    power = np.abs(np.fft.rfft(frames * np.hanning(window), axis=1)) ** 2
    wanted_hz = np.linspace(_HIGHEST_HZ, 0, _ROWS)
    bins = np.round(wanted_hz / audio.sample_rate_hz * window).astype(int)
    reachable = bins < power.shape[1]
    picked = np.where(reachable, power[:, np.minimum(bins, power.shape[1] - 1)], 0.0).T
    loudest = picked.max(initial=0.0)
    if loudest == 0:
        return np.zeros((_ROWS, _COLUMNS), np.uint8)
    decibels = 10 * np.log10(np.maximum(picked / loudest, 10 ** (_FLOOR_DB / 10)))
    image: npt.NDArray[np.uint8] = np.round((1 - decibels / _FLOOR_DB) * 255).astype(np.uint8)
    return image


def png_data_url(image: npt.NDArray[np.uint8]) -> str:
    """An image of loudness, shape (rows, columns), in colours, for an <img>."""
    return "data:image/png;base64," + base64.b64encode(_png(image)).decode()


def _padded(frame: Samples, length: int) -> Samples:
    return np.pad(frame, (0, length - len(frame)))


def _png(image: npt.NDArray[np.uint8]) -> bytes:
    """PNG with a palette (colour type 3), one byte a pixel, no filter."""
    rows, columns = image.shape
    steps = np.linspace(0, len(_STOPS) - 1, 256)
    palette = np.stack([np.interp(steps, range(len(_STOPS)), _STOPS[:, channel]) for channel in range(3)], 1)
    lines = np.hstack([np.zeros((rows, 1), np.uint8), image])
    header = struct.pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0)
    parts = (
        (b"IHDR", header),
        (b"PLTE", palette.round().astype(np.uint8).tobytes()),
        (b"IDAT", zlib.compress(lines.tobytes(), 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(_png_part(name, body) for name, body in parts)


def _png_part(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
