"""One swap from its plan to its end: drain all victims, drop them, load and verify, or bring back.

Functions over `SwapState`; each is a step of the state machine and adds its effects to the outbox.
"""

from __future__ import annotations

from alltalk_plugin.domain.errors import AlltalkError, BusyTimeout, ModelTimeout, OutOfMemory, SwapCancelled
from alltalk_plugin.domain.models import ModelKey, ModelState, SwapOutcome
from alltalk_plugin.swap.admission import Decision, fits, free_bytes, need_bytes, peak_bytes
from alltalk_plugin.swap.effects import (
    CancelLoad,
    Deny,
    Drop,
    Kind,
    Load,
    ModelFacts,
    Revoke,
    Settle,
    StartLoad,
)
from alltalk_plugin.swap.rollback import note_failure, to_restore
from alltalk_plugin.swap.states import ARRIVING, Phase, Slot, SwapState, Txn, copied, said

UNASKED = frozenset({"boot", "recovery"})
"""Causes of transactions that nobody waits for: they bring a good model back."""


def begin(
    state: SwapState, now: float, facts: ModelFacts, decision: Decision, cause: str, *, cuts: bool = False
) -> None:
    """Open a transaction and take its first steps. `cuts` ends speech that runs on its victims."""
    state.txns_begun += 1
    txn = Txn(
        id=f"{state.prefix}{state.txns_begun}",
        target=facts,
        cause=cause,
        mode=decision.mode,
        victims=decision.victims,
        drain_until=now + state.settings().drain_s,
        started=now,
        cuts=cuts,
    )
    state.txns[txn.id] = txn
    state.emit(
        now,
        txn.id,
        Kind.PLAN,
        key=facts.key,
        cause=cause,
        device=facts.estimate.device,
        bytes_pred=decision.need_bytes,
        free_before=decision.free_bytes,
    )
    for key in txn.victims:
        drain(state, now, txn.id, state.slots[key], cause)
    if cuts:
        cut(state, txn)
    advance(state, now, txn)


def advance(state: SwapState, now: float, txn: Txn) -> None:
    """Take every step that has become possible."""
    if txn.phase is Phase.DRAIN:
        victims = [state.slots[key] for key in txn.victims]
        if any(victim.leases for victim in victims):
            if now >= txn.drain_until:
                give_up(state, now, txn, _drained_too_long(txn, now))
            return
        for victim in victims:
            if victim.state is ModelState.DRAINING:
                unload(state, now, txn.id, victim, txn.cause)
        txn.dropped = tuple(victim.facts for victim in victims)
        txn.phase = Phase.DROP
    if txn.phase is Phase.DROP:
        if any(state.slots[key].state is ModelState.UNLOADING for key in txn.victims):
            return
        if txn.cancelled:
            _failed(state, now, txn, _cancelled(txn))
            return
        if txn.victims and not fits(state, txn.target):
            _failed(state, now, txn, _no_room(state, txn.target))
            return
        txn.phase = Phase.LOAD
        load(state, now, txn.id, state.slot(txn.target), txn.cause)


def cut(state: SwapState, txn: Txn) -> None:
    """Tell those who speak on the victims to stop at their next border."""
    txn.cuts = True
    for key in txn.victims:
        if state.slots[key].leases:
            state.out.append(Revoke(state.slots[key].load))


def load(state: SwapState, now: float, txn_id: str, slot: Slot, cause: str) -> None:
    """Reserve the bytes and start. What comes back takes what it was admitted with before."""
    free = free_bytes(state, slot.device)
    state.loads_begun += 1
    state.move(slot, ModelState.RESERVED)
    slot.load, slot.txn = Load(slot.key, state.loads_begun), txn_id
    slot.leases.clear()
    slot.resident_bytes, slot.abandoned, slot.since = None, None, now
    if cause != "rollback" or not slot.reserved_bytes:
        slot.reserved_bytes = peak_bytes(state, slot.facts)
    state.emit(
        now,
        txn_id,
        Kind.RESERVE,
        key=slot.key,
        cause=cause,
        device=slot.device,
        bytes_pred=slot.reserved_bytes,
        free_before=free,
    )
    state.move(slot, ModelState.LOADING)
    state.emit(now, txn_id, Kind.LOAD_START, key=slot.key, cause=cause)
    state.out.append(StartLoad(slot.load, slot.facts.profile))


