"""The hypothesis machine over the swap core; `test_machine` runs it, the mutation tests break it."""

from __future__ import annotations

import math

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from alltalk_plugin.domain.errors import (
    AlltalkError,
    Cancelled,
    ModelCorrupt,
    ModelTimeout,
    ModelTooBig,
    OutOfMemory,
    SelfTestFailed,
    WorkerCrashed,
)
from alltalk_plugin.domain.models import ModelRef, ModelState, SwapMode, SwapOutcome
from alltalk_plugin.settings.schema import SwapSettings
from alltalk_plugin.swap.admission import MEGABYTE
from alltalk_plugin.swap.asking import PERSON
from alltalk_plugin.swap.core import SwapCore
from alltalk_plugin.swap.effects import Kind, Load, ModelFacts
from alltalk_plugin.swap.journal import replay
from alltalk_plugin.swap.replaying import Fold
from tests.swap.watched import WatchedWorld
from tests.swap.world import facts_of

ERRORS: tuple[AlltalkError, ...] = (
    ModelCorrupt("corrupt"),
    OutOfMemory("oom"),
    ModelTimeout("timeout"),
    WorkerCrashed("crash"),
    SelfTestFailed("silence"),
)
SIZES_MB = {"a": 2, "b": 2, "c": 4, "d": 1, "e": 9}


def model(ref: str, revision: str = "r1") -> ModelFacts:
    """One byte more than whole megabytes for one of them, so that an overcommitment by one byte shows."""
    return facts_of(ref, SIZES_MB[ref], plus_bytes=1 if ref == "c" else 0, revision=revision)


CATALOG = {ModelRef(ref): model(ref) for ref in SIZES_MB}
REFS = st.sampled_from(sorted(SIZES_MB))
MODELS = st.builds(model, REFS, st.sampled_from(("r1",) * 7 + ("r2",)))
ON_PURPOSE = ("ttl", "superseded", "cancelled", "unload", "removed", "close")
_ENDS = (Kind.COMMIT, Kind.ABORT, Kind.ROLLBACK, Kind.DEGRADED)


