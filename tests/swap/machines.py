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
    OutOfMemory,
    SelfTestFailed,
    WorkerCrashed,
)
from alltalk_plugin.domain.models import ModelRef, ModelState, SwapMode, SwapOutcome
from alltalk_plugin.settings.schema import SwapSettings
from alltalk_plugin.swap.admission import MEGABYTE
from alltalk_plugin.swap.core import Effects, SwapCore
from alltalk_plugin.swap.effects import Kind, StartLoad
from tests.swap.world import FLOOR, World, facts_of

ERRORS: tuple[AlltalkError, ...] = (
    ModelCorrupt("corrupt"),
    OutOfMemory("oom"),
    ModelTimeout("timeout"),
    WorkerCrashed("crash"),
    SelfTestFailed("silence"),
)
SIZES_MB = {"a": 2, "b": 2, "c": 4, "d": 1, "e": 9}
CATALOG = {
    # One byte more than whole megabytes, so that an overcommitment by one byte shows.
    ModelRef(ref): facts_of(ref, size, plus_bytes=1 if ref == "c" else 0)
    for ref, size in SIZES_MB.items()
}


class WatchedWorld(World):
    """Checks what shows only at the moment of an effect. `broken` once an invariant did not hold."""

    broken = False

    def apply(self, effects: Effects) -> None:
        try:
            for effect in effects:
                if isinstance(effect, StartLoad):
                    self._check_back_off(effect)
            super().apply(effects)
        except AssertionError:
            self.broken = True  # what the end would say of it is only an after-effect
            raise

    def _check_back_off(self, effect: StartLoad) -> None:
        key = effect.load.key
        slot = self.state.slots[key]
        restoring = any(txn.restoring and txn.restoring.key == key for txn in self.state.txns.values())
        allowed = restoring or key in self.forced or key.model == FLOOR
        assert allowed or slot.retry_at <= self.now, f"S9: {key.model} is loaded before its retry_at"


