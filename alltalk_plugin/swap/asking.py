"""What people and programs ask for besides leases: swaps, pins, unloads. Functions over `SwapState`."""

from __future__ import annotations

import math
from collections.abc import Set as AbstractSet

from alltalk_plugin.domain.errors import AlltalkError, ModelError, RequestError, Superseded
from alltalk_plugin.domain.models import ModelRef, ModelState, SwapMode, SwapOutcome
from alltalk_plugin.swap.admission import decide, plan_of
from alltalk_plugin.swap.effects import PINNED, UNPIN, Accept, Deny, Done, Kind, ModelFacts, Settle
from alltalk_plugin.swap.schedule import cooling, refusal_of, refuse, under_way
from alltalk_plugin.swap.states import Phase, Slot, SwapState, Wish
from alltalk_plugin.swap.transactions import cut, drain

PERSON = "person"
"""The cause of a swap that somebody chose by hand: it waits for the interval instead of being refused."""
REMOVED = "removed"
"""Why a model leaves that the settings or the data folder have no more, or cannot load any more."""


def ask_swap(state: SwapState, now: float, wish: Wish, *, dry_run: bool) -> None:
    """`Accept` with the plan, or `Deny`; the swap itself begins when the queue is looked at."""
    slot = state.slot(wish.facts)
    ready = slot.state is ModelState.READY
    joins = not ready and under_way(state, wish)
    try:
        decision = None if ready or slot.key == state.floor else decide(state, slot, wish.mode)
    except ModelError as error:
        state.out.append(Deny(wish.id, error))
        return
    plan = Accept(wish.id, plan_of(state, wish.facts, decision))
    if dry_run:
        state.out += [plan, Settle(wish.id, SwapOutcome.PLANNED, None)]
        return
    refusal: AlltalkError | None = refusal_of(state, now, wish)
    if refusal is None and not (ready or joins):
        refusal = _too_soon(state, now, wish)
    if refusal is not None:
        state.out.append(Deny(wish.id, refusal))
        return
    if wish.cause == PERSON:
        _supersede_waiting(state, wish)
    if not (ready or joins or wish.held) and wish.cause != "rollback":
        state.asked_at = now
    if joins and wish.cut:
        _cut_running(state, slot)
    state.out.append(plan)
    state.wishes.append(wish)


def pin(state: SwapState, now: float, wish_id: int, facts: ModelFacts, *, pinned: bool) -> None:
    """A person's word on whether the model may be evicted; beats the settings'."""
    state.slot(facts)  # from now on it is listed as what it is
    if state.pins.get(facts.key.model) is not pinned:
        state.pins[facts.key.model] = pinned
        cause = PINNED if pinned else UNPIN
        state.emit(now, f"{state.prefix}p{wish_id}", Kind.PIN, key=facts.key, cause=cause)
    state.out.append(Done(wish_id))


def unload_model(state: SwapState, now: float, wish_id: int, facts: ModelFacts) -> None:
    """Every revision of the model leaves as soon as nobody uses it."""
    for slot in _of_model(state, facts):
        if not state.may_leave(slot):
            error = RequestError(
                f"{facts.key.model} is pinned",
                hint="Unpin it first; the embedded model always stays.",
                context={"model": facts.key.model},
            )
            state.out.append(Deny(wish_id, error))
            return
    for slot in _of_model(state, facts):
        if slot.state is ModelState.READY:
            drain(state, now, f"{state.prefix}u{wish_id}", slot, "unload")
    if state.lost is not None and state.lost.key.model == facts.key.model:
        state.lost = None
    state.out.append(Done(wish_id))


def let_removed_go(state: SwapState, now: float, usable: AbstractSet[ModelRef]) -> None:
    """Models that nobody can ask for any more leave as soon as nobody uses them, pinned or not: who took
    them out of the settings knew. A pin counts again when the model is back."""
    for slot in state.slots.values():
        if slot.state is ModelState.READY and slot.key != state.floor and slot.key.model not in usable:
            drain(state, now, f"{state.prefix}removed", slot, REMOVED)
    if state.lost is not None and state.lost.key.model not in usable:
        state.lost = None


def _of_model(state: SwapState, facts: ModelFacts) -> list[Slot]:
    return [slot for slot in state.slots.values() if slot.key.model == facts.key.model]


def _too_soon(state: SwapState, now: float, wish: Wish) -> AlltalkError | None:
    """The refusal of a swap within the interval; a person's waits instead, unless that would be too long."""
    refusal = cooling(state, now, wish)
    if refusal is None or wish.cause != PERSON:
        return refusal
    begins = state.asked_at + state.settings().min_interval_s
    if begins - now > state.settings().max_wait_s:
        return refusal
    wish.held, wish.hold_until, wish.start_by = True, begins, begins + state.settings().max_wait_s
    return None


def _supersede_waiting(state: SwapState, newest: Wish) -> None:
    """A person's newest choice is the only one that waits; the same choice made twice waits twice."""
    for wish in [wish for wish in state.wishes if wish.held and wish.facts.key != newest.facts.key]:
        winner = newest.facts.key.model
        error = Superseded(f"{winner} was chosen after {wish.facts.key.model}", context={"winner": winner})
        refuse(state, wish, error)


def _cut_running(state: SwapState, slot: Slot) -> None:
    """A forced swap that joins one under way makes that one impatient too."""
    txn = state.txn_loading(slot.key)
    if txn is not None and txn.phase is Phase.DRAIN:
        cut(state, txn)


def swap_wish(
    state: SwapState, now: float, wish_id: int, facts: ModelFacts, *, mode: SwapMode, cause: str, force: bool
) -> Wish:
    """A swap that was asked for, as it waits."""
    return Wish(
        id=wish_id,
        facts=facts,
        cause=cause,
        deadline=math.inf,
        start_by=now + state.settings().max_wait_s,
        patience_until=now,
        ticket=True,
        force=force or cause == "rollback",
        cut=force,
        mode=SwapMode(state.settings().mode) if mode is SwapMode.AUTO else mode,
    )
