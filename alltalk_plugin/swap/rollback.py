"""What follows a failure: how long to leave a model alone, and which one to bring back."""

from __future__ import annotations

from alltalk_plugin.domain.errors import AlltalkError, RetryLater
from alltalk_plugin.settings.schema import SwapSettings
from alltalk_plugin.swap.admission import fits_again
from alltalk_plugin.swap.effects import ModelFacts
from alltalk_plugin.swap.states import Slot, SwapState, Txn, said

CRASH_WINDOW_S = 60.0
"""A second crash within this is taken as the model's fault; one alone may be bad luck (eSpeak NG has
reproducible segfaults on single texts), so the model comes back at once."""


def back_off_s(settings: SwapSettings, failures: int) -> float:
    """How long a model that failed `failures` times in a row is left alone: doubling, up to the maximum."""
    doublings = min(failures - 1, 32)  # beyond that the maximum has long been reached
    return min(settings.retry_base_s * 2.0**doublings, settings.retry_max_s)


def note_failure(slot: Slot, settings: SwapSettings, error: AlltalkError, now: float) -> None:
    """The model failed once more."""
    slot.failures += 1
    slot.last_error = error
    slot.retry_at = now + back_off_s(settings, slot.failures)


def not_yet(slot: Slot, now: float) -> RetryLater:
    """The refusal of a model that failed a moment ago."""
    why = said(slot.last_error) if slot.last_error else "it failed"
    return RetryLater(
        f"{slot.key.model} failed recently ({why})",
        context={
            "phase": "reserve",
            "model": slot.key.model,
            "attempt": slot.failures,
            "retry_after_s": round(max(0.0, slot.retry_at - now), 3),
            "cause_code": slot.last_error.code if slot.last_error else None,
        },
    )


def to_restore(state: SwapState, txn: Txn) -> tuple[ModelFacts, bool]:
    """Which of the unloaded models comes back, and whether it fits now.

    The last good one, else the last used; another that fits before one that does not.
    """

    def worth(facts: ModelFacts) -> tuple[bool, bool, float]:
        return fits_again(state, facts), facts.key.model == state.last_good, state.slot(facts).last_used

    best = max(txn.dropped, key=worth)
    return best, fits_again(state, best)
