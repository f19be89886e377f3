"""What an ONNX file says of itself, read without any library and without its weights.

The file is a protobuf message (onnx.proto3 of ONNX 1.23): fields of a number, a wire type and a value. Only
the fields named below are looked at, so that 60 MB of weights are stepped over. Standard library only.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PureWindowsPath

from alltalk_plugin.domain.errors import ModelCorrupt, ModelNotFound, UnsafeCheckpoint

_LONGEST_VARINT = 10
_DEEPEST = 16
"""Graphs inside graphs; real ones have two levels."""

_MODEL_GRAPH, _MODEL_FUNCTIONS = 7, 25
_GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_INPUT, _GRAPH_OUTPUT, _GRAPH_SPARSE = 1, 5, 11, 12, 15
_FUNCTION_NODE = 7
_NODE_INPUT, _NODE_OP, _NODE_ATTRIBUTE = 1, 4, 5
_ATTRIBUTE_NAME, _ATTRIBUTE_INTS = 1, 8
_ATTRIBUTE_TENSORS, _ATTRIBUTE_GRAPHS, _ATTRIBUTE_SPARSE = (5, 10), (6, 11), (22, 23)
_SPARSE_TENSORS = (1, 2)
_TENSOR_DIMS, _TENSOR_NAME, _TENSOR_EXTERNAL = 1, 8, 13
_VALUE_NAME = 1
_ENTRY_KEY, _ENTRY_VALUE = 1, 2


@dataclass(frozen=True, slots=True)
class OnnxHeader:
    """inputs, outputs: names, without the weights that old files list as inputs.

    external: files beside it that hold weights. stages: channels and factor of each step that makes the
    signal longer (ConvTranspose), in order; how much memory an utterance takes depends on them.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    external: tuple[Path, ...]
    stages: tuple[tuple[int, int], ...]


