"""A tiny Kokoro model for tests, and ears for what it says."""

from __future__ import annotations

import json
import subprocess
from functools import lru_cache
from pathlib import Path

from alltalk_plugin.domain.audio import Samples
from tests.checkpoints import sines
from tests.checkpoints.write_kokoro import SAMPLE_RATE_HZ, write_model
from tests.neural import interpreter

VOICES = ("am_adam", "af_heart", "bm_george", "ff_siwis")


def kokoro_model(folder: Path) -> Path:
    """Writes a model with those of `VOICES` into `folder`."""
    return write_model(folder, VOICES)


@lru_cache
def vocabulary() -> dict[str, int]:
    """Kokoro's own numbers of phonemes, asked of the kokoro-onnx that is installed for the tests."""
    code = "import json; from kokoro_onnx.config import DEFAULT_VOCAB as ids; print(json.dumps(ids))"
    ran = subprocess.run([interpreter("kokoro"), "-I", "-c", code], capture_output=True, check=True)
    found: dict[str, int] = json.loads(ran.stdout)
    return found


def heard(samples: Samples, *, length_scale: float = 1.0) -> tuple[str, set[int]]:
    """The phonemes that were spoken, as one string, and the numbers of the voices that did."""
    names = {number: phoneme for phoneme, number in vocabulary().items()}
    spoken, voices = sines.heard(samples, SAMPLE_RATE_HZ, length_scale=length_scale)
    return "".join(names.get(phoneme, "?") for phoneme in spoken), voices
