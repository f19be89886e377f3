"""Tiny Piper voices for tests, and ears for what they say."""

from __future__ import annotations

import json
import subprocess
from functools import lru_cache
from pathlib import Path

from alltalk_plugin.domain.audio import Samples
from tests.checkpoints import sines
from tests.checkpoints.write_piper import SAMPLE_RATE_HZ, write_voice
from tests.neural import interpreter

SPEAKERS = ("anna", "7", "zoe")
"""The second is called by a number that is not its own."""


def piper_voices(folder: Path) -> dict[str, Path]:
    """Writes two English voices into `folder`: `single`, and `speakers` with those of `SPEAKERS`."""
    return {
        "single": write_voice(folder / "single.onnx", phoneme_ids()),
        "speakers": write_voice(folder / "speakers.onnx", phoneme_ids(), speakers=SPEAKERS),
    }


@lru_cache
def phoneme_ids() -> dict[str, list[int]]:
    """Piper's own numbers of phonemes, asked of the piper-tts that is installed for the tests."""
    code = "import json; from piper.phoneme_ids import DEFAULT_PHONEME_ID_MAP as ids; print(json.dumps(ids))"
    ran = subprocess.run([interpreter("piper"), "-I", "-c", code], capture_output=True, check=True)
    found: dict[str, list[int]] = json.loads(ran.stdout)
    return found


def heard(samples: Samples, *, length_scale: float = 1.0) -> tuple[str, set[int]]:
    """The phonemes that were spoken, as one string, and the numbers of the speakers who did."""
    names = {ids[0]: phoneme for phoneme, ids in phoneme_ids().items()}
    spoken, speakers = sines.heard(samples, SAMPLE_RATE_HZ, length_scale=length_scale)
    return "".join(names.get(phoneme, "?") for phoneme in spoken), speakers
