"""Memory that does not come back when a model leaves a device. Functions over `SwapState`.

In main memory the end of the worker's process is the proof; only devices are watched.
"""

from __future__ import annotations

from alltalk_plugin.domain.models import CPU, Device, ModelState
from alltalk_plugin.swap.effects import Kind
from alltalk_plugin.swap.states import ARRIVING, Leak, Slot, SwapState

SUSPICIOUS_SHARE = 0.1
"""Of what a model held: less that is missing is taken as noise of other programs."""


def suspect(
    state: SwapState, now: float, slot: Slot, *, free_before: int | None, free_after: int | None
) -> None:
    """Judge a release by the device's free bytes before and after it; `slot` still has its measurement."""
    held = slot.resident_bytes
    if slot.device == CPU or free_before is None or free_after is None or not held:
        return
    missing = held - (free_after - free_before)
    if missing <= held * SUSPICIOUS_SHARE:
        return
    before = state.leaks.get(slot.device)
    healthy = free_after + _held_bytes(state, slot.device, but=slot) + missing
    state.leaks[slot.device] = Leak(missing + (before.bytes if before else 0), healthy)
    state.emit(
        now,
        slot.txn,
        Kind.LEAK,
        key=slot.key,
        device=slot.device,
        bytes_meas=missing,
        free_before=free_before,
        free_after=free_after,
        error=f"{missing} of {held} bytes did not come back",
    )


def review(state: SwapState, now: float) -> None:
    """Suspicions that a new measurement disproves are dropped."""
    for device, leak in list(state.leaks.items()):
        free = state.measured_free(device)
        arriving = any(slot.device == device and slot.state in _UNCLEAR for slot in state.slots.values())
        if free is None or arriving:
            continue
        if free + _held_bytes(state, device) >= leak.healthy - leak.bytes * SUSPICIOUS_SHARE:
            del state.leaks[device]
            state.emit(
                now,
                f"{state.prefix}leak",
                Kind.LEAK,
                device=device,
                cause="disproved",
                bytes_meas=leak.bytes,
                free_after=free,
            )


_UNCLEAR = ARRIVING | {ModelState.UNLOADING}


def _held_bytes(state: SwapState, device: Device, *, but: Slot | None = None) -> int:
    return sum(
        slot.resident_bytes or 0 for slot in state.slots.values() if slot.device == device and slot is not but
    )
