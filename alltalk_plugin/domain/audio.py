"""Audio as it travels: mono float32 chunks with their rate."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

import numpy as np
import numpy.typing as npt

AudioId = NewType("AudioId", str)
"""128 random bits in 32 lower-case hex digits."""

Samples = npt.NDArray[np.float32]
"""Shape (n,), mono, nominally in [-1, 1]."""


class AudioFormat(StrEnum):
    """The containers we write; the value is the file extension."""

    WAV = "wav"
    FLAC = "flac"
    MP3 = "mp3"
    OPUS = "opus"
    OGG = "ogg"


@dataclass(frozen=True, slots=True, eq=False)
class AudioChunk:
    """A piece of one utterance: `samples` of shape (n,), float32 in [-1, 1], at `sample_rate_hz`."""

    samples: Samples
    sample_rate_hz: int

    @property
    def duration_s(self) -> float:
        return len(self.samples) / self.sample_rate_hz
