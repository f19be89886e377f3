"""Whether a model may come in, and what must leave for it: decided from bytes, counted anew each time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from alltalk_plugin.domain.errors import ContextValue, ModelTooBig, OutOfMemory
from alltalk_plugin.domain.models import Device, ModelKey, ModelRef, ModelState, SwapMode, SwapPlan
from alltalk_plugin.domain.ports import EvictionPolicy
from alltalk_plugin.swap.effects import ModelFacts
from alltalk_plugin.swap.learned import NOTHING, Eta, borrowed_eta
from alltalk_plugin.swap.policy import LeastRecentlyUsed, leaving_order
from alltalk_plugin.swap.states import ARRIVING, Slot, SwapState, status

MEGABYTE = 1_000_000
MARGIN_LIMIT = 256 * MEGABYTE
"""The most that is kept free beyond a model's need, however large it is."""

_POLICY: EvictionPolicy = LeastRecentlyUsed()


@dataclass(frozen=True, slots=True)
class Decision:
    """How a model comes in: the order, who leaves, and the bytes it was decided from."""

    mode: SwapMode
    victims: tuple[ModelKey, ...]
    need_bytes: int
    free_bytes: int
    budget_bytes: int


def budget_bytes(state: SwapState, device: Device) -> int:
    """What all models together may take on `device`, the floor included."""
    megabytes = state.settings().budget_mb.get(device)
    return state.budget_at_start(device) if megabytes is None else megabytes * MEGABYTE


def room_bytes(state: SwapState, device: Device) -> int:
    """The budget without what no model can have: processes that wait for one, and suspected leaks."""
    leak = state.leaks.get(device)
    return budget_bytes(state, device) - state.base_bytes(device) - (leak.bytes if leak else 0)


def used_bytes(state: SwapState, device: Device) -> int:
    """What models take on `device`. The floor counts always, so that it can always come back."""
    return sum(_counted(state, slot) for slot in state.slots.values() if slot.device == device)


def peak_bytes(state: SwapState, facts: ModelFacts) -> int:
    """What a load may take: the engine's upper bound, or what loads have shown if that was more."""
    return max(facts.estimate.load_bytes, _shown(state, facts))


def need_bytes(state: SwapState, facts: ModelFacts) -> int:
    """What must be free before a load begins: its peak and a margin."""
    peak = peak_bytes(state, facts)
    return peak + min(int(peak * state.settings().margin_share), MARGIN_LIMIT)


def eta(state: SwapState, facts: ModelFacts) -> Eta | None:
    """How long the load of a model is expected to take."""
    own = state.learned.get(facts.key.model, NOTHING).eta
    if own is not None:
        return own
    siblings = {
        slot.key.model: slot.facts.estimate.load_bytes
        for slot in state.slots.values()
        if slot.key.engine == facts.key.engine and slot.key.model != facts.key.model
    }
    return borrowed_eta(facts.estimate.load_bytes, state.learned, siblings)


def free_bytes(state: SwapState, device: Device) -> int:
    """What a load may take now: the smaller of the room's rest and of what the machine has left.

    Loads that run have taken an unknown part of their bytes already; they are counted as if none.
    """
    rest = room_bytes(state, device) - used_bytes(state, device)
    measured = state.measured_free(device)
    if measured is None:
        return rest
    arriving = sum(
        slot.bytes for slot in state.slots.values() if slot.device == device and slot.state in ARRIVING
    )
    return min(rest, measured - arriving)


def fits(state: SwapState, facts: ModelFacts) -> bool:
    return need_bytes(state, facts) <= free_bytes(state, facts.estimate.device)


def fits_again(state: SwapState, facts: ModelFacts) -> bool:
    """Whether a model that left a moment ago can have back what it was admitted with: no margin, and no
    later lesson, stands between a user and the model that worked."""
    return state.slot(facts).reserved_bytes <= free_bytes(state, facts.estimate.device)


def check_size(state: SwapState, facts: ModelFacts) -> None:
    """Raises: ModelTooBig when it would not fit even if everything that may leave had left."""
    device = facts.estimate.device
    room = room_bytes(state, device)
    staying = sum(
        _counted(state, slot)
        for slot in state.slots.values()
        if slot.device == device and slot.key.model != facts.key.model and not state.may_leave(slot)
    )
    need = need_bytes(state, facts)
    if need > room - staying:
        raise ModelTooBig(
            f"{facts.key.model} needs {need} bytes on {device}; {room - staying} can be made free",
            context=_bytes_context(facts, need, room - staying)
            | {"budget_bytes": budget_bytes(state, device)},
        )