class SwapMachine(RuleBasedStateMachine):
    """Everything that can happen, in any order; `World.check` runs after every event."""

    core_type: type[SwapCore] = SwapCore

    def __init__(self) -> None:
        super().__init__()
        self.w: WatchedWorld

    @initialize(
        budget_mb=st.integers(3, 7),
        limit=st.integers(0, 4),
        interval_s=st.sampled_from([0.0, 30.0]),
    )
    def begin(self, budget_mb: int, limit: int, interval_s: float) -> None:
        world = type("MachineWorld", (WatchedWorld,), {"core_type": self.core_type})
        self.w = world(
            SwapSettings(
                budget_mb={"cpu": budget_mb},
                overtake_limit=limit,
                min_interval_s=interval_s,
                margin_share=0,
                idle_ttl_s=0,
            )
        )

    @rule(ref=st.sampled_from(sorted(SIZES_MB)), playback=st.sampled_from([None, 5.0]))
    def submit(self, ref: str, playback: float | None) -> None:
        deadline = None if playback is None else self.w.now + playback
        self.w.request(CATALOG[ModelRef(ref)], playback=deadline)

    @rule(timeout_s=st.sampled_from([1.0, 20.0]), ref=st.sampled_from(sorted(SIZES_MB)))
    def submit_hastily(self, timeout_s: float, ref: str) -> None:
        self.w.request(CATALOG[ModelRef(ref)], timeout_s=timeout_s)

    @rule(ref=st.sampled_from(sorted(SIZES_MB)), mode=st.sampled_from(SwapMode), force=st.booleans())
    def swap(self, ref: str, mode: SwapMode, force: bool) -> None:
        self.w.swap(CATALOG[ModelRef(ref)], mode=mode, force=force)

    @rule(ref=st.sampled_from(sorted(SIZES_MB)))
    def roll_back(self, ref: str) -> None:
        self.w.swap(CATALOG[ModelRef(ref)], cause="rollback")

    @rule(ref=st.sampled_from(sorted(SIZES_MB)))
    def speak_if_free(self, ref: str) -> None:
        """A request whose load, if one begins at once, succeeds; it keeps its lease. Gets deep quickly."""
        self.w.request(CATALOG[ModelRef(ref)])
        if ref in self.w.loading:
            self.w.finish(ref)

    @precondition(lambda self: self.w.running)
    @rule(data=st.data())
    def load_ok(self, data: st.DataObject) -> None:
        self.w.finish(data.draw(st.sampled_from(sorted(self.w.loading))))

    @precondition(lambda self: self.w.running)
    @rule(data=st.data(), error=st.sampled_from(ERRORS))
    def load_fail(self, data: st.DataObject, error: AlltalkError) -> None:
        self.w.fail(data.draw(st.sampled_from(sorted(self.w.loading))), error)

    @precondition(lambda self: self.w.unloading)
    @rule(data=st.data())
    def freed(self, data: st.DataObject) -> None:
        self.w.freed(data.draw(st.sampled_from(sorted(load.key.model for load in self.w.unloading))))

    @precondition(lambda self: self.w.leases)
    @rule(data=st.data())
    def done(self, data: st.DataObject) -> None:
        self.w.done(data.draw(st.sampled_from(sorted(self.w.leases))))

    @precondition(lambda self: self.w.asked)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        wish = data.draw(st.sampled_from(sorted(self.w.asked)))
        others = {other for other in self.w.asked if other != wish and other not in self.w.ended}
        granted = {other for other in others if self.w.asked[other].key == self.w.asked[wish].key}
        self.w.cancel(wish)
        for other in granted:
            harmed = self.w.ended.get(other)
            assert harmed in (None, "granted", SwapOutcome.COMMITTED), f"S5: cancelling {wish} ended {other}"

    @rule(seconds=st.sampled_from([0.5, 3.0, 16.0, 61.0, 400.0]))
    def clock(self, seconds: float) -> None:
        self.w.tick(seconds)

    @rule(taken_mb=st.sampled_from([None, 0, 1, 3]))
    def stranger(self, taken_mb: int | None) -> None:
        self.w.stranger_takes = None if taken_mb is None else taken_mb * MEGABYTE

    @precondition(lambda self: self._ready())
    @rule(data=st.data())
    def death(self, data: st.DataObject) -> None:
        self.w.death(data.draw(st.sampled_from(self._ready())))

    @precondition(lambda self: len(self.w.records) > 25)  # often enough, and not before anything happened
    @rule(data=st.data())
    def crash_and_replay(self, data: st.DataObject) -> None:
        cut = data.draw(st.integers(0, len(self.w.records)))
        self.w.stranger_takes = None
        self.w.crash_and_boot(self.w.records[:cut], CATALOG)

    def _ready(self) -> list[str]:
        here = (ModelState.READY, ModelState.DRAINING)
        return sorted(slot.key.model for slot in self.w.state.slots.values() if slot.state in here)

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
                w.freed(next(iter(w.unloading)).key.model)
            elif w.running:
                load = next(iter(w.running))
                if load in w.cancelling:
                    w.fail(load.key.model, Cancelled("stopped"))
                else:
                    w.finish(load.key.model)
            elif w.leases:
                w.done(next(iter(w.leases)))
            elif w.state.wishes or w.state.lost or w.state.txns:
                wakeup = w.core.next_wakeup(w.now)
                assert wakeup < math.inf, "L3: something waits, and nothing will ever happen"
                before = len(w.state.wishes), len(w.running), len(w.unloading), w.state.lost
                w.tick(max(0.0, wakeup - w.now))
                if w.state.lost and before == (
                    len(w.state.wishes),
                    len(w.running),
                    len(w.unloading),
                    w.state.lost,
                ):
                    return  # the lost model's place is taken by others that serve
            else:
                return
        raise AssertionError("L3: the queue does not empty")

    def check_evictions(self) -> None:
        """S8: who was evicted for a swap was evicted for a swap that ended well, or came back, or the
        failure to bring it back is on record."""
        ends: dict[str, str] = {record.txn: record.kind for record in self.w.records if record.kind in _ENDS}
        for record in self.w.records:
            if record.kind == Kind.UNLOAD and record.cause not in ("ttl", "superseded", "cancelled"):
                end = ends.get(record.txn)
                booted = any(
                    r.kind == Kind.ABORT and r.txn == record.txn and r.cause == "boot" for r in self.w.records
                )
                assert booted or end in (Kind.COMMIT, Kind.ROLLBACK, Kind.DEGRADED), (
                    f"S8: {record.model} was evicted for nothing, {record.txn} ended in {end}"
                )

    def check_good_model(self) -> None:
        """L1: after everything, a good model is READY, or DEGRADED is on record, or none ever was good."""
        state = self.w.state
        serves = any(
            slot.state is ModelState.READY and slot.key != state.floor for slot in state.slots.values()
        )
        unloaded_on_purpose = state.last_good is None or state.degraded
        assert serves or unloaded_on_purpose, f"L1: {state.last_good} was good and nothing serves"


_ENDS = (Kind.COMMIT, Kind.ABORT, Kind.ROLLBACK, Kind.DEGRADED)
