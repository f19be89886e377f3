"""Giving waiting wishes what they wait for, once it is READY. Functions over `SwapState`."""

from __future__ import annotations

from alltalk_plugin.domain.models import ModelRef, ModelState, SwapOutcome
from alltalk_plugin.swap.effects import Grant, Kind, Settle
from alltalk_plugin.swap.policy import count_overtaking, may_overtake
from alltalk_plugin.swap.states import Slot, SwapState, Wish


def grant_waiting(state: SwapState, now: float) -> bool:
    """Give every wish whose model is READY what it waits for, unless others must go first; whether any
    wish got it."""
    acted = False
    for wish in list(state.wishes):
        slot = state.slots.get(wish.facts.key)
        if slot is None or slot.state is not ModelState.READY:
            continue
        if wish.ticket:
            state.wishes.remove(wish)
            _already_there(state, now, wish)
            acted = True
        elif may_overtake(state, wish.id, slot):
            state.wishes.remove(wish)
            grant(state, now, wish.id, slot, wish.upcoming)
            acted = True
    return acted


def grant(
    state: SwapState, now: float, wish_id: int, slot: Slot, upcoming: tuple[ModelRef, ...] = ()
) -> None:
    """A lease on a READY model."""
    slot.leases.add(wish_id)
    if upcoming:
        state.upcoming[wish_id] = upcoming
    slot.last_used = now
    count_overtaking(state, wish_id, slot)
    state.out.append(Grant(wish_id, slot.load))


def _already_there(state: SwapState, now: float, wish: Wish) -> None:
    """A swap to a model that is READY: it becomes the good one, and nothing moves."""
    state.note_good(wish.facts.key.model)
    state.lost, state.degraded = None, False
    txn_id = f"{state.prefix}s{wish.id}"
    state.emit(now, txn_id, Kind.COMMIT, key=wish.facts.key, cause=wish.cause, dur_ms=0.0)
    state.out.append(Settle(wish.id, SwapOutcome.COMMITTED, None))