def decide(state: SwapState, target: Slot, mode: SwapMode) -> Decision | None:
    """How `target` comes in now; None when that shows only after bytes in motion have settled.

    Raises: ModelTooBig, OutOfMemory; before anything was unloaded.
    """
    facts = target.facts
    check_size(state, facts)
    device, need = facts.estimate.device, need_bytes(state, facts)
    budget, free = budget_bytes(state, device), free_bytes(state, device)
    leaving = leaving_order(state, target)
    if need <= free:
        first = _released_first(state, leaving) if mode is SwapMode.UNLOAD_FIRST else ()
        order = SwapMode.UNLOAD_FIRST if first else SwapMode.LOAD_FIRST
        return Decision(order, first, need, free, budget)
    if mode is SwapMode.LOAD_FIRST and not _in_motion(state, device):
        raise ModelTooBig(
            f"{facts.key.model} does not fit beside what is loaded: it needs {need} bytes, {free} are free",
            hint="Use mode auto or unload_first, which make room before they load.",
            context=_bytes_context(facts, need, free),
        )
    rest = room_bytes(state, device) - used_bytes(state, device)
    refs = None if mode is SwapMode.LOAD_FIRST else _POLICY.victims(need, rest, [status(s) for s in leaving])
    victims = _enough_measured(state, device, need, leaving, refs) if refs is not None else None
    if victims is not None:
        return Decision(SwapMode.UNLOAD_FIRST, victims, need, free, budget)
    if _in_motion(state, device):
        return None
    raise OutOfMemory(
        f"{facts.key.model} needs {need} bytes on {device}, and other programs leave {free}",
        context=_bytes_context(facts, need, free),
    )


def plan_of(state: SwapState, facts: ModelFacts, decision: Decision | None) -> SwapPlan:
    """The decision as callers see it; without one, what is known already."""
    device, expected = facts.estimate.device, eta(state, facts)
    return SwapPlan(
        target=facts.key.model,
        mode=decision.mode if decision else SwapMode.AUTO,
        victims=tuple(key.model for key in decision.victims) if decision else (),
        need_bytes=need_bytes(state, facts),
        free_bytes=decision.free_bytes if decision else free_bytes(state, device),
        budget_bytes=decision.budget_bytes if decision else budget_bytes(state, device),
        eta_s=expected.seconds if expected else None,
        eta_range_s=expected.range if expected else None,
    )


def fit_together(state: SwapState, floor: ModelFacts, models: Sequence[ModelFacts]) -> bool:
    """Whether all could be resident at once beside the floor, brought in one after the other.

    Reads no slots, so that any thread may ask.
    """
    for device in {facts.estimate.device for facts in models}:
        there = [facts for facts in models if facts.estimate.device == device]
        rest = room_bytes(state, device)
        if floor.estimate.device == device:
            rest -= floor.estimate.load_bytes
        held = [max(facts.estimate.held_bytes, _shown(state, facts)) for facts in there]
        last_peak = max(need_bytes(state, facts) - size for facts, size in zip(there, held, strict=True))
        if sum(held) + last_peak > rest:
            return False
    return True


def _shown(state: SwapState, facts: ModelFacts) -> int:
    return state.learned.get(facts.key.model, NOTHING).peak_bytes(facts.key.revision)


def _counted(state: SwapState, slot: Slot) -> int:
    if slot.key == state.floor:
        return max(slot.facts.estimate.load_bytes, slot.bytes)
    return slot.bytes


def _in_motion(state: SwapState, device: Device) -> bool:
    moving = ARRIVING | {ModelState.DRAINING, ModelState.UNLOADING}
    return any(
        slot.state in moving and slot.device == device and slot.key != state.floor
        for slot in state.slots.values()
    )


def _released_first(state: SwapState, leaving: tuple[Slot, ...]) -> tuple[ModelKey, ...]:
    """Who leaves although there is room: the model that serves now."""
    return tuple(slot.key for slot in leaving if slot.key.model == state.last_good)


def _enough_measured(
    state: SwapState, device: Device, need: int, leaving: tuple[Slot, ...], refs: tuple[ModelRef, ...]
) -> tuple[ModelKey, ...] | None:
    """The victims, and more of them if what is measured free demands it; None when it cannot be had."""
    victims = [slot for slot in leaving if slot.key.model in refs]
    measured = state.measured_free(device)
    if measured is None:
        return tuple(slot.key for slot in victims)
    arriving = sum(
        slot.bytes for slot in state.slots.values() if slot.device == device and slot.state in ARRIVING
    )
    for slot in leaving:
        if measured - arriving + sum(victim.resident_bytes or 0 for victim in victims) >= need:
            return tuple(victim.key for victim in victims)
        if slot not in victims:
            victims.append(slot)
    enough = measured - arriving + sum(victim.resident_bytes or 0 for victim in victims) >= need
    return tuple(victim.key for victim in victims) if enough else None


def _bytes_context(facts: ModelFacts, need: int, free: int) -> dict[str, ContextValue]:
    return {
        "phase": "reserve",
        "model": facts.key.model,
        "need_bytes": need,
        "free_bytes": free,
        "device": facts.estimate.device,
    }
