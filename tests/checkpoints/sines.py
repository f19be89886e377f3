"""Networks that sing what they are given: a sine of its own for each phoneme, and ears for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, checker, helper, numpy_helper

from alltalk_plugin.domain.audio import Samples

PHONEME_SAMPLES = 1_024
LOWEST_HZ, HZ_PER_PHONEME, HZ_PER_SPEAKER = 200.0, 24.0, 6.0
SYMBOLS = 256
LEVEL = 0.3
_BINS = 65_536


def sine_model(
    inputs: Sequence[ValueInfoProto],
    head: Sequence[NodeProto],
    constants: Mapping[str, npt.NDArray[np.generic]],
    *,
    sample_rate_hz: int,
    first_sound: int,
) -> ModelProto:
    """A network whose `head` makes of its `inputs` the `ids` of phonemes, a `length_scale`, a `gain` and a
    `speaker`. Phonemes below `first_sound` are silent and take no time.

    `constants` need an `audio_shape`; `none`, `one` and `flat` are there.
    """
    all_constants = {
        "hz": LOWEST_HZ + HZ_PER_PHONEME * np.arange(SYMBOLS, dtype=np.float32),
        "hz_per_speaker": np.array([HZ_PER_SPEAKER], np.float32),
        "samples": np.array(PHONEME_SAMPLES, np.float32),
        "turns": np.array(2 * np.pi / sample_rate_hz, np.float32),
        "half": np.array(0.5, np.float32),
        "pi": np.array(np.pi, np.float32),
        "none": np.array(0, np.int64),
        "one": np.array(1, np.int64),
        "flat": np.array([-1], np.int64),
        "rows": np.array([1], np.int64),
        "silent": np.array(first_sound - 1, np.int64),
        **constants,
    }
    nodes = [
        *head,
        # which phonemes sound, and how high
        node("Greater", "ids", "silent", to="sounds"),
        node("Compress", "ids", "sounds", to="phonemes"),
        node("Gather", "hz", "phonemes", to="own_hz"),
        node("Mul", "speaker", "hz_per_speaker", to="shift"),
        node("Add", "own_hz", "shift", to="spoken_hz"),
        # how long each takes
        node("Mul", "samples", "length_scale", to="stretched"),
        node("Round", "stretched", to="rounded"),
        cast("rounded", to="length", kind=TensorProto.INT64),
        node("Range", "none", "length", "one", to="counted"),
        cast("counted", to="time", kind=TensorProto.FLOAT),
        # each fades in and out
        node("Add", "time", "half", to="middle"),
        node("Mul", "middle", "pi", to="half_turns"),
        node("Div", "half_turns", "rounded", to="fade_angle"),
        node("Sin", "fade_angle", to="fade"),
        node("Mul", "fade", "gain", to="envelope"),
        # the sound
        node("Mul", "time", "turns", to="angles"),
        node("Unsqueeze", "spoken_hz", "rows", to="hz_column"),
        node("Mul", "hz_column", "angles", to="phases"),
        node("Sin", "phases", to="waves"),
        node("Mul", "waves", "envelope", to="faded"),
        node("Reshape", "faded", "audio_shape", to="output"),
    ]
    shape = ["n" if size < 0 else size for size in np.asarray(constants["audio_shape"]).tolist()]
    graph = helper.make_graph(
        nodes,
        "tiny",
        list(inputs),
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in all_constants.items()],
    )
    # Old enough for every ONNX Runtime that the engines take.
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    checker.check_model(model)
    return model


def node(operator: str, *inputs: str, to: str) -> NodeProto:
    return helper.make_node(operator, list(inputs), [to])


def cast(name: str, *, to: str, kind: int) -> NodeProto:
    return helper.make_node("Cast", [name], [to], to=kind)


def heard(samples: Samples, sample_rate_hz: int, *, length_scale: float = 1.0) -> tuple[list[int], set[int]]:
    """The phonemes that were sung, and the numbers of the speakers who did."""
    length = round(PHONEME_SAMPLES * length_scale)
    phonemes, speakers = [], set()
    for start in range(0, len(samples) - length + 1, length):
        power = np.abs(np.fft.rfft(samples[start : start + length], _BINS))
        hz = float(power.argmax()) * sample_rate_hz / _BINS - LOWEST_HZ
        phoneme = int((hz + HZ_PER_SPEAKER / 2) // HZ_PER_PHONEME)
        phonemes.append(phoneme)
        speakers.add(round((hz - phoneme * HZ_PER_PHONEME) / HZ_PER_SPEAKER))
    return phonemes, speakers
