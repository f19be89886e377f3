"""Which segments are spoken next, on which model: pure decisions over what is still to be said.

A narrator on one model and a character on another, with memory for one of them, would swap at every
quotation mark if segments were leased in reading order. So reading order is kept while the models fit
together; otherwise segments are grouped by model, overtaking a bounded number of others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from alltalk_plugin.domain.models import ModelRef
from alltalk_plugin.domain.speech import Segment
from alltalk_plugin.domain.voices import VoiceChoice


@dataclass(frozen=True, slots=True)
class PlannedSegment:
    """A segment with its place in reading order and the voice that is to speak it.

    `reduced` asks for the plain form of the text: the engine's process died on the full one.
    """

    index: int
    segment: Segment
    choice: VoiceChoice
    reduced: bool = False

    @property
    def model(self) -> ModelRef:
        return self.choice.voice.model


@dataclass(frozen=True, slots=True)
class Batch:
    """Segments spoken under one lease, in reading order, and the models wanted after it."""

    model: ModelRef
    items: tuple[PlannedSegment, ...]
    upcoming: tuple[ModelRef, ...]


def next_batch(pending: Sequence[PlannedSegment], *, fit_together: bool, look_ahead: int) -> Batch:
    """The next lease's worth of `pending` (reading order, not empty).

    It always starts with the segment to be heard first. When the models fit together it ends where
    another model's turn begins; otherwise it takes later segments of the same model too, overtaking at
    most `look_ahead` segments of others. So N alternating segments cost about N / (2 look_ahead + 1)
    swaps instead of N.
    """
    model = pending[0].model
    items: list[PlannedSegment] = []
    overtaken = 0
    for item in pending:
        if item.model == model:
            items.append(item)
        elif fit_together or overtaken == look_ahead:
            break
        else:
            overtaken += 1
    taken = {item.index for item in items}
    rest = (item.model for item in pending if item.index not in taken)
    return Batch(model, tuple(items), tuple(dict.fromkeys(ref for ref in rest if ref != model)))


def runs_ahead(item: PlannedSegment, pending: Sequence[PlannedSegment]) -> bool:
    """Whether speaking `item` now overtakes a segment that is heard before it."""
    return any(other.index < item.index for other in pending)