def drain(state: SwapState, now: float, txn_id: str, slot: Slot, cause: str) -> None:
    """No more leases on this model."""
    state.move(slot, ModelState.DRAINING)
    slot.leaving = cause
    state.emit(now, txn_id, Kind.DRAIN, key=slot.key, cause=cause)


def unload(state: SwapState, now: float, txn_id: str, slot: Slot, cause: str) -> None:
    """The model leaves; it is DRAINING and free of leases, or a load that was cancelled."""
    if slot.state is not ModelState.UNLOADING:
        state.move(slot, ModelState.UNLOADING)
    slot.since, slot.txn = now, txn_id
    state.emit(now, txn_id, Kind.UNLOAD, key=slot.key, cause=cause, device=slot.device, bytes_pred=slot.bytes)
    state.out.append(Drop(slot.load, slot.device, slot.resident_bytes or 0))


def stop_loading(state: SwapState, slot: Slot) -> None:
    """Cancel a load that runs; its bytes count until it reports."""
    if slot.state in ARRIVING:
        state.move(slot, ModelState.UNLOADING)
    state.out.append(CancelLoad(slot.load))


def give_up(state: SwapState, now: float, txn: Txn, error: AlltalkError) -> None:
    """End a swap that has unloaded nothing yet: its victims serve on."""
    for key in txn.victims:
        victim = state.slots[key]
        if victim.state is ModelState.DRAINING:
            state.move(victim, ModelState.READY)
            state.emit(now, txn.id, Kind.UNDRAIN, key=key, cause=txn.cause)
            if txn.cuts:
                state.out.append(Revoke(victim.load, revoked=False))
    deny_waiting(state, txn, txn.target.key, error)
    _end(state, now, txn, SwapOutcome.ABORTED, error)


def arrived(state: SwapState, now: float, slot: Slot) -> None:
    """The model of a transaction was verified: commit, or the rollback is done."""
    txn = state.txn_loading(slot.key)
    if txn is None:
        return
    if txn.phase is Phase.RESTORE:
        if not _last_good_serves(state):
            state.note_good(slot.key.model)
        _end(state, now, txn, SwapOutcome.ROLLED_BACK, txn.error)
        return
    state.note_good(slot.key.model)
    _end(state, now, txn, SwapOutcome.COMMITTED, None)


def load_failed(state: SwapState, now: float, slot: Slot, error: AlltalkError) -> None:
    """The load of a transaction ended without a model; nothing of it is left in memory."""
    txn = state.txn_loading(slot.key)
    if txn is not None:
        _failed(state, now, txn, _cancelled(txn) if txn.cancelled else error)


def _failed(state: SwapState, now: float, txn: Txn, error: AlltalkError) -> None:
    if txn.phase is Phase.RESTORE:
        deny_waiting(state, txn, txn.loading, error)
        state.lost = txn.restoring
        _end(state, now, txn, SwapOutcome.DEGRADED, txn.error, also=error)
        return
    if not txn.cancelled:
        deny_waiting(state, txn, txn.target.key, error)
    if not txn.dropped:
        if txn.cause in UNASKED and not txn.cancelled:
            state.lost = txn.target
            _end(state, now, txn, SwapOutcome.DEGRADED, error)
        else:
            _end(state, now, txn, SwapOutcome.ABORTED, error)
        return
    txn.error, txn.phase = error, Phase.RESTORE
    txn.restoring, room = to_restore(state, txn)
    if not room:
        state.lost = txn.restoring
        _end(state, now, txn, SwapOutcome.DEGRADED, error, also=_no_room(state, txn.restoring))
        return
    load(state, now, txn.id, state.slot(txn.restoring), "rollback")


