from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alltalk_plugin.workers.frames import (
    MAX_HEADER_BYTES,
    MAX_PAYLOAD_BYTES,
    Frame,
    FrameInvalid,
    FrameTooLarge,
    TornFrame,
    pack,
    read_frame,
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.dictionaries(st.text(), json_values, max_size=4), st.binary()), max_size=4))
def test_frames_come_out_as_they_went_in(frames: list[tuple[dict[str, object], bytes]]) -> None:
    sent = [Frame(header, payload) for header, payload in frames]  # type: ignore[arg-type]  # JSON by construction
    stream = io.BytesIO(b"".join(pack(frame) for frame in sent))
    assert [read_frame(stream) for _ in sent] == sent
    assert read_frame(stream) is None


def test_frame_torn_at_any_byte_then_typed() -> None:
    whole = pack(Frame({"kind": "Chunk", "id": 1}, b"1234"))
    for length in range(1, len(whole)):
        with pytest.raises(TornFrame):
            read_frame(io.BytesIO(whole[:length]))


@pytest.mark.parametrize(
    "raw",
    [
        b"Loading model...\n",
        struct.pack("<2sII", b"AW", 4, 0) + b"nope",
        struct.pack("<2sII", b"AW", 2, 0) + b"[]",
        struct.pack("<2sII", b"AW", 2, 0) + b"\xff\xfe",
    ],
)
def test_frame_when_it_is_none_of_ours_then_invalid(raw: bytes) -> None:
    with pytest.raises(FrameInvalid):
        read_frame(io.BytesIO(raw))


@pytest.mark.parametrize("lengths", [(MAX_HEADER_BYTES + 1, 0), (1, MAX_PAYLOAD_BYTES + 1)])
def test_frame_when_a_length_is_absurd_then_nothing_is_read(lengths: tuple[int, int]) -> None:
    stream = io.BytesIO(struct.pack("<2sII", b"AW", *lengths) + b"x" * 100)
    with pytest.raises(FrameTooLarge):
        read_frame(stream)
    assert stream.tell() == struct.calcsize("<2sII")


def test_pack_when_the_payload_is_too_large_then_typed() -> None:
    with pytest.raises(FrameTooLarge):
        pack(Frame({}, bytes(MAX_PAYLOAD_BYTES + 1)))
