"""The real core and the real speech plan on a virtual clock: only loading and speaking are simulated."""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from alltalk_plugin.domain.models import (
    CPU,
    Device,
    MemoryEstimate,
    ModelKey,
    ModelProfile,
    ModelRef,
    ModelState,
)
from alltalk_plugin.domain.speech import Segment, SpeakerRole, TextSpan
from alltalk_plugin.domain.voices import VoiceChoice, VoiceName, VoiceProfile
from alltalk_plugin.settings.schema import SpeechSettings, SwapSettings
from alltalk_plugin.speech.plan import Batch, PlannedSegment, next_batch, runs_ahead
from alltalk_plugin.swap.core import Effects, SwapCore
from alltalk_plugin.swap.effects import Deny, Drop, Grant, Load, ModelFacts, StartLoad
from alltalk_plugin.swap.states import SwapState
from bench.swap.results import Run
from bench.swap.workloads import AUDIO_S, LOAD_S, SYNTHESIS_S, Workload

MODEL_MB = 100
FLOOR_MB = 1
MEGABYTE = 1_000_000
AHEAD_MARGIN_S = 1.0
"""As in `speech.produce`: how long before the audio runs out nothing is overtaken any more."""


def facts_of(ref: str, megabytes: int) -> ModelFacts:
    size = megabytes * MEGABYTE
    return ModelFacts(
        ModelProfile(ModelRef(ref), "simulated"),
        ModelKey("simulated", ModelRef(ref), "1"),
        MemoryEstimate(CPU, size, size),
    )


FLOOR = facts_of("floor", FLOOR_MB)


def planned(index: int, voice: str) -> PlannedSegment:
    """A sentence that this voice is to speak."""
    profile = VoiceProfile(name=VoiceName(voice), model=ModelRef(voice))
    segment = Segment(text="-", role=SpeakerRole.CHARACTER, speaker=None, span=TextSpan(index, index + 1))
    return PlannedSegment(index, segment, VoiceChoice(profile, "bench"))


@dataclass(slots=True)
class Reply:
    """One dialogue's producer: takes a batch, leases its model, speaks, takes the next."""

    number: int
    pending: list[PlannedSegment]
    batch: Batch | None = None
    granted: Load | None = None
    wish: int = 0
    done: dict[int, float] = field(default_factory=dict)

    def playback_deadline_s(self) -> float | None:
        """When the audio that may be played runs out: sentences count in reading order only."""
        heard_until = None
        for index in itertools.count():
            ready = self.done.get(index)
            if ready is None:
                return heard_until
            heard_until = max(ready, heard_until or 0.0) + AUDIO_S
        return None


class Simulation:
    """One workload against the core."""

    def __init__(self, workload: Workload, *, slots: int, look_ahead: int | None = None) -> None:
        self._workload = workload
        self._slots = slots
        self._look_ahead = SpeechSettings().look_ahead_segments if look_ahead is None else look_ahead
        budget = FLOOR_MB + slots * MODEL_MB
        settings = SwapSettings(budget_mb={"cpu": budget}, margin_share=0.0, queue_limit=10_000)
        self._core = SwapCore(
            SwapState(
                floor=FLOOR.key,
                prefix="bench.",
                settings=lambda: settings,
                measured_free=_unmeasured,
                budget_at_start=lambda _device: 0,
            )
        )
        self._now = 0.0
        self._patience_s = settings.max_wait_s
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count(1)
        self._replies: dict[int, Reply] = {}
        self._free_at: dict[ModelRef, float] = {}
        self.run = Run()

    def result(self) -> Run:
        self._apply(self._core.on_start(0.0, FLOOR, None, {}))
        for number, dialogue in enumerate(self._workload.dialogues):
            segments = [planned(index, voice) for index, voice in enumerate(dialogue.voices)]
            reply = Reply(number, segments)
            self._at(dialogue.at, partial(self._next, reply))
        while True:
            due = self._core.next_wakeup(self._now)
            if self._events and self._events[0][0] <= due:
                self._now, _, work = heapq.heappop(self._events)
                work()
            elif due < math.inf:
                self._now = max(self._now, due)
                self._apply(self._core.on_tick(self._now))
            else:
                return self.run

    def _at(self, at: float, work: Callable[[], None]) -> None:
        heapq.heappush(self._events, (at, next(self._numbers), work))

    def _next(self, reply: Reply) -> None:
        if not reply.pending:
            return
        models = {item.model for item in reply.pending}
        reply.batch = next_batch(
            reply.pending, fit_together=len(models) <= self._slots, look_ahead=self._look_ahead
        )
        reply.wish = next(self._numbers)
        self._replies[reply.wish] = reply
        self._apply(
            self._core.on_request(
                self._now,
                reply.wish,
                facts_of(reply.batch.model, MODEL_MB),
                timeout_s=self._patience_s,
                playback_deadline_s=reply.playback_deadline_s(),
                upcoming=reply.batch.upcoming,
            )
        )

    def _speak(self, reply: Reply, load: Load, items: tuple[PlannedSegment, ...]) -> None:
        """The next of the lease's sentences; the model speaks one at a time."""
        deadline = reply.playback_deadline_s()
        late = deadline is not None and self._now >= deadline - AHEAD_MARGIN_S
        if not items or (late and runs_ahead(items[0], reply.pending)):
            self._apply(self._core.on_done(self._now, reply.wish, load))
            self._next(reply)
            return
        begins = max(self._now, self._free_at.get(load.key.model, 0.0))
        ends = self._free_at[load.key.model] = begins + SYNTHESIS_S
        self.run.order.append((reply.number, items[0].index))

        def spoken() -> None:
            reply.done[items[0].index] = self.run.done[reply.number, items[0].index] = self._now
            reply.pending.remove(items[0])
            self._speak(reply, load, items[1:])

        self._at(ends, spoken)

    def _apply(self, effects: Effects) -> None:
        for effect in effects:
            match effect:
                case StartLoad(load):
                    self._load(load)
                case Drop(load):
                    self._at(self._now, partial(self._unloaded, load))
                case Grant(wish_id, load):
                    reply = self._replies[wish_id]
                    items = reply.batch.items if reply.batch else ()
                    self._at(self._now, partial(self._speak, reply, load, items))
                case Deny(wish_id):
                    self.run.refused += 1
                    self._replies[wish_id].pending.clear()
        there = [slot for slot in self._core.state.slots.values() if slot.state not in _AWAY]
        self.run.peak_slots = max(self.run.peak_slots, len(there) - 1)  # the floor takes no slot

    def _unloaded(self, load: Load) -> None:
        self._apply(self._core.on_unloaded(self._now, load))

    def _load(self, load: Load) -> None:
        takes = 0.0 if load.key == FLOOR.key else LOAD_S
        self.run.loads += 1 if takes else 0

        def arrived() -> None:
            self._apply(self._core.on_loaded(self._now, load))
            held = self._core.state.slots[load.key].facts.estimate.held_bytes
            self._apply(self._core.on_verified(self._now, load, held))

        self._at(self._now + takes, arrived)


_AWAY = frozenset({ModelState.COLD, ModelState.FAILED})


def _unmeasured(_device: Device) -> int | None:
    return None


def one_slot(workload: Workload) -> Run:
    return Simulation(workload, slots=1).result()


def one_slot_far_ahead(workload: Workload) -> Run:
    """With `speech.look_ahead_segments` as long as a reply."""
    return Simulation(workload, slots=1, look_ahead=100).result()


def two_slots(workload: Workload) -> Run:
    return Simulation(workload, slots=2).result()
