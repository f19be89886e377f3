from __future__ import annotations

import io
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest

from alltalk_plugin.domain.audio import AudioChunk
from alltalk_plugin.domain.engines import LoadRequest, SynthesisRequest
from alltalk_plugin.domain.errors import ContextValue, ModelCorrupt, all_error_types
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.models import Device
from alltalk_plugin.workers.frames import Frame, FrameInvalid, JsonValue
from alltalk_plugin.workers.protocol import (
    PROTOCOL_VERSION,
    Cancel,
    Chunk,
    Done,
    Failed,
    Hello,
    Load,
    Loaded,
    Message,
    Ping,
    Pong,
    Speak,
    ToDevice,
    Unload,
    decode,
    encode,
    read_message,
)

LOAD = LoadRequest(
    model="m",
    path=Path("/models/ünï"),
    device=Device("cuda:0"),
    options=MappingProxyType({"a": 1, "b": True}),
    whole=True,
)
SPEAK = SynthesisRequest(
    text='He said "héllo"\n\0 🚼瓠 \ud800',
    language=LanguageTag("de"),
    speaker="en-us+f3",
    reference_audio=(Path("a.wav"),),
    rate=1.25,
    pitch_semitones=-3.0,
)


@pytest.mark.parametrize(
    "message",
    [
        Hello(12, 1, "0.1.0", "3.11.7"),
        Load(1, LoadRequest(model="m", path=None, device=Device("cpu"))),
        Load(2, LOAD),
        Loaded(2),
        Speak(3, SynthesisRequest(text="")),
        Speak(4, SPEAK),
        ToDevice(8, Device("cuda:1")),
        Done(4),
        Cancel(5),
        Ping(6),
        Pong(6),
        Unload(),
        Failed(7, "corrupt", "torn", "fetch again", {"offset": 3, "path": None, "share": 0.5}),
    ],
    ids=lambda message: type(message).__name__,
)
def test_message_comes_out_as_it_went_in(message: Message) -> None:
    assert read_message(io.BytesIO(encode(message))) == message


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", "<i2"])
def test_chunk_comes_out_as_float32_in_this_machines_order(dtype: str) -> None:
    samples = np.array([0, 1, -1, 0], dtype=dtype)
    read = read_message(io.BytesIO(encode(Chunk(1, AudioChunk(samples, 22_050)))))
    assert isinstance(read, Chunk)
    assert read.audio.samples.dtype == np.float32
    assert read.audio.samples.tolist() == [0, 1, -1, 0]
    assert read.audio.sample_rate_hz == 22_050


def test_every_error_is_rebuilt_on_the_other_side() -> None:
    context: dict[str, ContextValue] = {"model": "m", "free_bytes": 3}
    for kind in all_error_types():
        error = kind("what happened", hint="what to do", context=context)
        read = decode_failed(Failed.from_error(1, error))
        assert (type(read), read.message, read.hint, read.context) == (
            kind,
            "what happened",
            "what to do",
            context,
        )


def decode_failed(failed: Failed) -> ModelCorrupt:
    read = read_message(io.BytesIO(encode(failed)))
    assert isinstance(read, Failed)
    return read.error()  # type: ignore[return-value]  # any class of the tree


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"kind": "Steal", "id": 1},
        {"kind": "Done"},
        {"kind": "Done", "id": "1"},
        {"kind": "Done", "id": True},
        {"kind": "Done", "id": 1, "v": PROTOCOL_VERSION + 1},
        {"kind": "Chunk", "id": 1, "rate_hz": 0, "dtype": "<f4"},
        {"kind": "Chunk", "id": 1, "rate_hz": 16000, "dtype": "<f8"},
        {"kind": "Chunk", "id": 1, "rate_hz": 16000, "dtype": "object"},
        {"kind": "Failed", "id": 1, "code": "x", "message": "", "hint": "", "context": {"a": [1]}},
        {"kind": "Load", "id": 1, "model": "m", "path": 3, "device": "cpu", "options": {}},
        {"kind": "Speak", "id": 1, "text": "x", "rate": "fast", "pitch": 0, "reference": []},
        {"kind": "Speak", "id": 1, "text": "x", "rate": 1, "pitch": 0, "reference": "a"},
        {"kind": "ToDevice", "id": 1},
        {"kind": "ToDevice", "id": 1, "device": None},
    ],
)
def test_decode_when_a_field_is_wrong_then_invalid(header: dict[str, JsonValue]) -> None:
    with pytest.raises(FrameInvalid):
        decode(Frame({"v": PROTOCOL_VERSION, **header}))


def test_hello_of_another_protocol_is_still_read() -> None:
    header: dict[str, JsonValue] = {
        "v": PROTOCOL_VERSION + 1,
        "kind": "Hello",
        "pid": 1,
        "protocol": PROTOCOL_VERSION + 1,
        "package": "9",
        "python": "3",
    }
    read = decode(Frame(header))
    assert isinstance(read, Hello)
    assert read.protocol == PROTOCOL_VERSION + 1


def test_chunk_of_torn_samples_then_invalid() -> None:
    header: dict[str, JsonValue] = {"kind": "Chunk", "id": 1, "rate_hz": 1, "dtype": "<f4"}
    with pytest.raises(FrameInvalid):
        decode(Frame({"v": PROTOCOL_VERSION, **header}, b"12345"))