def deny_waiting(state: SwapState, txn: Txn, key: ModelKey, error: AlltalkError) -> None:
    """Everybody who waits for `key` gets the error; swaps are settled when their transaction ends."""
    for wish in [wish for wish in state.wishes if wish.facts.key == key]:
        state.wishes.remove(wish)
        if wish.ticket:
            txn.tickets.append(wish.id)
        else:
            state.out.append(Deny(wish.id, copied(error, model=key.model, last_good=state.last_good)))


def _end(
    state: SwapState,
    now: float,
    txn: Txn,
    outcome: SwapOutcome,
    error: AlltalkError | None,
    *,
    also: AlltalkError | None = None,
) -> None:
    del state.txns[txn.id]
    if outcome in (SwapOutcome.COMMITTED, SwapOutcome.ROLLED_BACK):
        state.lost, state.degraded = None, False
    if outcome is SwapOutcome.DEGRADED:
        state.degraded = True
    kinds = {
        SwapOutcome.COMMITTED: Kind.COMMIT,
        SwapOutcome.ABORTED: Kind.ABORT,
        SwapOutcome.ROLLED_BACK: Kind.ROLLBACK,
        SwapOutcome.DEGRADED: Kind.DEGRADED,
    }
    came = txn.restoring if outcome is SwapOutcome.ROLLED_BACK and txn.restoring else txn.target
    state.emit(
        now,
        txn.id,
        kinds[outcome],
        key=came.key,
        cause=txn.cause,
        dur_ms=(now - txn.started) * 1000.0,
        error=" | ".join(said(part) for part in (error, also) if part) or None,
    )
    if outcome is SwapOutcome.COMMITTED:
        for wish in [w for w in state.wishes if w.ticket and w.facts.key == txn.target.key]:
            state.wishes.remove(wish)
            txn.tickets.append(wish.id)
        _retire_older(state, now, txn)
    for ticket in txn.tickets:
        state.out.append(Settle(ticket, outcome, copied(error) if error else None))


def _retire_older(state: SwapState, now: float, txn: Txn) -> None:
    """Older revisions of the model that just came leave as soon as nobody uses them."""
    for slot in state.slots.values():
        same_model = slot.key.model == txn.target.key.model and slot.key != txn.target.key
        if same_model and slot.state is ModelState.READY:
            drain(state, now, txn.id, slot, "superseded")


def _last_good_serves(state: SwapState) -> bool:
    return any(
        slot.key.model == state.last_good and slot.state in (ModelState.READY, ModelState.DRAINING)
        for slot in state.slots.values()
    )


def out_of_time(state: SwapState, now: float) -> None:
    """Loads that take too long are stopped and count as failed once they have reported."""
    limit_s = state.settings().load_timeout_s
    for slot in state.slots.values():
        if slot.state in ARRIVING and slot.abandoned is None and now - slot.since >= limit_s:
            slot.abandoned = ModelTimeout(
                f"{slot.key.model} was not ready after {limit_s:g} s",
                context={"phase": "load", "model": slot.key.model},
            )
            state.out.append(CancelLoad(slot.load))
            txn = state.txn_loading(slot.key)
            if txn is not None:
                deny_waiting(state, txn, slot.key, slot.abandoned)


def fail_slot(state: SwapState, now: float, slot: Slot, error: AlltalkError) -> None:
    """A load that ran failed."""
    state.move(slot, ModelState.FAILED)
    note_failure(slot, state.settings(), error, now)


def _drained_too_long(txn: Txn, now: float) -> BusyTimeout:
    return BusyTimeout(
        f"the speech running on {', '.join(key.model for key in txn.victims)} did not end in time",
        context={"phase": "drain", "model": txn.target.key.model, "waited_s": round(now - txn.started, 3)},
    )


def _cancelled(txn: Txn) -> SwapCancelled:
    return SwapCancelled(
        f"the switch to {txn.target.key.model} was cancelled", context={"model": txn.target.key.model}
    )


def _no_room(state: SwapState, facts: ModelFacts) -> OutOfMemory:
    need, free = need_bytes(state, facts), free_bytes(state, facts.estimate.device)
    return OutOfMemory(
        f"{facts.key.model} needs {need} bytes, and {free} are free after the others left",
        context={"phase": "reserve", "model": facts.key.model, "need_bytes": need, "free_bytes": free},
    )