class SwapMachine(RuleBasedStateMachine):
    """Everything that can happen, in any order; `World.check` runs after every event."""

    core_type: type[SwapCore] = SwapCore

    def __init__(self) -> None:
        super().__init__()
        self.w: WatchedWorld

    @initialize(
        budget_mb=st.integers(3, 7),
        limit=st.integers(0, 4),
        interval_s=st.sampled_from([0.0, 20.0]),
        ttl_s=st.sampled_from([0.0, 0.0, 50.0]),
        base_mb=st.sampled_from([0, 0, 1]),
        resident=st.sampled_from(["", "", "ab", "abd"]),
    )
    def begin(
        self, *, budget_mb: int, limit: int, interval_s: float, ttl_s: float, base_mb: int, resident: str
    ) -> None:
        world = type("MachineWorld", (WatchedWorld,), {"core_type": self.core_type})
        self.w = world(
            SwapSettings(
                budget_mb={"cpu": budget_mb + base_mb},
                overtake_limit=limit,
                min_interval_s=interval_s,
                margin_share=0,
                idle_ttl_s=ttl_s,
            )
        )
        self.w.base_bytes = base_mb * MEGABYTE
        for ref in resident:  # several small models, the last of them in use: a big one has many victims
            self.speak_if_free(ref)
            for wish in sorted(self.w.leases)[:-1]:
                self.w.done(wish)

    @rule(
        facts=MODELS,
        playback=st.sampled_from([None, 5.0]),
        upcoming=st.sampled_from([(), (), ("a",), ("d", "b")]),
        timeout_s=st.sampled_from([1e6, 1e6, 1.0, 20.0]),
    )
    def submit(
        self, facts: ModelFacts, playback: float | None, upcoming: tuple[str, ...], timeout_s: float
    ) -> None:
        deadline = None if playback is None else self.w.now + playback
        self.w.request(facts, playback=deadline, upcoming=upcoming, timeout_s=timeout_s)

    @rule(
        facts=MODELS,
        mode=st.sampled_from(SwapMode),
        force=st.booleans(),
        cause=st.sampled_from(["api", PERSON]),
    )
    def swap(self, facts: ModelFacts, mode: SwapMode, force: bool, cause: str) -> None:
        self.w.swap(facts, mode=mode, force=force, cause=cause)

    @rule(ref=REFS)
    def speak_if_free(self, ref: str) -> None:
        """A request whose load, if one begins at once, succeeds; it keeps its lease. Gets deep quickly."""
        self.w.request(model(ref))
        for load in [load for load in self.w.running if load.key == model(ref).key]:
            self.w.finish(load)

    @rule(facts=MODELS, order=st.sampled_from(["roll back", "pin", "unpin", "unload"]))
    def order(self, facts: ModelFacts, order: str) -> None:
        match order:
            case "roll back":
                self.w.swap(facts, cause="rollback")
            case "unload":
                self.w.unload(facts)
            case _:
                self.w.pin(facts, pinned=order == "pin")

    @precondition(lambda self: self.w.running)
    @rule(data=st.data())
    def load_ok(self, data: st.DataObject) -> None:
        self.w.finish(data.draw(_one_of(self.w.running)))

    @precondition(lambda self: self.w.running)
    @rule(data=st.data(), error=st.sampled_from(ERRORS))
    def load_fail(self, data: st.DataObject, error: AlltalkError) -> None:
        self.w.fail(data.draw(_one_of(self.w.running)), error)

    @precondition(lambda self: self.w.unloading)
    @rule(data=st.data())
    def freed(self, data: st.DataObject) -> None:
        self.w.freed(data.draw(_one_of(self.w.unloading)))

    @precondition(lambda self: self.w.leases)
    @rule(data=st.data())
    def done(self, data: st.DataObject) -> None:
        self.w.done(data.draw(st.sampled_from(sorted(self.w.leases))))

    @precondition(lambda self: self.w.asked)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        wish = data.draw(st.sampled_from(sorted(self.w.asked)))
        self.w.tick(0.0)  # what a stranger's memory does to others is not the cancel's doing
        others = {other for other in self.w.asked if other != wish and other not in self.w.ended}
        granted = {other for other in others if self.w.asked[other].key == self.w.asked[wish].key}
        self.w.cancel(wish)
        for other in granted:
            harmed = self.w.errors.get(other) or self.w.ended.get(other)
            fine = harmed in (None, "granted", SwapOutcome.COMMITTED)
            # Who waited between the two comes first now, and may leave no room because it is pinned.
            fine = fine or isinstance(harmed, (ModelTooBig, OutOfMemory))
            assert fine, f"S5: cancelling {wish} ended {other} by {harmed}"

    @rule(seconds=st.sampled_from([0.5, 3.0, 16.0, 61.0, 400.0]))
    def clock(self, seconds: float) -> None:
        self.w.tick(seconds)

    @rule(taken_mb=st.sampled_from([None, 0, 1, 3]))
    def stranger(self, taken_mb: int | None) -> None:
        self.w.stranger_takes = None if taken_mb is None else taken_mb * MEGABYTE

    @precondition(lambda self: self._ready())
    @rule(data=st.data())
    def death(self, data: st.DataObject) -> None:
        self.w.death(data.draw(_one_of(self._ready())))

    @precondition(lambda self: len(self.w.records) > 25)  # often enough, and not before anything happened
    @rule(data=st.data())
    def crash_and_replay(self, data: st.DataObject) -> None:
        records = self.w.records
        cut = data.draw(st.integers(0, len(records)))
        pruned_to = data.draw(st.integers(0, cut))
        fold = Fold()
        for record in records[:pruned_to]:
            fold.take(record)
        needed = fold.needed()
        kept = [record for record in records[:pruned_to] if record.seq in needed]
        short, whole = replay(kept + records[pruned_to:cut]), replay(records[:cut])
        if kept or cut > pruned_to:
            assert short == whole or short.seq != whole.seq, "S7: pruning changed what the journal tells"
        self.w.stranger_takes = None
        self.w.crash_and_boot(records[:cut], CATALOG)

    def _ready(self) -> set[Load]:
        here = (ModelState.READY, ModelState.DRAINING)
        return {slot.load for slot in self.w.state.slots.values() if slot.state in here}

    def teardown(self) -> None:
        if hasattr(self, "w") and not self.w.broken:
            self.settle()
            self.check_evictions()
            self.check_good_model()

    def settle(self) -> None:
        """L3: when every load succeeds and every lease ends, the queue empties."""
        w = self.w
        w.stranger_takes = None
        for _ in range(500):
            if w.unloading:
                w.freed(next(iter(w.unloading)))
            elif w.running:
                load = next(iter(w.running))
                if load in w.cancelling:
                    w.fail(load, Cancelled("stopped"))
                else:
                    w.finish(load)
            elif w.leases:
                w.done(next(iter(w.leases)))
            elif w.state.wishes or w.state.lost or w.state.txns:
                wakeup = w.core.next_wakeup(w.now)
                assert wakeup < math.inf, "L3: something waits, and nothing will ever happen"
                before = self._progress()
                w.tick(max(0.0, wakeup - w.now))
                if w.state.lost and not w.state.wishes and before == self._progress():
                    return  # the lost model's place is taken by others that serve
            else:
                return
        raise AssertionError("L3: the queue does not empty")

    def _progress(self) -> tuple[object, ...]:
        w = self.w
        return len(w.state.wishes), len(w.running), len(w.unloading), w.state.lost

    def check_evictions(self) -> None:
        """S8: who was evicted for a swap was evicted for a swap that ended well, or came back, or the
        failure to bring it back is on record."""
        ends: dict[str, str] = {record.txn: record.kind for record in self.w.records if record.kind in _ENDS}
        booted = {
            record.txn for record in self.w.records if record.kind == Kind.ABORT and record.cause == "boot"
        }
        for record in self.w.records:
            if record.kind == Kind.UNLOAD and record.cause not in ON_PURPOSE:
                end = ends.get(record.txn)
                assert record.txn in booted or end in (Kind.COMMIT, Kind.ROLLBACK, Kind.DEGRADED), (
                    f"S8: {record.model} was evicted for nothing, {record.txn} ended in {end}"
                )

    def check_good_model(self) -> None:
        """L1: after everything, a good model is READY, or DEGRADED is on record, or none ever was good, or
        the good one was let go on purpose."""
        state = self.w.state
        serves = any(
            slot.state is ModelState.READY and slot.key != state.floor for slot in state.slots.values()
        )
        excused = state.last_good is None or state.degraded or state.last_good in self.w.let_go
        assert serves or excused, f"L1: {state.last_good} was good and nothing serves"


def _one_of(loads: set[Load]) -> st.SearchStrategy[Load]:
    return st.sampled_from(sorted(loads, key=lambda load: (load.key.model, load.key.revision, load.number)))
