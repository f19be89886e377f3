"""A world around the swap core: carries out its effects when told to, and checks the invariants always."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

from alltalk_plugin.domain.errors import AlltalkError, WorkerCrashed
from alltalk_plugin.domain.models import (
    CPU,
    Device,
    MemoryEstimate,
    ModelKey,
    ModelProfile,
    ModelRef,
    ModelState,
    SwapMode,
    SwapOutcome,
    SwapPlan,
    SwapRecord,
)
from alltalk_plugin.settings.schema import SwapSettings
from alltalk_plugin.swap.admission import MEGABYTE, budget_bytes, used_bytes
from alltalk_plugin.swap.core import Effects, SwapCore
from alltalk_plugin.swap.effects import (
    Accept,
    CancelLoad,
    Deny,
    Done,
    Drop,
    Emit,
    Grant,
    Kind,
    Load,
    ModelFacts,
    Revoke,
    Settle,
    StartLoad,
)
from alltalk_plugin.swap.journal import ReplayedState, replay
from alltalk_plugin.swap.states import Slot, SwapState

FLOOR = ModelRef("floor")
FLOOR_MB = 1
EXACT = {"margin_share": 0, "idle_ttl_s": 0}
"""No margin, so that an overcommitment by one byte shows; nothing leaves by itself unless a test says so."""


def facts_of(
    ref: str,
    megabytes: int,
    *,
    plus_bytes: int = 0,
    revision: str = "r1",
    pinned: bool = False,
    ttl_s: float | None = None,
) -> ModelFacts:
    """A model of that size; loading takes 1 MB more than holding when it has more than one."""
    model = ModelRef(ref)
    peak = megabytes * MEGABYTE + plus_bytes
    steady = peak - (MEGABYTE if megabytes > 1 else 0)
    return ModelFacts(
        ModelProfile(ref=model, engine="fake", pinned=pinned, idle_ttl_s=ttl_s),
        ModelKey("fake", model, revision),
        MemoryEstimate(device=CPU, peak_bytes=peak, steady_bytes=steady),
    )


class World:
    """The core under test with everything it acts on. `start` has been called; the floor is READY.

    `ended` says how each wish ended, once: "granted", the error, or the outcome of a swap.
    """

    core_type: type[SwapCore] = SwapCore

    def __init__(self, settings: SwapSettings, *, records: Iterable[SwapRecord] = ()) -> None:
        self.settings = settings
        self.now = 1000.0
        self.stranger_takes: int | None = None
        self.base_bytes = 0
        self.resident_mb: dict[str, int] = {}
        self.device_free: int | None = None
        self.records: list[SwapRecord] = list(records)
        self.running: set[Load] = set()
        self.cancelling: set[Load] = set()
        self.revoked: set[Load] = set()
        self.unloading: set[Load] = set()
        self.leases: dict[int, Load] = {}
        self.plans: dict[int, SwapPlan] = {}
        self.errors: dict[int, AlltalkError | None] = {}
        self.ended: dict[int, AlltalkError | SwapOutcome | str] = {}
        self.asked: dict[int, ModelFacts] = {}
        self.tickets: set[int] = set()
        self.forced: set[ModelKey] = set()
        self.loads_of: dict[str, int] = {}
        self._ids = 0
        self.core = self._boot({})

    def _boot(self, catalog: Mapping[ModelRef, ModelFacts]) -> SwapCore:
        before = replay(self.records)
        for gone in (self.running, self.cancelling, self.unloading, self.leases, self.revoked):
            gone.clear()
        state = SwapState(
            floor=facts_of(FLOOR, FLOOR_MB).key,
            prefix=f"t{before.seq}.",
            settings=lambda: self.settings,
            measured_free=self._measured,
            budget_at_start=lambda device: 0,
            last_good=before.last_good,
            prev_good=before.prev_good,
            base_bytes=lambda device: self.base_bytes,
            learned=dict(before.learned),
            pins=dict(before.pins),
        )
        self.core = self.core_type(state)
        wanted = catalog.get(before.wanted) if before.wanted else None
        self.apply(self.core.on_start(self.now, facts_of(FLOOR, FLOOR_MB), wanted, before.open))
        self.finish(FLOOR)
        return self.core

    def crash_and_boot(self, records: Iterable[SwapRecord], catalog: Mapping[ModelRef, ModelFacts]) -> None:
        """The service is killed; another one boots from a prefix of the journal."""
        self.records = list(records)
        for wish_id in self.asked:
            self.ended.setdefault(wish_id, "lost with the process")
        self._boot(catalog)

    def _measured(self, device: Device) -> int | None:
        if device != CPU:
            return self.device_free
        if self.stranger_takes is None:
            return None
        held = sum(slot.bytes for slot in self.state.slots.values())
        return max(0, self.settings.budget_mb[CPU] * MEGABYTE - self.stranger_takes - held)

    @property
    def state(self) -> SwapState:
        return self.core.state

    # --- events ---------------------------------------------------------------------------------------

    def request(
        self,
        facts: ModelFacts,
        *,
        timeout_s: float = 1e6,
        playback: float | None = None,
        upcoming: tuple[str, ...] = (),
    ) -> int:
        wish_id = self._new(facts)
        self.apply(
            self.core.on_request(
                self.now,
                wish_id,
                facts,
                timeout_s=timeout_s,
                playback_deadline_s=playback,
                upcoming=tuple(ModelRef(ref) for ref in upcoming),
            )
        )
        return wish_id

    def swap(
        self,
        facts: ModelFacts,
        *,
        mode: SwapMode = SwapMode.AUTO,
        cause: str = "api",
        force: bool = False,
        dry_run: bool = False,
    ) -> int:
        wish_id = self._new(facts)
        self.tickets.add(wish_id)
        if force or cause == "rollback":
            self.forced.add(facts.key)
        self.apply(
            self.core.on_swap(self.now, wish_id, facts, mode=mode, cause=cause, force=force, dry_run=dry_run)
        )
        return wish_id

    def pin(self, facts: ModelFacts, *, pinned: bool = True) -> int:
        wish_id = self._new(facts)
        self.apply(self.core.on_pin(self.now, wish_id, facts, pinned=pinned))
        return wish_id

    def unload(self, facts: ModelFacts) -> int:
        wish_id = self._new(facts)
        self.apply(self.core.on_unload(self.now, wish_id, facts))
        return wish_id

    def take_out(self, *removed: str) -> None:
        """The settings have these no more; nobody asks for them from now on."""
        known = {slot.key.model for slot in self.state.slots.values()}
        self.apply(self.core.on_usable(self.now, known - set(map(ModelRef, removed))))

    def cancel(self, wish_id: int) -> None:
        self.apply(self.core.on_cancel(self.now, wish_id))

    def done(self, wish_id: int) -> None:
        self.apply(self.core.on_done(self.now, wish_id, self.leases.pop(wish_id)))

    def tick(self, seconds: float) -> None:
        self.now += seconds
        self.apply(self.core.on_tick(self.now))

    def loaded(self, ref: str) -> None:
        self.apply(self.core.on_loaded(self.now, self.load_of(ref)))

    def finish(self, which: str | Load) -> None:
        """A running load succeeds, verification included."""
        load = self.load_of(which)
        self.running.discard(load)
        self.cancelling.discard(load)
        self.apply(self.core.on_loaded(self.now, load))
        held = self.resident_mb.get(load.key.model, 0) * MEGABYTE
        held = held or self.state.slots[load.key].facts.estimate.held_bytes
        self.apply(self.core.on_verified(self.now, load, held))

    def fail(self, which: str | Load, error: AlltalkError) -> None:
        load = self.load_of(which)
        self.running.discard(load)
        self.cancelling.discard(load)
        self.apply(self.core.on_failed(self.now, load, error))

    def freed(
        self, which: str | Load, *, held_mb: int | None = None, free_mb: tuple[int, int] = (0, 1)
    ) -> None:
        load = next(load for load in self.unloading if which in (load, load.key.model))
        self.unloading.discard(load)
        before, after = (free * MEGABYTE for free in free_mb)
        held = None if held_mb is None else held_mb * MEGABYTE
        self.apply(
            self.core.on_unloaded(self.now, load, held_bytes=held, free_before=before, free_after=after)
        )

    def death(self, which: str | Load) -> None:
        load = which if isinstance(which, Load) else self.slot(which).load
        self.leases = {wish: held for wish, held in self.leases.items() if held != load}
        self.apply(self.core.on_death(self.now, load, WorkerCrashed(f"{load.key.model} died")))

    def _new(self, facts: ModelFacts) -> int:
        self._ids += 1
        self.asked[self._ids] = facts
        return self._ids

    # --- what the world sees --------------------------------------------------------------------------

    def load_of(self, which: str | Load) -> Load:
        return next(load for load in self.running if which in (load, load.key.model))

    def slot(self, ref: str) -> Slot:
        found = [slot for slot in self.state.slots.values() if slot.key.model == ref]
        ready = [slot for slot in found if slot.state is not ModelState.COLD]
        return (ready or found)[0]

    def state_of(self, ref: str) -> ModelState:
        return self.slot(ref).state

    @property
    def loading(self) -> set[str]:
        return {load.key.model for load in self.running}

    def kinds(self, *kinds: Kind) -> list[tuple[str, str | None]]:
        """(kind, model) of the journal without the floor's, of those kinds or of all."""
        return [
            (str(record.kind), record.model)
            for record in self.records
            if record.model not in (None, FLOOR) and (not kinds or record.kind in kinds)
        ]

    # --- effects --------------------------------------------------------------------------------------

    def apply(self, effects: Effects) -> None:
        for effect in effects:
            match effect:
                case Emit(record):
                    last = self.records[-1].seq if self.records else 0
                    self.records.append(dataclasses.replace(record, seq=last + 1))
                case StartLoad(load):
                    twice = any(other.key == load.key for other in self.running)
                    assert not twice, f"S5: {load.key.model} is loaded twice at a time"
                    self.running.add(load)
                    self.loads_of[load.key.model] = self.loads_of.get(load.key.model, 0) + 1
                case CancelLoad(load):
                    self.cancelling.add(load)
                case Drop(load):
                    under = [wish for wish, held in self.leases.items() if held == load]
                    assert not under, f"S4: {load.key.model} is unloaded under the leases {under}"
                    if self.state.slots[load.key].state is ModelState.UNLOADING:
                        self.unloading.add(load)
                case Grant(wish_id, load):
                    self._end(wish_id, "granted")
                    wanted = self.asked[wish_id].key
                    assert load.key == wanted, f"S2: asked for {wanted}, got {load.key}"
                    self.leases[wish_id] = load
                case Deny(wish_id, error):
                    self._end(wish_id, error)
                case Accept(wish_id, plan):
                    self.plans[wish_id] = plan
                case Done(wish_id):
                    self._end(wish_id, "done")
                case Revoke(load, revoked):
                    (self.revoked.add if revoked else self.revoked.discard)(load)
                case Settle(wish_id, outcome, error):
                    self._end(wish_id, outcome)
                    self.errors[wish_id] = error
        self.check()

    def _end(self, wish_id: int, how: AlltalkError | SwapOutcome | str) -> None:
        assert wish_id not in self.ended, f"S3: wish {wish_id} ends twice: {self.ended.get(wish_id)}, {how}"
        self.ended[wish_id] = how

    # --- invariants -----------------------------------------------------------------------------------

    def check(self) -> None:
        state = self.state
        used, budget = used_bytes(state, CPU) + self.base_bytes, budget_bytes(state, CPU)
        assert used <= budget, f"S1: {used} bytes in use, budget {budget}"
        waiting = {wish.id for wish in state.wishes} | {t for txn in state.txns.values() for t in txn.tickets}
        for wish_id in self.asked:
            settled = wish_id in self.ended
            assert settled != (wish_id in waiting), f"S3: wish {wish_id} is lost"
        for slot in state.slots.values():
            known = {wish for wish, load in self.leases.items() if load == slot.load}
            assert slot.leases == known, f"S4: leases of {slot.key.model} are {slot.leases}, not {known}"
            if slot.state not in (ModelState.READY, ModelState.DRAINING):
                assert not slot.leases, f"S4: {slot.key.model} is {slot.state} with leases"
            if slot.state is ModelState.DRAINING and not state.closed:
                explained = slot.leaving in ("unload", "removed") or any(
                    slot.key in txn.victims for txn in state.txns.values()
                )
                renewed = any(
                    other.key.model == slot.key.model and other is not slot for other in state.slots.values()
                )
                assert explained or renewed, f"S8: {slot.key.model} drains for nobody"
        for wish in state.wishes:
            limit = self.settings.overtake_limit
            assert wish.overtaken <= limit, f"L2: wish {wish.id} was overtaken {wish.overtaken} times"
            if state.waits_for_room(wish):
                waited_s = self.now - (wish.start_by - self.settings.max_wait_s)
                assert waited_s < self.settings.max_wait_s, f"L2: wish {wish.id} has waited {waited_s} s"
        self.check_journal()

    def check_journal(self) -> None:
        seqs = [record.seq for record in self.records]
        assert seqs == sorted(set(seqs)), "S7: the sequence does not strictly increase"
        told = replay(self.records)
        truth = dataclasses.replace(self.projected(), seq=told.seq, loading=told.loading)
        assert told == truth, f"S7: the journal says {told}, the truth is {truth}"

    def projected(self) -> ReplayedState:
        """The core's state, as far as the journal tells it."""
        state = self.state
        here = (ModelState.READY, ModelState.DRAINING)
        return ReplayedState(
            ready=frozenset(
                (slot.key.model, slot.key.revision) for slot in state.slots.values() if slot.state in here
            ),
            open={txn.id: txn.target.key.model for txn in state.txns.values()},
            last_good=state.last_good,
            prev_good=state.prev_good,
            degraded=state.degraded,
            learned=state.learned,
            pins=state.pins,
        )


A, B, C = facts_of("a", 4), facts_of("b", 4), facts_of("c", 2)


def world(budget_mb: int = 5, **changes: object) -> World:
    return World(
        SwapSettings.model_validate(
            {"budget_mb": {"cpu": budget_mb}, **EXACT, "min_interval_s": 0, **changes}
        )
    )


def resident(of: World, *models: str) -> None:
    """Bring these in, one after the other, unused."""
    for model in models:
        wish = of.request({"a": A, "b": B, "c": C}[model])
        of.finish(model)
        of.done(wish)
        of.now += 1


def error_of(of: World, wish: int) -> AlltalkError:
    error = of.ended[wish]
    assert isinstance(error, AlltalkError), error
    return error


def granted(w: World, facts: ModelFacts) -> int:
    """Bring it in and keep the lease."""
    wish = w.request(facts)
    w.finish(facts.key.model)
    return wish
