"""What a model makes of a voice's recordings, kept. Standard library only."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from alltalk_plugin.domain.errors import ReferenceUnusable

Latents = TypeVar("Latents")

VOICES_KEPT = 64
"""One voice of XTTS takes 130 kB."""

_Recording = tuple[str, int, int]


class LatentCache(Generic[Latents]):
    """Computes the latents of a voice once: until one of its files changes, or 64 others came after it.

    What fails is not kept. One thread: the worker's.
    """

    def __init__(
        self, compute: Callable[[tuple[Path, ...]], Latents], *, capacity: int = VOICES_KEPT
    ) -> None:
        self._compute = compute
        self._capacity = capacity
        self._kept: OrderedDict[tuple[_Recording, ...], Latents] = OrderedDict()

    def of(self, recordings: tuple[Path, ...]) -> Latents:
        """The latents of a voice. Raises: ReferenceUnusable, and what `compute` raises."""
        key = tuple(_identity(path) for path in recordings)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        latents = self._compute(recordings)
        self._kept[key] = latents
        if len(self._kept) > self._capacity:
            self._kept.popitem(last=False)
        return latents


def _identity(path: Path) -> _Recording:
    """Changes whenever the file does."""
    try:
        status = path.stat()
    except OSError as error:
        reason = "there is no such file"
        raise ReferenceUnusable(
            f"{path.name} cannot be cloned from: {reason}", context={"path": str(path), "reason": reason}
        ) from error
    return str(path), status.st_size, status.st_mtime_ns
