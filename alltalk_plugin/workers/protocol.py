"""What the service and a worker say to each other. Standard library and numpy only; runs on both ends.

| from | message | answered by |
| --- | --- | --- |
| worker | Hello, once, first | |
| service | Load | Loaded or Failed |
| service | Speak | any number of Chunks, then Done or Failed |
| service | ToDevice | Done or Failed, in its turn; a cancelled one is carried out all the same |
| service | Cancel | nothing; the running Speak ends with Done within one chunk |
| service | Ping | Pong, at once, even while the engine works |
| service | Unload | the end of the process |

The service's end of the pipe closing means: end at once. Every request carries an `id` that its answers
repeat, so what is still on the way for a given-up request is recognised and thrown away.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, TypeVar

import numpy as np

from alltalk_plugin.domain.audio import AudioChunk
from alltalk_plugin.domain.engines import LoadRequest, SynthesisRequest
from alltalk_plugin.domain.errors import AlltalkError, ContextValue, error_from_code
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.models import Device, OptionValue
from alltalk_plugin.workers.frames import Frame, FrameInvalid, JsonValue, pack, read_frame

PROTOCOL_VERSION = 3
SAMPLE_TYPE = "<f4"
"""Samples travel as 32-bit floats, little-endian, whatever the machine."""


@dataclass(frozen=True, slots=True)
class Hello:
    """Who the worker is. `package` is our version as the worker sees it."""

    pid: int
    protocol: int
    package: str
    python: str


@dataclass(frozen=True, slots=True)
class Load:
    id: int
    request: LoadRequest


@dataclass(frozen=True, slots=True)
class Loaded:
    id: int


@dataclass(frozen=True, slots=True)
class Speak:
    id: int
    request: SynthesisRequest


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    id: int
    audio: AudioChunk


@dataclass(frozen=True, slots=True)
class ToDevice:
    """Move the loaded model."""

    id: int
    device: Device


@dataclass(frozen=True, slots=True)
class Done:
    id: int


@dataclass(frozen=True, slots=True)
class Cancel:
    id: int


@dataclass(frozen=True, slots=True)
class Ping:
    id: int


@dataclass(frozen=True, slots=True)
class Pong:
    id: int


@dataclass(frozen=True, slots=True)
class Unload:
    pass


@dataclass(frozen=True, slots=True)
class Failed:
    """A request that ended in an error, in the parts that `error_from_code` needs."""

    id: int
    code: str
    message: str
    hint: str
    context: Mapping[str, ContextValue] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def from_error(cls, request_id: int, error: AlltalkError) -> Failed:
        return cls(request_id, error.code, error.message, error.hint, error.context)

    def error(self) -> AlltalkError:
        return error_from_code(self.code, self.message, hint=self.hint, context=dict(self.context))


Message = Hello | Load | Loaded | Speak | Chunk | ToDevice | Done | Cancel | Ping | Pong | Unload | Failed


def encode(message: Message) -> bytes:
    """A message as one frame. Raises: FrameTooLarge."""
    fields: dict[str, JsonValue]
    payload = b""
    match message:
        case Hello(pid, protocol, package, python):
            fields = {"pid": pid, "protocol": protocol, "package": package, "python": python}
        case Load(request_id, request):
            fields = {"id": request_id, **_load_fields(request)}
        case Speak(request_id, utterance):
            fields = {"id": request_id, **_speak_fields(utterance)}
        case Chunk(request_id, audio):
            samples = np.ascontiguousarray(audio.samples, dtype=SAMPLE_TYPE)
            fields = {"id": request_id, "rate_hz": audio.sample_rate_hz, "dtype": SAMPLE_TYPE}
            payload = samples.tobytes()
        case ToDevice(request_id, device):
            fields = {"id": request_id, "device": device}
        case Failed(request_id, code, text, hint, context):
            fields = {
                "id": request_id,
                "code": code,
                "message": text,
                "hint": hint,
                "context": {**context},
            }
        case Unload():
            fields = {}
        case Loaded(request_id) | Done(request_id) | Cancel(request_id) | Ping(request_id) | Pong(request_id):
            fields = {"id": request_id}
    header: dict[str, JsonValue] = {"v": PROTOCOL_VERSION, "kind": type(message).__name__, **fields}
    return pack(Frame(header, payload))


def read_message(stream: BinaryIO) -> Message | None:
    """The next message, or None at the end of the stream. Blocks.

    Raises: TornFrame, FrameTooLarge, FrameInvalid.
    """
    frame = read_frame(stream)
    return None if frame is None else decode(frame)


def decode(frame: Frame) -> Message:
    """The message in a frame. Raises: FrameInvalid."""
    header = _Header(frame)
    kind = header.take("kind", str)
    if header.take("v", int) != PROTOCOL_VERSION and kind != "Hello":
        raise FrameInvalid(f"a {kind} of another protocol version")
    reader = _READERS.get(kind)
    if reader is None:
        raise FrameInvalid(f"an unknown message: {kind!r}")
    return reader(header)


T = TypeVar("T", str, int, dict)  # type: ignore[type-arg]  # a bare dict is what isinstance can check


class _Header:
    """Fields of a header, taken out with their types checked, and the payload behind it."""

    def __init__(self, frame: Frame) -> None:
        self._fields = frame.header
        self.payload = frame.payload

    def take(self, name: str, kind: type[T]) -> T:
        value = self._fields.get(name)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise FrameInvalid(f"{name} is not {kind.__name__}")
        return value

    def flag(self, name: str) -> bool:
        value = self._fields.get(name)
        if not isinstance(value, bool):
            raise FrameInvalid(f"{name} is not a flag")
        return value

    def text_or_none(self, name: str) -> str | None:
        return None if self._fields.get(name) is None else self.take(name, str)

    def number(self, name: str) -> float:
        value = self._fields.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise FrameInvalid(f"{name} is not a number")
        return float(value)

    def texts(self, name: str) -> tuple[str, ...]:
        value = self._fields.get(name)
        if not isinstance(value, list):
            raise FrameInvalid(f"{name} is not a list")
        return tuple(str(item) for item in value)

    def scalars(self, name: str) -> dict[str, OptionValue | None]:
        found: dict[str, OptionValue | None] = {}
        for key, value in self.take(name, dict).items():
            if value is not None and not isinstance(value, str | int | float):
                raise FrameInvalid(f"{name}.{key} is not a plain value")
            found[str(key)] = value
        return found


def _load_fields(request: LoadRequest) -> dict[str, JsonValue]:
    return {
        "model": request.model,
        "path": None if request.path is None else str(request.path),
        "device": request.device,
        "options": {**request.options},
        "whole": request.whole,
    }


def _read_load(header: _Header) -> Load:
    path = header.text_or_none("path")
    options = {key: value for key, value in header.scalars("options").items() if value is not None}
    request = LoadRequest(
        model=header.take("model", str),
        path=None if path is None else Path(path),
        device=Device(header.take("device", str)),
        options=options,
        whole=header.flag("whole"),
    )
    return Load(header.take("id", int), request)


def _speak_fields(request: SynthesisRequest) -> dict[str, JsonValue]:
    return {
        "text": request.text,
        "language": request.language,
        "speaker": request.speaker,
        "reference": [str(path) for path in request.reference_audio],
        "rate": request.rate,
        "pitch": request.pitch_semitones,
    }


def _read_speak(header: _Header) -> Speak:
    language = header.text_or_none("language")
    request = SynthesisRequest(
        text=header.take("text", str),
        language=None if language is None else LanguageTag(language),
        speaker=header.text_or_none("speaker"),
        reference_audio=tuple(Path(text) for text in header.texts("reference")),
        rate=header.number("rate"),
        pitch_semitones=header.number("pitch"),
    )
    return Speak(header.take("id", int), request)


def _read_chunk(header: _Header) -> Chunk:
    if header.take("dtype", str) != SAMPLE_TYPE or len(header.payload) % 4:
        raise FrameInvalid("a chunk is not made of 32-bit floats")
    rate_hz = header.take("rate_hz", int)
    if rate_hz <= 0:
        raise FrameInvalid("a chunk has no sample rate")
    samples = np.frombuffer(header.payload, dtype=SAMPLE_TYPE).astype(np.float32, copy=False)
    return Chunk(header.take("id", int), AudioChunk(samples, rate_hz))


def _read_hello(header: _Header) -> Hello:
    return Hello(
        pid=header.take("pid", int),
        protocol=header.take("protocol", int),
        package=header.take("package", str),
        python=header.take("python", str),
    )


def _read_failed(header: _Header) -> Failed:
    return Failed(
        id=header.take("id", int),
        code=header.take("code", str),
        message=header.take("message", str),
        hint=header.take("hint", str),
        context=header.scalars("context"),
    )


_READERS: dict[str, Callable[[_Header], Message]] = {
    "Hello": _read_hello,
    "Load": _read_load,
    "Loaded": lambda header: Loaded(header.take("id", int)),
    "Speak": _read_speak,
    "Chunk": _read_chunk,
    "ToDevice": lambda header: ToDevice(header.take("id", int), Device(header.take("device", str))),
    "Done": lambda header: Done(header.take("id", int)),
    "Cancel": lambda header: Cancel(header.take("id", int)),
    "Ping": lambda header: Ping(header.take("id", int)),
    "Pong": lambda header: Pong(header.take("id", int)),
    "Unload": lambda _: Unload(),
    "Failed": _read_failed,
}
