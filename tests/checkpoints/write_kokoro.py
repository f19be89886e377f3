"""Writes tiny Kokoro models: the ONNX inputs and output of a real one, and a file with voices.

A voice's number is the first number of its style vectors, so it can be heard who spoke.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, TensorProto, helper, save

from tests.checkpoints.sines import LEVEL, node, sine_model

SAMPLE_RATE_HZ = 24_000
LENGTHS, STYLE = 510, 256


def write_model(folder: Path, voices: Sequence[str], *, tokens: str = "tokens") -> Path:
    """`model.onnx` and `voices.bin` in `folder`; `tokens` is one of that input's two names."""
    save(kokoro_model(tokens), str(folder / "model.onnx"))
    styles = {name: np.full((LENGTHS, 1, STYLE), number, np.float32) for number, name in enumerate(voices)}
    with (folder / "voices.bin").open("wb") as file:
        np.savez_compressed(file, **styles)  # type: ignore[arg-type]  # numpy's stubs take these names for its own
    return folder


def kokoro_model(tokens: str) -> ModelProto:
    inputs = [
        helper.make_tensor_value_info(tokens, TensorProto.INT64, [1, "t"]),
        helper.make_tensor_value_info("style", TensorProto.FLOAT, [1, STYLE]),
        helper.make_tensor_value_info("speed", TensorProto.FLOAT, [1]),
    ]
    head = [
        node("Reshape", tokens, "flat", to="ids"),
        node("Gather", "speed", "none", to="pace"),
        node("Div", "whole", "pace", to="length_scale"),
        node("Identity", "level", to="gain"),
        node("Reshape", "style", "flat", to="style_row"),
        node("Gather", "style_row", "first", to="speaker"),
    ]
    constants: dict[str, npt.NDArray[np.generic]] = {
        "whole": np.array(1.0, np.float32),
        "level": np.array(LEVEL, np.float32),
        "first": np.array([0], np.int64),
        "audio_shape": np.array([-1], np.int64),
    }
    return sine_model(inputs, head, constants, sample_rate_hz=SAMPLE_RATE_HZ, first_sound=1)
