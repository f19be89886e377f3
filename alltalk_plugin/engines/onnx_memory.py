"""How much memory ONNX Runtime takes for a model, from the headers of its files.

Measured on networks of the sizes that piper-tts calls medium (63 MB) and high (114 MB), random weights: Linux
x86_64, Python 3.11, onnxruntime 1.32, two cores, 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from alltalk_plugin.engines.onnx_header import OnnxHeader

MB = 1_000_000
WEIGHTS_FACTOR = 1.5
"""A file of 63 MB takes 1.41 times its size once loaded, one of 114 MB 1.24 times."""
STAGE_COPIES = 9
"""Working memory in copies of the widest layer's output: 8.2 measured, 23 MB for each second of audio."""
SPEECH_BYTES = 15 * MB
"""What speaking adds whatever the model: 14 MB measured after minutes of audio from a voice of 2 kB."""
LONGEST_S = 13.0
"""What `utterances.MAX_PHONEMES` take at an ordinary pace."""
_FLOAT_BYTES = 4


def model_bytes(header: OnnxHeader, files: Iterable[Path], sample_rate_hz: int) -> int:
    """Upper bound while it speaks; `files` are those whose content is held."""
    stored = sum(path.stat().st_size for path in files if path.is_file())
    return round(WEIGHTS_FACTOR * stored) + SPEECH_BYTES + _working_bytes(header, sample_rate_hz)


def _working_bytes(header: OnnxHeader, sample_rate_hz: int) -> int:
    widest = 0.0
    remaining = 1.0
    for _channels, factor in header.stages:
        remaining *= factor
    for channels, factor in header.stages:
        remaining /= factor
        widest = max(widest, channels / remaining)
    return round(STAGE_COPIES * _FLOAT_BYTES * widest * sample_rate_hz * LONGEST_S)
