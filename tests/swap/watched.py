"""A world that also checks what shows only at the moment of an event or an effect."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from alltalk_plugin.domain.models import ModelRef, ModelState, SwapMode, SwapRecord
from alltalk_plugin.swap.core import Effects
from alltalk_plugin.swap.effects import Emit, Kind, ModelFacts, StartLoad
from tests.swap.world import FLOOR, World


class WatchedWorld(World):
    """`broken` once an invariant did not hold. `let_go` are models that left because they were told to, had
    been idle for long enough or were taken out of the settings, and have not been back since."""

    broken = False

    def __init__(self, *args: object, **rest: object) -> None:
        self.let_go: set[ModelRef] = set()
        self._asked_at = -math.inf
        self._forcing = False
        super().__init__(*args, **rest)  # type: ignore[arg-type]  # passed on as they came

    def apply(self, effects: Effects) -> None:
        try:
            for effect in effects:
                match effect:
                    case StartLoad():
                        self._check_back_off(effect)
                    case Emit(record):
                        self._check_leaving(record)
                        if record.kind == Kind.VERIFY and record.model is not None:
                            self.let_go.discard(record.model)
            super().apply(effects)
            self._check_interval()
            self._check_choices()
        except AssertionError:
            self.broken = True  # what the end would say of it is only an after-effect
            raise

    def swap(
        self,
        facts: ModelFacts,
        *,
        mode: SwapMode = SwapMode.AUTO,
        cause: str = "api",
        force: bool = False,
        dry_run: bool = False,
    ) -> int:
        self._forcing = force
        return super().swap(facts, mode=mode, cause=cause, force=force, dry_run=dry_run)

    def unload(self, facts: ModelFacts) -> int:
        wish_id = super().unload(facts)
        if self.ended[wish_id] == "done":
            self.let_go.add(facts.key.model)
        return wish_id

    def take_out(self, *removed: str) -> None:
        self.let_go.update(map(ModelRef, removed))
        super().take_out(*removed)

    def crash_and_boot(self, records: Iterable[SwapRecord], catalog: Mapping[ModelRef, ModelFacts]) -> None:
        self.let_go.clear()
        self._asked_at = -math.inf
        super().crash_and_boot(records, catalog)

    def _check_back_off(self, effect: StartLoad) -> None:
        key = effect.load.key
        slot = self.state.slots[key]
        restoring = any(txn.restoring and txn.restoring.key == key for txn in self.state.txns.values())
        allowed = restoring or key in self.forced or key.model == FLOOR
        assert allowed or slot.retry_at <= self.now, f"S9: {key.model} is loaded before its retry_at"

    def _check_leaving(self, record: SwapRecord) -> None:
        if record.kind not in (Kind.DRAIN, Kind.UNLOAD) or record.cause == "cancelled":
            return
        slot = next(
            slot
            for slot in self.state.slots.values()
            if (slot.key.model, slot.key.revision) == (record.model, record.revision)
        )
        if record.cause == "ttl":
            ttl_s = self.settings.idle_ttl_s
            idle_s = self.now - slot.last_used
            assert 0 < ttl_s <= idle_s, f"S8: {record.model} left after {idle_s} s of {ttl_s} idle"
            self.let_go.add(slot.key.model)
        elif record.kind == Kind.DRAIN and record.cause == "removed":
            assert record.model != FLOOR, "S8: the embedded model was let go"
            assert slot.key.model in self.let_go, f"S8: {record.model} is in the settings and was let go"
        elif record.kind == Kind.DRAIN and record.cause != "superseded":
            target = self.state.txns.get(record.txn)
            renewed = target is not None and target.target.key.model == slot.key.model
            assert renewed or self.state.may_leave(slot), f"S8: {record.model} is pinned and was evicted"

    def _check_interval(self) -> None:
        asked_at, before = self.state.asked_at, self._asked_at
        if asked_at != before and not self._forcing:
            apart_s, least_s = asked_at - before, self.settings.min_interval_s
            assert apart_s >= least_s, f"L5: two swaps within {apart_s} s, interval {least_s}"
        self._asked_at, self._forcing = asked_at, False

    def _check_choices(self) -> None:
        held = [wish for wish in self.state.wishes if wish.held]
        assert len({wish.facts.key for wish in held}) <= 1, "L5: two choices of a person wait"
        for wish in held:
            assert self.now < wish.hold_until, f"L5: {wish.facts.key.model} waits longer than the interval"
        for load in self.revoked:
            slot = self.state.of_load(load)
            serves = slot is not None and slot.state is ModelState.READY
            assert not serves, f"S4: {load.key.model} serves on, but its leases stay revoked"