def read_header(path: Path) -> OnnxHeader:
    """The header of an ONNX file. 0.1 s for a voice of 60 MB; remembered until the file changes.

    Raises: ModelNotFound, ModelCorrupt; UnsafeCheckpoint when it wants to read files outside its folder.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise ModelNotFound(f"there is no file {path}", context={"path": str(path)}) from error
    return _read(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=64)
def _read(path: Path, size: int, _mtime_ns: int) -> OnnxHeader:
    if not size:
        raise _corrupt(path, "it is empty")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as raw:
        scan = _Scan()
        try:
            scan.model(_Message(raw, 0, size))
        except _MalformedError as error:
            raise _corrupt(path, str(error)) from error
    if not scan.inputs or not scan.outputs:
        raise _corrupt(path, "it holds no model")
    return OnnxHeader(
        inputs=tuple(name for name in scan.inputs if name not in scan.shapes),
        outputs=tuple(scan.outputs),
        external=tuple(_inside(path, location) for location in dict.fromkeys(scan.external)),
        stages=tuple(
            (scan.shapes[weights][1], factor)
            for weights, factor in scan.stages
            if len(scan.shapes.get(weights, ())) > 1
        ),
    )


def _corrupt(path: Path, why: str) -> ModelCorrupt:
    return ModelCorrupt(f"{path.name} is no whole ONNX file: {why}", context={"path": str(path)})


def _inside(path: Path, location: str) -> Path:
    """The file that a model names for its weights. Raises: UnsafeCheckpoint."""
    folder = path.parent.resolve()
    # As Windows reads it on every system: a drive or a backslash has no business there anywhere.
    named = PureWindowsPath(location)
    found = (folder / location).resolve() if "\0" not in location else None
    if named.anchor or ".." in named.parts or found is None or not found.is_relative_to(folder):
        raise UnsafeCheckpoint(
            f"{path.name} wants to read a file outside its own folder",
            hint="Get the model from a source you trust; its weights belong beside it.",
            context={"path": str(path), "location": location},
        )
    return found


class _MalformedError(Exception):
    """The bytes are no protobuf message."""


@dataclass(frozen=True, slots=True)
class _Message:
    raw: mmap.mmap
    start: int
    end: int

    def fields(self) -> Iterator[tuple[int, _Message | int]]:
        """Number and value of each field; fixed-size numbers are stepped over."""
        place = self.start
        while place < self.end:
            key, place = self._varint(place)
            number, wire = key >> 3, key & 7
            if not number:
                raise _MalformedError("a field without a number")
            match wire:
                case 0:  # a number
                    value, place = self._varint(place)
                    yield number, value
                    continue
                case 1:  # eight bytes
                    length = 8
                case 2:  # text, bytes or a message
                    length, place = self._varint(place)
                    if length <= self.end - place:
                        yield number, _Message(self.raw, place, place + length)
                case 5:  # four bytes
                    length = 4
                case _:
                    raise _MalformedError(f"a field of type {wire}")
            place += length
            if place > self.end:
                raise _MalformedError("it ends in the middle")

    def text(self) -> str:
        return self.raw[self.start : self.end].decode("utf-8", "replace")

    def numbers(self) -> list[int]:
        """Packed varints."""
        found: list[int] = []
        place = self.start
        while place < self.end:
            number, place = self._varint(place)
            found.append(number)
        return found

    def _varint(self, place: int) -> tuple[int, int]:
        value = 0
        for shift in range(_LONGEST_VARINT):
            if place >= self.end:
                raise _MalformedError("it ends in the middle")
            byte = self.raw[place]
            place += 1
            value |= (byte & 0x7F) << (7 * shift)
            if byte < 0x80:
                return value, place
        raise _MalformedError("a number without an end")


class _Scan:
    """Collects from a model what `OnnxHeader` needs."""

    def __init__(self) -> None:
        self.inputs: list[str] = []
        self.outputs: list[str] = []
        self.external: list[str] = []
        self.shapes: dict[str, list[int]] = {}
        self.stages: list[tuple[str, int]] = []
        """Name of the weights and factor of each ConvTranspose."""

    def model(self, model: _Message) -> None:
        for number, value in model.fields():
            if not isinstance(value, _Message):
                continue
            if number == _MODEL_GRAPH:
                self._graph(value, depth=0)
            elif number == _MODEL_FUNCTIONS:
                for inner, node in value.fields():
                    if inner == _FUNCTION_NODE and isinstance(node, _Message):
                        self._node(node, depth=0)

    def _graph(self, graph: _Message, *, depth: int) -> None:
        if depth > _DEEPEST:
            raise _MalformedError("graphs within graphs without an end")
        for number, value in graph.fields():
            if not isinstance(value, _Message):
                continue
            if number == _GRAPH_NODE:
                self._node(value, depth=depth)
            elif number == _GRAPH_INITIALIZER:
                self._tensor(value)
            elif number == _GRAPH_SPARSE:
                self._sparse(value)
            elif number == _GRAPH_INPUT and not depth:
                self.inputs.append(_text_of(value, _VALUE_NAME))
            elif number == _GRAPH_OUTPUT and not depth:
                self.outputs.append(_text_of(value, _VALUE_NAME))

    def _node(self, node: _Message, *, depth: int) -> None:
        operator, weights, factor = "", [], 1
        for number, value in node.fields():
            if not isinstance(value, _Message):
                continue
            if number == _NODE_INPUT:
                weights.append(value)
            elif number == _NODE_OP:
                operator = value.text()
            elif number == _NODE_ATTRIBUTE:
                factor *= self._attribute(value, depth=depth)
        if operator == "ConvTranspose" and len(weights) > 1:
            self.stages.append((weights[1].text(), factor))

    def _attribute(self, attribute: _Message, *, depth: int) -> int:
        """Looks for weights in an attribute; gives the first stride when that is what it holds, else 1."""
        name = ""
        numbers: list[int] = []
        for number, value in attribute.fields():
            if number == _ATTRIBUTE_INTS:
                numbers.extend(value.numbers() if isinstance(value, _Message) else [value])
            elif not isinstance(value, _Message):
                continue
            elif number == _ATTRIBUTE_NAME:
                name = value.text()
            elif number in _ATTRIBUTE_TENSORS:
                self._tensor(value)
            elif number in _ATTRIBUTE_GRAPHS:
                self._graph(value, depth=depth + 1)
            elif number in _ATTRIBUTE_SPARSE:
                self._sparse(value)
        return numbers[0] if name == "strides" and numbers else 1

    def _sparse(self, sparse: _Message) -> None:
        for number, value in sparse.fields():
            if number in _SPARSE_TENSORS and isinstance(value, _Message):
                self._tensor(value)

    def _tensor(self, tensor: _Message) -> None:
        name = ""
        shape: list[int] = []
        for number, value in tensor.fields():
            if number == _TENSOR_DIMS:
                shape.extend(value.numbers() if isinstance(value, _Message) else [value])
            elif number == _TENSOR_NAME and isinstance(value, _Message):
                name = value.text()
            elif number == _TENSOR_EXTERNAL and isinstance(value, _Message):
                entries = [value] if _text_of(value, _ENTRY_KEY) == "location" else []
                self.external.extend(_text_of(entry, _ENTRY_VALUE) for entry in entries)
        self.shapes[name] = shape


def _text_of(message: _Message, wanted: int) -> str:
    found = (value for number, value in message.fields() if number == wanted)
    return next((value.text() for value in found if isinstance(value, _Message)), "")
