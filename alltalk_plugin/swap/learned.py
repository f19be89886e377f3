"""What loads have shown: how much memory a model takes and how long it needs to come. Pure values."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from alltalk_plugin.domain.models import ModelRef

_T = TypeVar("_T")

KEPT = 20
"""Measurements remembered: enough for a 95th percentile that leaves out one outlier."""

RECENT = 5
"""Loads a prediction looks at; older ones may have met other disks, caches or warm workers."""

_SPREAD_ONE = (0.5, 2.0)
"""Range around a prediction from a single load; load times on idle machines were seen to vary by as much."""

_SPREAD_BORROWED = (0.3, 4.0)
"""Range around a prediction made from other models of the same engine."""


@dataclass(frozen=True, slots=True)
class Eta:
    """Seconds until a model is loaded and verified: what is expected, the least and the most."""

    seconds: float
    least: float
    most: float

    @property
    def range(self) -> tuple[float, float]:
        return (self.least, self.most)


@dataclass(frozen=True, slots=True)
class Learned:
    """Measurements of one model, newest last. Sizes belong to `revision` (file, device, options); times
    outlive it, because a changed file of the same model loads much like the one before."""

    revision: str = ""
    sizes: tuple[int, ...] = ()
    load_s: tuple[float, ...] = ()

    def with_load(self, revision: str, seconds: float, held_bytes: int | None) -> Learned:
        """One more load, verified."""
        return Learned(revision, self._sizes(revision), _last((*self.load_s, seconds))).with_size(
            revision, held_bytes
        )

    def with_size(self, revision: str, held_bytes: int | None) -> Learned:
        """One more measurement of a loaded model's memory."""
        if not held_bytes or revision != self.revision:
            return self
        return Learned(revision, _last((*self.sizes, held_bytes)), self.load_s)

    def peak_bytes(self, revision: str) -> int:
        """The 95th percentile of what was measured (nearest rank); 0 when nothing was."""
        sizes = sorted(self._sizes(revision))
        return sizes[math.ceil(0.95 * len(sizes)) - 1] if sizes else 0

    @property
    def eta(self) -> Eta | None:
        recent = self.load_s[-RECENT:]
        if not recent:
            return None
        expected = statistics.median(recent)
        if len(recent) == 1:
            return Eta(expected, expected * _SPREAD_ONE[0], expected * _SPREAD_ONE[1])
        return Eta(expected, min(recent), max(recent))

    def _sizes(self, revision: str) -> tuple[int, ...]:
        return self.sizes if revision == self.revision else ()


NOTHING = Learned()


def borrowed_eta(
    load_bytes: int, learned: Mapping[ModelRef, Learned], siblings: Mapping[ModelRef, int]
) -> Eta | None:
    """How long a model that was never loaded needs, from the bytes per second at which `siblings` (models of
    the same engine, with their bytes) came; None when they were not loaded either."""
    borrowed = list(_seconds_per_byte(learned, siblings))
    if not borrowed:
        return None
    expected = statistics.median(borrowed) * load_bytes
    return Eta(expected, expected * _SPREAD_BORROWED[0], expected * _SPREAD_BORROWED[1])


def _seconds_per_byte(
    learned: Mapping[ModelRef, Learned], siblings: Mapping[ModelRef, int]
) -> Iterable[float]:
    for ref, size in siblings.items():
        eta = learned.get(ref, NOTHING).eta
        if eta is not None and size > 0:
            yield eta.seconds / size


def _last(values: tuple[_T, ...]) -> tuple[_T, ...]:
    return values[-KEPT:]
