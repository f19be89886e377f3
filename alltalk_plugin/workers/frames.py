"""Frames on a pipe: two lengths, a JSON header, raw bytes. Standard library only; runs on both ends.

| bytes | what |
| --- | --- |
| 0-1 | `AW`, so that something printed into the pipe is noticed at once |
| 2-5 | length of the header, unsigned, little-endian |
| 6-9 | length of the payload, unsigned, little-endian |
| then | header (JSON, UTF-8), payload |

No pickle: a worker may run code that we did not write, and must not be able to run any here.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

JsonValue = str | int | float | bool | list["JsonValue"] | dict[str, "JsonValue"] | None

MAX_HEADER_BYTES = 8_000_000
"""Room for the longest text the service accepts (200,000 characters), each escaped, several times over."""
MAX_PAYLOAD_BYTES = 64_000_000
"""About six minutes of 44.1 kHz float32 in one chunk; engines send far less."""

_PREFIX = struct.Struct("<2sII")
_MAGIC = b"AW"


class FrameError(Exception):
    """What came through the pipe is no frame of ours."""


class TornFrame(FrameError):
    """The pipe ended inside a frame."""


class FrameTooLarge(FrameError):
    """A length is beyond the limit; nothing of it was read or written."""


class FrameInvalid(FrameError):
    """The magic, the JSON or a field is wrong."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A decoded header and its payload."""

    header: Mapping[str, JsonValue]
    payload: bytes = b""


def pack(frame: Frame) -> bytes:
    """A frame as bytes. Raises: FrameTooLarge."""
    header = json.dumps(frame.header, separators=(",", ":"), ensure_ascii=True).encode("ascii")
    _check_lengths(len(header), len(frame.payload))
    return _PREFIX.pack(_MAGIC, len(header), len(frame.payload)) + header + frame.payload


def read_frame(stream: BinaryIO) -> Frame | None:
    """The next frame, or None where the stream ends between frames. Blocks.

    Raises: TornFrame, FrameTooLarge, FrameInvalid.
    """
    prefix = stream.read(_PREFIX.size)
    if not prefix:
        return None
    if len(prefix) < _PREFIX.size:
        raise TornFrame(f"the pipe ended after {len(prefix)} bytes of a frame's prefix")
    magic, header_bytes, payload_bytes = _PREFIX.unpack(prefix)
    if magic != _MAGIC:
        raise FrameInvalid(f"a frame begins with {magic!r}")
    _check_lengths(header_bytes, payload_bytes)
    header = _parse(_read_exactly(stream, header_bytes))
    return Frame(header, _read_exactly(stream, payload_bytes))


def _read_exactly(stream: BinaryIO, size: int) -> bytes:
    content = stream.read(size) if size else b""
    if len(content) < size:
        raise TornFrame(f"the pipe ended after {len(content)} of {size} bytes")
    return content


def _check_lengths(header_bytes: int, payload_bytes: int) -> None:
    if header_bytes > MAX_HEADER_BYTES:
        raise FrameTooLarge(f"a header of {header_bytes} bytes")
    if payload_bytes > MAX_PAYLOAD_BYTES:
        raise FrameTooLarge(f"a payload of {payload_bytes} bytes")


def _parse(raw: bytes) -> dict[str, JsonValue]:
    try:
        header = json.loads(raw)
    except ValueError as error:  # JSONDecodeError and UnicodeDecodeError are ValueErrors
        raise FrameInvalid("a header is not JSON") from error
    if not isinstance(header, dict):
        raise FrameInvalid("a header is not a JSON object")
    return header
