"""Who leaves when room is needed, and who may go first. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from alltalk_plugin.domain.models import ModelRef, ModelState, ModelStatus
from alltalk_plugin.swap.states import Slot, SwapState, Wish


class LeastRecentlyUsed:
    """Evicts as few bytes of recent use as will do. Satisfies `EvictionPolicy`.

    `candidates` come in the order in which they should leave. The first ones that make enough room are
    taken; those that turn out not to be needed are spared, the most recently used first.
    """

    def victims(
        self, need_bytes: int, free_bytes: int, candidates: Sequence[ModelStatus]
    ) -> tuple[ModelRef, ...] | None:
        chosen: list[ModelStatus] = []
        room = free_bytes
        for candidate in candidates:
            if room >= need_bytes:
                break
            chosen.append(candidate)
            room += held_bytes(candidate)
        if room < need_bytes:
            return None
        for candidate in reversed(list(chosen)):
            if room - held_bytes(candidate) >= need_bytes:
                chosen.remove(candidate)
                room -= held_bytes(candidate)
        return tuple(candidate.ref for candidate in chosen)


def held_bytes(status: ModelStatus) -> int:
    """What comes back when this model leaves."""
    estimated = status.estimate.held_bytes if status.estimate else 0
    return max(estimated, status.resident_bytes or 0)


def leaving_order(state: SwapState, target: Slot) -> tuple[Slot, ...]:
    """Models that may be evicted for `target`: idle ones first, then those that no dialogue has announced
    to need soon, then by last use. (What the head of the queue needs is not READY, or it would have it.)

    Pinned models and the floor never leave, except for a newer revision of themselves.
    """
    soon = frozenset(state.wanted_soon())
    evictable = (
        slot
        for slot in state.slots.values()
        if slot.state is ModelState.READY
        and slot.device == target.device
        and slot is not target
        and (state.may_leave(slot) or slot.key.model == target.key.model)
    )
    order = sorted(evictable, key=lambda slot: (bool(slot.leases), slot.key.model in soon, slot.last_used))
    return tuple(order)


def may_overtake(state: SwapState, wish_id: int, slot: Slot) -> bool:
    """Whether a lease on the READY `slot` may be granted although others wait for room it may hold.

    Each of them lets at most `overtake_limit` later requests go first.
    """
    if not state.may_leave(slot):
        return True
    limit = state.settings().overtake_limit
    return all(wish.overtaken < limit for wish in _hindered(state, wish_id, slot))


def count_overtaking(state: SwapState, wish_id: int, slot: Slot) -> None:
    """Remember that `wish_id` went first."""
    if state.may_leave(slot):
        for wish in _hindered(state, wish_id, slot):
            wish.overtaken += 1


def _hindered(state: SwapState, wish_id: int, slot: Slot) -> list[Wish]:
    return [
        wish
        for wish in state.wishes
        if wish.id < wish_id and wish.facts.estimate.device == slot.device and state.waits_for_room(wish)
    ]


def out_of_patience(state: SwapState, wish: Wish, victims: Sequence[Slot], now: float) -> bool:
    """Whether the swap for `wish` begins now: its victims are idle, or it has waited its share."""
    if all(not slot.leases for slot in victims if slot.state is ModelState.READY):
        return True
    return wish.overtaken >= state.settings().overtake_limit or now >= wish.patience_until
