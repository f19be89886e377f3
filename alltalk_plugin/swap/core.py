"""The swap service's decisions, pure: events in, effects out.

Time comes in with each event; free memory and settings are asked through injected callables. No clock,
no thread, no lock, no log. Whoever calls it (the service's one writer thread, or a test) performs the
effects in the order given and reports back with further events.

Each event ends in `_settle_down`, which takes every step that has become possible: deadlines, running
transactions, models that leave by themselves, good models to bring back, leases, new transactions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from alltalk_plugin.domain.errors import (
    AlltalkError,
    Cancelled,
    ModelError,
    SwapCancelled,
    WorkerCrashed,
)
from alltalk_plugin.domain.models import ModelRef, ModelState, SwapMode, SwapOutcome
from alltalk_plugin.swap.admission import check_size
from alltalk_plugin.swap.asking import ask_swap, let_removed_go, pin, swap_wish, unload_model
from alltalk_plugin.swap.effects import Deny, Drop, Effect, Kind, Load, ModelFacts, Settle
from alltalk_plugin.swap.granting import grant, grant_waiting
from alltalk_plugin.swap.leaks import review, suspect
from alltalk_plugin.swap.learned import NOTHING
from alltalk_plugin.swap.policy import may_overtake
from alltalk_plugin.swap.rollback import CRASH_WINDOW_S, note_failure
from alltalk_plugin.swap.schedule import (
    expire,
    next_wakeup,
    refusal_of,
    refuse,
    release_held,
    release_idle,
    restore_lost,
    start_swaps,
)
from alltalk_plugin.swap.states import ARRIVING, Phase, Slot, SwapState, Wish, said
from alltalk_plugin.swap.transactions import (
    UNASKED,
    advance,
    arrived,
    fail_slot,
    give_up,
    load_failed,
    out_of_time,
    stop_loading,
    unload,
)

Effects = tuple[Effect, ...]


class SwapCore:
    """The state machine. One thread."""

    def __init__(self, state: SwapState) -> None:
        self.state = state

    def on_start(
        self, now: float, floor: ModelFacts, wanted: ModelFacts | None, unfinished: Mapping[str, ModelRef]
    ) -> Effects:
        """Nothing is loaded. The floor begins to load; `wanted` too, when it can fit.

        `unfinished` are the transactions that the last run left open; they count as aborted.
        """
        state = self.state
        state.slot(floor)
        for txn_id, target in unfinished.items():
            state.emit(
                now, txn_id, Kind.ABORT, model=target, cause="boot", error="the service ended meanwhile"
            )
        state.emit(now, f"{state.prefix}boot", Kind.BOOT)
        problem: str | None = None
        if wanted is not None and wanted.key != floor.key:
            try:
                check_size(state, wanted)
                state.lost = wanted
            except ModelError as error:
                problem = said(error)
        elif wanted is None and state.last_good is not None:
            problem = "it is not in the settings any more, or loading it ended the last run"
        if problem is not None:
            state.degraded = True
            state.emit(
                now, f"{state.prefix}boot", Kind.DEGRADED, model=state.last_good, cause="boot", error=problem
            )
        return self._settle_down(now)

    def on_request(
        self,
        now: float,
        wish_id: int,
        facts: ModelFacts,
        *,
        timeout_s: float,
        playback_deadline_s: float | None = None,
        upcoming: tuple[ModelRef, ...] = (),
    ) -> Effects:
        """Somebody wants a lease. Ids grow with the order of arrival."""
        state = self.state
        slot = state.slot(facts)
        if not state.closed and slot.state is ModelState.READY and may_overtake(state, wish_id, slot):
            grant(state, now, wish_id, slot, upcoming)
            return self._settle_down(now) if state.wishes else state.take_effects()
        patience_s = math.inf if playback_deadline_s is None else (playback_deadline_s - now) / 2
        wish = Wish(
            id=wish_id,
            facts=facts,
            cause="request",
            deadline=now + timeout_s,
            start_by=now + state.settings().max_wait_s,
            patience_until=now + max(0.0, patience_s),
            upcoming=upcoming,
        )
        refusal = refusal_of(state, now, wish)
        if refusal is not None:
            refuse(state, wish, refusal)
        else:
            state.wishes.append(wish)
        return self._settle_down(now)

    def on_swap(
        self,
        now: float,
        wish_id: int,
        facts: ModelFacts,
        *,
        mode: SwapMode = SwapMode.AUTO,
        cause: str = "api",
        force: bool = False,
        dry_run: bool = False,
    ) -> Effects:
        """Somebody wants a swap: `Accept` with its plan, or `Deny`; later, once, `Settle`."""
        state = self.state
        wish = swap_wish(state, now, wish_id, facts, mode=mode, cause=cause, force=force)
        ask_swap(state, now, wish, dry_run=dry_run)
        return self._settle_down(now)

    def on_pin(self, now: float, wish_id: int, facts: ModelFacts, *, pinned: bool) -> Effects:
        """A person says whether the model may be evicted: `Done`."""
        pin(self.state, now, wish_id, facts, pinned=pinned)
        return self._settle_down(now)

    def on_unload(self, now: float, wish_id: int, facts: ModelFacts) -> Effects:
        """A person lets the model go: `Done`, or `Deny`."""
        unload_model(self.state, now, wish_id, facts)
        return self._settle_down(now)

    def on_usable(self, now: float, usable: AbstractSet[ModelRef]) -> Effects:
        """Only these models can be asked for now; others that are loaded leave."""
        let_removed_go(self.state, now, usable)
        return self._settle_down(now)

    def on_cancel(self, now: float, wish_id: int) -> Effects:
        """Somebody no longer waits. What others wait for goes on; so does a load that only leases wanted."""
        state = self.state
        wish = next((wish for wish in state.wishes if wish.id == wish_id), None)
        if wish is None:
            return state.take_effects()
        state.wishes.remove(wish)
        key = wish.facts.key
        if not wish.ticket:
            state.out.append(Deny(wish.id, Cancelled(f"nobody waits for {key.model} any more")))
            return self._settle_down(now)
        txn = state.txn_loading(key)
        others = any(other.facts.key == key for other in state.wishes)
        if txn is None or txn.phase in (Phase.DRAIN, Phase.RESTORE) or others:
            refused = SwapCancelled(f"the switch to {key.model} was cancelled", context={"model": key.model})
            # Told last: whoever hears it finds the others serving on.
            return (*self._settle_down(now), Settle(wish.id, SwapOutcome.ABORTED, refused))
        txn.cancelled = True
        txn.tickets.append(wish.id)
        if txn.phase is Phase.LOAD:
            stop_loading(state, state.slots[key])
        return self._settle_down(now)

    def on_loaded(self, now: float, load: Load) -> Effects:
        """The model is in memory and is being verified."""
        slot = self.state.of_load(load)
        if slot is not None and slot.state is ModelState.LOADING:
            slot.load_ms = (now - slot.since) * 1000.0
            self.state.move(slot, ModelState.VERIFYING)
            self.state.emit(now, slot.txn, Kind.LOAD_OK, key=slot.key, dur_ms=slot.load_ms)
        return self._settle_down(now)

    def on_verified(self, now: float, load: Load, resident_bytes: int) -> Effects:
        """The model spoke well."""
        state = self.state
        slot = state.of_load(load)
        if slot is None:
            return self._settle_down(now)
        if slot.state is ModelState.UNLOADING or slot.abandoned is not None:
            unload(state, now, slot.txn, slot, "cancelled")
            return self._settle_down(now)
        state.move(slot, ModelState.READY)
        slot.resident_bytes, slot.failures, slot.last_error = resident_bytes, 0, None
        slot.retry_at, slot.last_used = -math.inf, now
        verify_ms = (now - slot.since) * 1000.0 - slot.load_ms
        state.emit(
            now,
            slot.txn,
            Kind.VERIFY,
            key=slot.key,
            device=slot.device,
            bytes_pred=slot.facts.estimate.held_bytes,
            bytes_meas=resident_bytes,
            dur_ms=verify_ms,
        )
        model, revision = slot.key.model, slot.key.revision
        seconds = (slot.load_ms + verify_ms) / 1000.0
        learned = state.learned.get(model, NOTHING)
        state.learned[model] = learned.with_load(revision, seconds, resident_bytes)
        arrived(state, now, slot)
        return self._settle_down(now)

    def on_failed(self, now: float, load: Load, error: AlltalkError) -> Effects:
        """The load or the verification failed or was stopped; nothing of it is left in memory."""
        state = self.state
        slot = state.of_load(load)
        if slot is None:
            return self._settle_down(now)
        error = slot.abandoned or error
        state.emit(now, slot.txn, Kind.LOAD_FAILED, key=slot.key, error=said(error))
        if slot.state is ModelState.UNLOADING:
            state.move(slot, ModelState.COLD)
        else:
            fail_slot(state, now, slot, error)
        self._load_ended(now, slot, error)
        return self._settle_down(now)

    def on_unloaded(
        self,
        now: float,
        load: Load,
        *,
        held_bytes: int | None = None,
        free_before: int | None = None,
        free_after: int | None = None,
        error: AlltalkError | None = None,
    ) -> Effects:
        """The model is gone and its bytes were seen free; with an error, they were not. `held_bytes` were
        measured just before."""
        state = self.state
        slot = state.of_load(load)
        if slot is None or slot.state is not ModelState.UNLOADING:
            return self._settle_down(now)
        was_loading = slot.resident_bytes is None
        if held_bytes and not was_loading:
            slot.resident_bytes = held_bytes
        state.emit(
            now,
            slot.txn,
            Kind.FREED,
            key=slot.key,
            device=slot.device,
            bytes_meas=slot.resident_bytes,
            free_before=free_before,
            free_after=free_after,
            dur_ms=(now - slot.since) * 1000.0,
            error=said(error) if error else None,
        )
        suspect(state, now, slot, free_before=free_before, free_after=free_after)
        if slot.resident_bytes:
            model, revision = slot.key.model, slot.key.revision
            state.learned[model] = state.learned[model].with_size(revision, slot.resident_bytes)
        state.move(slot, ModelState.COLD)
        slot.resident_bytes = None
        if was_loading:
            if slot.abandoned is not None:
                note_failure(slot, state.settings(), slot.abandoned, now)
            self._load_ended(now, slot, slot.abandoned or SwapCancelled("the load was cancelled"))
        return self._settle_down(now)

    def on_done(self, now: float, wish_id: int, load: Load) -> Effects:
        """A lease was closed."""
        slot = self.state.of_load(load)
        if slot is not None and wish_id in slot.leases:
            slot.leases.discard(wish_id)
            slot.last_used = now
        self.state.upcoming.pop(wish_id, None)
        return self._settle_down(now)

    def on_death(self, now: float, load: Load, error: WorkerCrashed) -> Effects:
        """The process of a loaded model ended unasked. The first time the model may come back at once."""
        state = self.state
        slot = state.of_load(load)
        if slot is not None and slot.state in ARRIVING:
            slot.abandoned = error  # the load's own report ends it
        if slot is None or slot.state not in (ModelState.READY, ModelState.DRAINING):
            return self._settle_down(now)
        state.move(slot, ModelState.FAILED)
        for wish_id in slot.leases:
            state.upcoming.pop(wish_id, None)
        slot.leases.clear()
        slot.last_error, slot.resident_bytes = error, None
        state.emit(now, slot.txn, Kind.FAULT, key=slot.key, error=said(error))
        state.out.append(
            Drop(load, slot.device)
        )  # lets go of the pipe and the dead process; nobody waits for it
        again = now - slot.crashed_at < CRASH_WINDOW_S
        slot.crashed_at = now
        if again and slot.key != state.floor:
            note_failure(slot, state.settings(), error, now)
        if slot.key.model == state.last_good and slot.key != state.floor:
            state.lost = slot.facts
            if again:
                state.degraded = True
                state.emit(now, slot.txn, Kind.DEGRADED, key=slot.key, error=said(error))
        return self._settle_down(now)

    def on_tick(self, now: float) -> Effects:
        """Time has passed."""
        return self._settle_down(now)

    def on_close(self, now: float) -> Effects:
        """The service ends: everybody is refused, loads are stopped, idle models leave."""
        state = self.state
        state.closed = True
        state.lost = None
        closing = SwapCancelled("the model service is closing")
        for wish in list(state.wishes):
            refuse(state, wish, closing)
        for txn in list(state.txns.values()):
            give_up(state, now, txn, closing)
        for slot in state.slots.values():
            if slot.state in ARRIVING:
                stop_loading(state, slot)
            elif slot.state is ModelState.READY:
                state.move(slot, ModelState.DRAINING)
                state.emit(now, f"{state.prefix}close", Kind.DRAIN, key=slot.key, cause="close")
        return self._settle_down(now)

    @property
    def at_rest(self) -> bool:
        """Whether no load and no unload runs."""
        moving = ARRIVING | {ModelState.UNLOADING}
        return not any(slot.state in moving for slot in self.state.slots.values())

    def next_wakeup(self, now: float) -> float:
        """When the next `on_tick` is due at the latest; infinity when never."""
        return next_wakeup(self.state, now)

    def _settle_down(self, now: float) -> Effects:
        state = self.state
        if state.leaks:
            review(state, now)
        release_held(state, now)
        out_of_time(state, now)
        for txn in list(state.txns.values()):
            advance(state, now, txn)
        expire(state, now)
        for txn in list(state.txns.values()):
            if txn.phase is Phase.DRAIN and not self._wanted(txn.target, txn.cause):
                give_up(state, now, txn, SwapCancelled("nobody waits for it any more"))
        release_idle(state, now)
        if not state.closed:
            restore_lost(state, now)
            while grant_waiting(state, now) or start_swaps(state, now):
                pass
        return state.take_effects()

    def _wanted(self, facts: ModelFacts, cause: str) -> bool:
        return cause in UNASKED or any(wish.facts.key == facts.key for wish in self.state.wishes)

    def _load_ended(self, now: float, slot: Slot, error: AlltalkError) -> None:
        state = self.state
        if slot.key != state.floor:
            load_failed(state, now, slot, error)
            return
        for wish in [wish for wish in state.wishes if wish.facts.key == state.floor]:
            refuse(state, wish, error)
