"""What becomes due: waits that end, models that leave by themselves or come back, swaps that may begin."""

from __future__ import annotations

import math

from alltalk_plugin.domain.errors import (
    AlltalkError,
    BusyTimeout,
    Cooldown,
    ModelError,
    QueueFull,
    SwapCancelled,
)
from alltalk_plugin.domain.models import ModelState, SwapMode, SwapOutcome
from alltalk_plugin.swap.admission import (
    Decision,
    budget_bytes,
    check_size,
    decide,
    eta,
    fits,
    free_bytes,
    need_bytes,
)
from alltalk_plugin.swap.effects import Deny, Kind, Settle
from alltalk_plugin.swap.policy import out_of_patience
from alltalk_plugin.swap.rollback import not_yet
from alltalk_plugin.swap.states import ARRIVING, Phase, Slot, SwapState, Wish, copied
from alltalk_plugin.swap.transactions import begin, drain, load, unload


def refuse(state: SwapState, wish: Wish, error: AlltalkError) -> None:
    """A wish ends without a model."""
    if wish in state.wishes:
        state.wishes.remove(wish)
    error = copied(error, model=wish.facts.key.model, last_good=state.last_good)
    state.out.append(Settle(wish.id, SwapOutcome.ABORTED, error) if wish.ticket else Deny(wish.id, error))


def refusal_of(state: SwapState, now: float, wish: Wish) -> ModelError | None:
    """Why a new wish does not even begin to wait, if so."""
    slot = state.slot(wish.facts)
    if state.closed:
        return SwapCancelled("the model service is closing")
    if slot.state is not ModelState.READY and state.txn_loading(slot.key) is None:
        if slot.retry_at > now and not wish.force:
            return not_yet(slot, now)
        if slot.key != state.floor:
            try:
                check_size(state, wish.facts)
            except ModelError as error:
                return error
    limit = state.settings().queue_limit
    if len(state.wishes) >= limit:
        return QueueFull(f"{limit} requests wait for models already", context={"limit": limit})
    return None


def cooling(state: SwapState, now: float, wish: Wish) -> Cooldown | None:
    """The refusal of a swap that is asked for too soon after the last one, if so."""
    interval_s = state.settings().min_interval_s
    wait_s = state.asked_at + interval_s - now
    if wait_s <= 0 or wish.force:
        return None
    return Cooldown(
        f"a switch was made {interval_s - wait_s:.1f} s ago",
        context={"model": wish.facts.key.model, "retry_after_s": round(wait_s, 3)},
    )


def expire(state: SwapState, now: float) -> None:
    """End the waits that have lasted too long."""
    for wish in list(state.wishes):
        slot = state.slots.get(wish.facts.key)
        arriving = slot is not None and slot.state in ARRIVING
        under_way = arriving or state.txn_loading(wish.facts.key) is not None
        if now >= wish.deadline or (now >= wish.start_by and not under_way):
            refuse(
                state,
                wish,
                BusyTimeout(
                    f"{wish.facts.key.model} was not to be had in time",
                    context={
                        "phase": "load" if under_way else "reserve",
                        "retry_after_s": round(_expected_wait_s(state, now, wish), 3),
                    },
                ),
            )


def _expected_wait_s(state: SwapState, now: float, wish: Wish) -> float:
    """When it is worth to ask again: what still has to end first, and the load itself. At least a second,
    which is also the answer where nothing is known."""
    wait_s = 0.0
    for txn in state.txns.values():
        if txn.phase is Phase.DRAIN:
            wait_s = max(wait_s, txn.drain_until - now)
        coming = state.slots[txn.loading]
        expected = eta(state, coming.facts)
        if expected is not None and txn.loading != wish.facts.key:
            begun = coming.since if coming.state in ARRIVING else now
            wait_s = max(wait_s, begun + expected.most - now)
    own = eta(state, wish.facts)
    return max(1.0, wait_s + (own.most if own else 0.0))


def release_idle(state: SwapState, now: float) -> None:
    """Models past their idle time leave, and so do superseded ones once nobody uses them."""
    for slot in state.slots.values():
        if slot.leases:
            continue
        if slot.state is ModelState.READY:
            ttl_s = state.ttl_s(slot)
            if ttl_s is not None and now >= slot.last_used + ttl_s:
                drain(state, now, f"{state.prefix}idle", slot, "ttl")
                unload(state, now, f"{state.prefix}idle", slot, "ttl")
        elif slot.state is ModelState.DRAINING and not _is_victim(state, slot):
            unload(state, now, f"{state.prefix}idle", slot, slot.leaving)


