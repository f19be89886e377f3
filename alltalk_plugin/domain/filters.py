"""What plugins add to the way of text and audio: small functions with a name and a place in the order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from alltalk_plugin.domain.audio import Samples


@dataclass(frozen=True, slots=True)
class TextFilter:
    """Changes a segment's clean text before it is spoken; lower `order` first, equal ones by name."""

    name: str
    order: int
    apply: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class AudioEffect:
    """Changes the finished speech of a segment; lower `order` first, equal ones by name.

    `apply(samples, sample_rate_hz)` gives samples of the same rate; it must not write into its argument.
    """

    name: str
    order: int
    apply: Callable[[Samples, int], Samples]
