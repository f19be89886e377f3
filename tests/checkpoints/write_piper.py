"""Writes tiny Piper voices: the ONNX inputs and output of a real one, a sine of its own for each phoneme.

What a voice was given to say can so be read back from its audio (`piper.heard`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, TensorProto, helper, save

from tests.checkpoints.sines import LEVEL, SYMBOLS, cast, node, sine_model

SAMPLE_RATE_HZ = 22_050
NOISE_SCALE, NOISE_W_SCALE = 0.667, 0.8
_FIRST_SOUND = 3
"""Below are padding, begin and end: they are silent and take no time."""


def write_voice(
    path: Path,
    phoneme_ids: Mapping[str, Sequence[int]],
    *,
    speakers: Sequence[str] = (),
    espeak: str = "en-us",
) -> Path:
    """A voice at `path` (.onnx) with its JSON beside it; without names of speakers it has one.

    Length follows length_scale, level the two noise scales.
    """
    save(voice_model(many=len(speakers) > 1), str(path))
    config = voice_config(phoneme_ids, speakers=speakers, espeak=espeak)
    path.with_name(f"{path.name}.json").write_text(json.dumps(config), "utf-8")
    return path


def voice_config(
    phoneme_ids: Mapping[str, Sequence[int]], *, speakers: Sequence[str] = (), espeak: str = "en-us"
) -> dict[str, object]:
    return {
        "audio": {"sample_rate": SAMPLE_RATE_HZ, "quality": "x_low"},
        "espeak": {"voice": espeak},
        "inference": {"noise_scale": NOISE_SCALE, "length_scale": 1, "noise_w": NOISE_W_SCALE},
        "phoneme_type": "espeak",
        "phoneme_id_map": {phoneme: list(ids) for phoneme, ids in phoneme_ids.items()},
        "num_symbols": SYMBOLS,
        "num_speakers": max(len(speakers), 1),
        "speaker_id_map": {name: number for number, name in enumerate(speakers)},
    }


def voice_model(*, many: bool) -> ModelProto:
    inputs = [
        helper.make_tensor_value_info("input", TensorProto.INT64, ["b", "t"]),
        helper.make_tensor_value_info("input_lengths", TensorProto.INT64, ["b"]),
        helper.make_tensor_value_info("scales", TensorProto.FLOAT, [3]),
    ]
    if many:
        inputs.append(helper.make_tensor_value_info("sid", TensorProto.INT64, ["b"]))
    head = [
        node("Reshape", "input", "flat", to="ids"),
        node("Gather", "scales", "one", to="length_scale"),
        node("Gather", "scales", "none", to="noise_scale"),
        node("Gather", "scales", "two", to="noise_w_scale"),
        node("Mul", "noise_scale", "noise_w_scale", to="noise"),
        node("Mul", "noise", "level", to="gain"),
        cast("sid", to="speaker", kind=TensorProto.FLOAT)
        if many
        else node("Identity", "nobody", to="speaker"),
    ]
    constants: dict[str, npt.NDArray[np.generic]] = {
        "level": np.array(LEVEL / NOISE_SCALE / NOISE_W_SCALE, np.float32),
        "two": np.array(2, np.int64),
        "nobody": np.zeros(1, np.float32),
        "audio_shape": np.array([1, 1, 1, -1], np.int64),
    }
    return sine_model(inputs, head, constants, sample_rate_hz=SAMPLE_RATE_HZ, first_sound=_FIRST_SOUND)
