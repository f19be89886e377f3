"""Where a model runs and how many threads it may take. In the worker."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from collections.abc import Callable
from functools import cache

import torch

from alltalk_plugin.domain.errors import ModelIncompatible
from alltalk_plugin.domain.models import Device

MOST_THREADS = 8
"""More have not made a sentence faster: its parts follow one another."""


def device_named(name: Device) -> torch.device:
    """The device of a model. Raises: ModelIncompatible when this machine, or this PyTorch, has none such."""
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise _refused(name, "a device is cpu, cuda, cuda:1 or mps") from error
    match device.type:
        case "cpu":
            return device
        case "cuda" if not torch.cuda.is_available():
            raise _refused(name, "this PyTorch finds no CUDA device")
        case "cuda" if (device.index or 0) >= torch.cuda.device_count():
            raise _refused(name, f"there are {torch.cuda.device_count()} CUDA devices, counted from 0")
        case "mps" if not torch.backends.mps.is_available():
            raise _refused(name, "this PyTorch finds no Metal device")
        case "cuda" | "mps":
            return device
        case _:
            raise _refused(name, "a device is cpu, cuda, cuda:1 or mps")


def _refused(name: str, reason: str) -> ModelIncompatible:
    return ModelIncompatible(
        f"the model cannot run on {name}: {reason}",
        hint="Set the model's device to cpu, or install the engine again for that device.",
        context={"device": name, "reason": reason},
    )


def use_threads(wanted: int) -> None:
    """Let PyTorch take that many threads; 0: all of up to two cores, else half of them.

    One for a load: two that copy weights into new memory wait for each other while the system hands it out,
    and the load takes twice as long (356 ms against 668, a VITS of 141 MB, measured 2026-11-22).
    """
    torch.set_num_threads(wanted if wanted > 0 else fair_threads(_usable_cores()))


def fair_threads(cores: int) -> int:
    """The machine belongs to a language model too."""
    return cores if cores <= 2 else min(max(cores // 2, 2), MOST_THREADS)


def _usable_cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # Linux has it
        return os.cpu_count() or 1


def release() -> None:
    """Give memory that nothing uses any more back to the system and to the device.

    Models hold themselves by cycles, and the C library keeps what Python lets go: 390 MB stay resident with
    all three steps, 616 without the last (Linux, a model of 141 MB).
    """
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    elif torch.backends.mps.is_available():
        torch.mps.empty_cache()
    trim()


def trim() -> None:
    """The last step alone. Only glibc has it."""
    if (give_back := _malloc_trim()) is not None:
        give_back(0)


@cache
def _malloc_trim() -> Callable[[int], int] | None:
    return getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform.startswith("linux") else None
