"""What ONNX Runtime's exceptions mean. It is not imported: its classes are known by their names."""

from __future__ import annotations

from alltalk_plugin.domain.errors import (
    ModelCorrupt,
    ModelError,
    ModelIncompatible,
    ModelNotFound,
    OutOfMemory,
    SynthesisFailed,
)

_NO_MEMORY = ("bad_alloc", "Failed to allocate memory", "out of memory", "CUDA failure 2")
"""ONNX Runtime has no class for it; these are its words (bfc_arena.cc, cuda_call.cc)."""


def load_error(error: Exception, name: str) -> ModelError:
    """Why a session could not be made of the file `name`."""
    if _is_no_memory(error):
        return OutOfMemory(f"there was not enough memory to load {name}")
    match type(error).__name__:
        case "InvalidProtobuf":
            return ModelCorrupt(f"{name} is no whole ONNX file")
        case "NoSuchFile":
            return ModelNotFound(f"{name} or a file it names is missing")
        case kind:
            return ModelIncompatible(f"ONNX Runtime cannot use {name}: {kind}: {_first_line(error)}")


def run_error(error: Exception) -> ModelError:
    """Why a session made no audio. What ONNX Runtime says holds names of layers and sizes, never text."""
    if _is_no_memory(error):
        return OutOfMemory("there was not enough memory to speak")
    return SynthesisFailed(f"ONNX Runtime failed: {type(error).__name__}: {_first_line(error)}")


def _is_no_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or any(words in str(error) for words in _NO_MEMORY)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:300]
