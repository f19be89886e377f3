"""What the library raises, as what it means. By type and by the moment, not by message. In the worker."""

from __future__ import annotations

import importlib
import pickle
import zipfile
from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

import numpy as np
import torch

from alltalk_plugin.domain.errors import (
    AlltalkError,
    ModelCorrupt,
    ModelIncompatible,
    OutOfMemory,
    SynthesisFailed,
)

_MULTIARRAYS = ("numpy.core.multiarray", "numpy._core.multiarray")
"""Before numpy 2, and since."""
_CPU_ALLOCATOR = "DefaultCPUAllocator"
"""PyTorch says by a bare RuntimeError that main memory is full: the only way to know is its message."""


@contextmanager
def reading(mapped: Collection[Path] = ()) -> Iterator[None]:
    """While a model's files are read: whatever the library opens is weights only, wherever it opens it.

    safetensors files are read too, which the library cannot. The files named are mapped, where their format
    allows that: what a model does not take of them (an optimiser's state) is not even read.

    Raises: ModelCorrupt, OutOfMemory from within the library's own loaders.
    """
    original = torch.load
    to_map = frozenset(path.absolute() for path in mapped)  # as an open file tells its own

    def load(file: str | Path | IO[bytes], *_arguments: object, **_named: object) -> object:
        path = file if isinstance(file, Path) else _path_of(file)
        try:
            if path.suffix == ".safetensors":
                return {"model": _safetensors(path)}
            by_map = path.absolute() in to_map and zipfile.is_zipfile(path)
            with torch.serialization.safe_globals(_harmless()):
                return original(path if by_map else file, map_location="cpu", weights_only=True, mmap=by_map)
        except (
            pickle.UnpicklingError,
            zipfile.BadZipFile,
            RuntimeError,
            EOFError,
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            OSError,
        ) as error:
            raise_out_of_memory(error)
            raise ModelCorrupt(
                f"{path.name} cannot be read: {type(error).__name__}", context={"path": str(path)}
            ) from error

    torch.load = load
    try:
        yield
    finally:
        torch.load = original


def _path_of(file: str | IO[bytes]) -> Path:
    """An open file says it by `path` (fsspec) or by `name`."""
    return Path(str(getattr(file, "path", None) or getattr(file, "name", None) or file))


def _safetensors(path: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return cast("dict[str, torch.Tensor]", load_file(path))


def _harmless() -> list[object]:
    """What training leaves beside weights, and PyTorch alone would refuse (see `pickles.WEIGHTS`)."""
    multiarray = importlib.import_module("numpy._core.multiarray")
    makers = [(name, getattr(multiarray, name)) for name in ("scalar", "_reconstruct")]
    return [
        *(dict, defaultdict, np.dtype, np.ndarray),
        *(type(np.dtype(code)) for code in ("f2", "f4", "f8", "i4", "i8", "b1")),
        *((maker, f"{module}.{name}") for name, maker in makers for module in _MULTIARRAYS),
    ]


@contextmanager
def loading(model: str) -> Iterator[None]:
    """Around the making of a model: what is not ours yet means that config and weights do not fit.

    Raises: OutOfMemory, ModelIncompatible.
    """
    try:
        yield
    except AlltalkError:
        raise
    except ModuleNotFoundError as error:
        raise ModelIncompatible(
            f"{model} needs the Python package {error.name}, which the engine's environment lacks",
            hint=f"Install {error.name} into the engine's environment.",
            context={"package": error.name},
        ) from error
    except Exception as error:
        raise_out_of_memory(error)
        raise ModelIncompatible(
            f"the weights of {model} and its config.json do not fit together: {_short(error)}",
            hint="Take both from the same place: the config has to be the one of the training.",
            context={"reason": type(error).__name__},
        ) from error


@contextmanager
def speaking() -> Iterator[None]:
    """Around one utterance; nothing of its text gets into an error.

    Raises: OutOfMemory, SynthesisFailed.
    """
    try:
        yield
    except AlltalkError:
        raise
    except Exception as error:
        raise_out_of_memory(error)
        raise SynthesisFailed(
            f"the model failed on this text: {type(error).__name__}",
            context={"reason": type(error).__name__},
        ) from error


def raise_out_of_memory(error: BaseException) -> None:
    """Raises: OutOfMemory when that is what an error means; does nothing otherwise."""
    full = isinstance(error, (MemoryError, torch.cuda.OutOfMemoryError))
    if full or (isinstance(error, RuntimeError) and _CPU_ALLOCATOR in str(error)):
        raise OutOfMemory("there is not enough memory for the model") from error


def _short(error: BaseException) -> str:
    """The first line of a message: a mismatch lists a thousand tensors."""
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0][:200]}"