def release_held(state: SwapState, now: float) -> None:
    """A person's switch that had to wait for the interval begins; at once when it comes anyway."""
    for wish in [wish for wish in state.wishes if wish.held]:
        if state.slot(wish.facts).state is ModelState.READY or under_way(state, wish):
            wish.held = False
        elif now >= wish.hold_until:
            # A forced switch to another model may have begun a new interval meanwhile.
            wish.hold_until = state.asked_at + state.settings().min_interval_s
            if now >= wish.hold_until:
                wish.held = False
                state.asked_at = now


def under_way(state: SwapState, wish: Wish) -> bool:
    """Whether a swap to the same model has been asked for or runs."""
    key = wish.facts.key
    asked = any(other.ticket and not other.held and other.facts.key == key for other in state.wishes)
    return asked or state.txn_loading(key) is not None


def restore_lost(state: SwapState, now: float) -> None:
    """Bring back the floor and the good model that went away unasked, as soon as they may."""
    floor = state.slots[state.floor]
    if floor.state in (ModelState.COLD, ModelState.FAILED) and floor.retry_at <= now:
        load(state, now, f"{state.prefix}floor", floor, "floor")
    if state.lost is None or any(txn.exclusive for txn in state.txns.values()):
        return
    slot = state.slot(state.lost)
    if slot.state is ModelState.READY:
        state.lost = None
    elif (
        slot.state in (ModelState.COLD, ModelState.FAILED)
        and slot.retry_at <= now
        and fits(state, state.lost)
    ):
        need, free = need_bytes(state, slot.facts), free_bytes(state, slot.device)
        room = Decision(SwapMode.LOAD_FIRST, (), need, free, budget_bytes(state, slot.device))
        begin(state, now, state.lost, room, "recovery" if slot.last_used > -math.inf else "boot")


def start_swaps(state: SwapState, now: float) -> bool:
    """Begin the transactions that may, in the order of arrival; whether anything was done.

    Loads that need nobody's place run side by side. One that takes a place runs alone, so that the place
    is still there if the model that left must come back. Who cannot begin holds back those behind.
    """
    acted = False
    for wish in [wish for wish in state.wishes if state.waits_for_room(wish)]:
        if not state.waits_for_room(wish):
            continue  # the transaction of an earlier wish brings it
        slot = state.slot(wish.facts)
        if slot.retry_at > now and not wish.force:
            refuse(state, wish, not_yet(slot, now))
            acted = True
            continue
        if slot.state is ModelState.DRAINING and not _is_victim(state, slot):
            state.move(slot, ModelState.READY)
            state.emit(now, f"{state.prefix}idle", Kind.UNDRAIN, key=slot.key, cause=wish.cause)
            return True
        if slot.state not in (ModelState.COLD, ModelState.FAILED):
            break
        if any(txn.exclusive for txn in state.txns.values()):
            break
        try:
            decision = decide(state, slot, wish.mode)
        except ModelError as error:
            refuse(state, wish, error)
            acted = True
            continue
        if decision is None:
            break
        if decision.victims:
            victims = [state.slots[key] for key in decision.victims]
            if state.txns or not (wish.ticket or out_of_patience(state, wish, victims, now)):
                break
        begin(state, now, wish.facts, decision, wish.cause, cuts=wish.cut)
        acted = True
    return acted


def next_wakeup(state: SwapState, now: float) -> float:
    """When the clock alone makes the next difference; infinity when it never does."""
    settings = state.settings()
    due = [math.inf]
    for wish in state.wishes:
        due.append(wish.deadline)
        if wish.held:
            due.append(wish.hold_until)
        if state.txn_loading(wish.facts.key) is None:
            due.append(wish.start_by)
            if wish.patience_until > now:
                due.append(wish.patience_until)
    due.extend(txn.drain_until for txn in state.txns.values() if txn.phase is Phase.DRAIN)
    for slot in state.slots.values():
        if slot.state in ARRIVING and slot.abandoned is None:
            due.append(slot.since + settings.load_timeout_s)
        elif slot.state is ModelState.READY and not slot.leases:
            ttl_s = state.ttl_s(slot)
            if ttl_s is not None:
                due.append(slot.last_used + ttl_s)
        elif slot.key == state.floor and slot.state is ModelState.FAILED:
            due.append(slot.retry_at)
    if state.lost is not None and state.txn_loading(state.lost.key) is None:
        due.append(max(state.slot(state.lost).retry_at, now + settings.retry_base_s))
    return min(due)


def _is_victim(state: SwapState, slot: Slot) -> bool:
    return any(slot.key in txn.victims for txn in state.txns.values())
