"""What came of one reply of the chat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class SpokenLine:
    """A reply of the chat with what came of it; `spoken` is the service's own report."""

    character: str
    shows: str
    text: str
    audio_file: str
    envelope: Sequence[tuple[float, float]]
    spoken: dict[str, Any]
