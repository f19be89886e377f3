"""What a pickle would call, found without running it. Standard library only.

A PyTorch checkpoint is a pickle with its tensors beside it, and a pickle is a program. Its opcodes run in
a straight line, so the names of everything it could call are read off exactly.
"""

from __future__ import annotations

import pickle
import pickletools
import struct
from collections.abc import Collection
from typing import IO

from alltalk_plugin.domain.errors import ModelCorrupt, UnsafeCheckpoint

Global = tuple[str, str]
"""Module and name of something that a pickle imports."""

_NUMBERS = ("BFloat16", "Bool", "Byte", "Char", "Double", "Float", "Half", "Int", "Long", "Short")
_QUANTISED = ("QInt8", "QInt32", "QUInt8", "QUInt4x2", "QUInt2x4")
_COMPLEX = ("ComplexDouble", "ComplexFloat")
_REBUILDERS = (
    *("_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3", "_rebuild_parameter"),
    *("_rebuild_parameter_with_state", "_rebuild_qtensor", "_rebuild_sparse_tensor"),
)
_DTYPES = (
    *("bool", "uint8", "int8", "int16", "int32", "int64", "qint8", "qint32", "quint8"),
    *("float16", "bfloat16", "float32", "float64", "complex64", "complex128"),
)
_PLAIN_TYPES = ("bytearray", "complex", "dict", "set")
_NUMPY_MODULES = ("numpy.core.multiarray", "numpy._core.multiarray")

WEIGHTS: frozenset[Global] = frozenset(
    [
        (module, f"{number}{kind}")
        for module in ("torch", "torch.cuda")
        for number in (*_NUMBERS, *_QUANTISED, *_COMPLEX)
        for kind in ("Storage", "Tensor")
    ]
    + [("torch._utils", name) for name in _REBUILDERS]
    + [("torch", name) for name in (*_DTYPES, "device", "Size", "Tensor")]
    + [("torch.nn.parameter", "Parameter"), ("torch.serialization", "_get_layout")]
    + [("torch.storage", "TypedStorage"), ("torch.storage", "UntypedStorage")]
    + [("collections", name) for name in ("OrderedDict", "defaultdict", "Counter")]
    + [(module, name) for module in ("builtins", "__builtin__") for name in _PLAIN_TYPES]
    + [(module, name) for module in _NUMPY_MODULES for name in ("scalar", "_reconstruct")]
    + [("numpy.core.numeric", "_frombuffer"), ("numpy._core.numeric", "_frombuffer")]
    + [("numpy", "dtype"), ("numpy", "ndarray"), ("_codecs", "encode")]
)
"""What weights, and the numbers that training leaves beside them, are made of. None of it acts."""

_STRINGS = {"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE"}
_FETCHES = {"GET", "BINGET", "LONG_BINGET"}
_STORES = {"PUT", "BINPUT", "LONG_BINPUT"}
_UNREADABLE = (ValueError, IndexError, KeyError, EOFError, OverflowError, struct.error)
"""What pickletools raises on bytes that are no pickle."""


def globals_of(stream: IO[bytes]) -> frozenset[Global]:
    """Everything the next pickle of a stream could call; the stream stands after it then.

    A name that is put together in a way which no pickler uses comes back as ("?", opcode).

    Raises: ValueError and the like when these bytes are no pickle.
    """
    found: set[Global] = set()
    memo: dict[int, str | None] = {}
    top: list[str | None] = []  # the last two things pushed, None for all that is no text
    for opcode, argument, _ in pickletools.genops(stream):
        name = opcode.name
        if name in {"GLOBAL", "INST"}:
            module, _, attribute = str(argument).partition(" ")
            found.add((module, attribute))
        elif name == "STACK_GLOBAL":
            module_text, attribute_text = top if len(top) == 2 else (None, None)
            known = module_text is not None and attribute_text is not None
            found.add((str(module_text), str(attribute_text)) if known else ("?", name))
        elif name in {"EXT1", "EXT2", "EXT4"}:
            found.add(("?", name))
        if name in _STRINGS:
            top = [*top[-1:], str(argument)]
        elif name in _FETCHES:
            top = [*top[-1:], memo.get(int(str(argument)))]
        elif name == "MEMOIZE":
            memo[len(memo)] = top[-1] if top else None
        elif name in _STORES:
            memo[int(str(argument))] = top[-1] if top else None
        elif name not in {"PROTO", "FRAME"}:
            top = [None]
    return frozenset(found)


def refuse_foreign(found: Collection[Global], where: str, *, besides: Collection[Global] = ()) -> None:
    """Raises: UnsafeCheckpoint naming the first thing that weights do not need."""
    foreign = sorted(set(found) - WEIGHTS - set(besides))
    if foreign:
        called = ".".join(foreign[0])
        raise UnsafeCheckpoint(
            f"{where} would call {called} while it is read",
            context={"path": where, "global": called},
        )


def check_pickle(stream: IO[bytes], where: str, *, besides: Collection[Global] = ()) -> None:
    """Walk one pickle of a stream. Raises: ModelCorrupt, UnsafeCheckpoint."""
    try:
        found = globals_of(stream)
    except _UNREADABLE as error:
        raise ModelCorrupt(f"{where} is no checkpoint: {error}", context={"path": where}) from error
    refuse_foreign(found, where, besides=besides)


class _Inert:
    """Stands for whatever a pickle makes; takes everything and does nothing."""

    def __init__(self, *_arguments: object) -> None:
        pass

    def __call__(self, *_arguments: object) -> _Inert:
        return self

    def __setstate__(self, _state: object) -> None:
        pass

    def append(self, _item: object) -> None:
        pass

    def extend(self, _items: object) -> None:
        pass


class _PlainReader(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str, /) -> object:
        return dict if (module_name, global_name) == ("collections", "OrderedDict") else _Inert

    def persistent_load(self, _pid: object) -> None:
        return None


def plain_parts(stream: IO[bytes], where: str) -> object:
    """What the next pickle of a stream holds: texts, numbers, lists and dicts as they are, nothing else made.

    Raises: ModelCorrupt.
    """
    try:
        return _PlainReader(stream).load()
    except (*_UNREADABLE, pickle.UnpicklingError, TypeError, AttributeError) as error:
        raise ModelCorrupt(f"{where} is no checkpoint: {error}", context={"path": where}) from error
