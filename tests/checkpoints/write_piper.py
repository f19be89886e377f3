"""Writes tiny Piper voices: the ONNX inputs and output of a real one, a sine of its own for each phoneme.

What a voice was given to say can so be read back from its audio (`piper.heard`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, checker, helper, numpy_helper, save

SAMPLE_RATE_HZ = 22_050
PHONEME_SAMPLES = 1_024
LOWEST_HZ, HZ_PER_PHONEME, HZ_PER_SPEAKER = 200.0, 24.0, 6.0
SYMBOLS = 256
NOISE_SCALE, NOISE_W_SCALE = 0.667, 0.8
LEVEL = 0.3
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
    constants = {
        "hz": LOWEST_HZ + HZ_PER_PHONEME * np.arange(SYMBOLS, dtype=np.float32),
        "hz_per_speaker": np.array([HZ_PER_SPEAKER], np.float32),
        "samples": np.array(PHONEME_SAMPLES, np.float32),
        "turns": np.array(2 * np.pi / SAMPLE_RATE_HZ, np.float32),
        "half": np.array(0.5, np.float32),
        "pi": np.array(np.pi, np.float32),
        "level": np.array(LEVEL / NOISE_SCALE / NOISE_W_SCALE, np.float32),
        "none": np.array(0, np.int64),
        "one": np.array(1, np.int64),
        "two": np.array(2, np.int64),
        "flat": np.array([-1], np.int64),
        "rows": np.array([1], np.int64),
        "silent": np.array(_FIRST_SOUND - 1, np.int64),
        "audio_shape": np.array([1, 1, 1, -1], np.int64),
    }
    nodes = [
        # which phonemes sound, and how high
        _node("Reshape", "input", "flat", to="ids"),
        _node("Greater", "ids", "silent", to="sounds"),
        _node("Compress", "ids", "sounds", to="phonemes"),
        _node("Gather", "hz", "phonemes", to="own_hz"),
        # how long each takes
        _node("Gather", "scales", "one", to="length_scale"),
        _node("Mul", "samples", "length_scale", to="stretched"),
        _node("Round", "stretched", to="rounded"),
        helper.make_node("Cast", ["rounded"], ["length"], to=TensorProto.INT64),
        _node("Range", "none", "length", "one", to="counted"),
        helper.make_node("Cast", ["counted"], ["time"], to=TensorProto.FLOAT),
        # each fades in and out
        _node("Add", "time", "half", to="middle"),
        _node("Mul", "middle", "pi", to="half_turns"),
        _node("Div", "half_turns", "rounded", to="fade_angle"),
        _node("Sin", "fade_angle", to="fade"),
        # how loud
        _node("Gather", "scales", "none", to="noise_scale"),
        _node("Gather", "scales", "two", to="noise_w_scale"),
        _node("Mul", "noise_scale", "noise_w_scale", to="noise"),
        _node("Mul", "noise", "level", to="gain"),
        _node("Mul", "fade", "gain", to="envelope"),
        # the sound
        _node("Mul", "time", "turns", to="angles"),
        _node("Unsqueeze", "spoken_hz", "rows", to="hz_column"),
        _node("Mul", "hz_column", "angles", to="phases"),
        _node("Sin", "phases", to="waves"),
        _node("Mul", "waves", "envelope", to="faded"),
        _node("Reshape", "faded", "audio_shape", to="output"),
    ]
    inputs = [
        helper.make_tensor_value_info("input", TensorProto.INT64, ["b", "t"]),
        helper.make_tensor_value_info("input_lengths", TensorProto.INT64, ["b"]),
        helper.make_tensor_value_info("scales", TensorProto.FLOAT, [3]),
    ]
    if many:
        inputs.append(helper.make_tensor_value_info("sid", TensorProto.INT64, ["b"]))
        speaker = [
            helper.make_node("Cast", ["sid"], ["speaker"], to=TensorProto.FLOAT),
            _node("Mul", "speaker", "hz_per_speaker", to="shift"),
            _node("Add", "own_hz", "shift", to="spoken_hz"),
        ]
    else:
        speaker = [_node("Identity", "own_hz", to="spoken_hz")]
    graph = helper.make_graph(
        [*nodes[:4], *speaker, *nodes[4:]],
        "tiny",
        inputs,
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 1, 1, "n"])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    # Old enough for every ONNX Runtime that piper-tts takes.
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    checker.check_model(model)
    return model


def _node(operator: str, *inputs: str, to: str) -> NodeProto:
    return helper.make_node(operator, list(inputs), [to])
