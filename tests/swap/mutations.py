"""Swap cores that are broken on purpose, each in one way; `test_teeth` has them caught."""

from __future__ import annotations

import pytest

from alltalk_plugin.domain.errors import AlltalkError
from alltalk_plugin.domain.models import ModelState, SwapOutcome
from alltalk_plugin.swap import admission, core, granting, schedule, transactions
from alltalk_plugin.swap.states import Phase, SwapState, Txn


def no_rollback(patch: pytest.MonkeyPatch) -> None:
    honest = transactions._failed

    def forgetful(state: SwapState, now: float, txn: Txn, error: AlltalkError) -> None:
        txn.dropped = ()
        honest(state, now, txn, error)

    patch.setattr(transactions, "_failed", forgetful)


def no_overtaking_bound(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(core, "may_overtake", lambda *_: True)
    patch.setattr(granting, "may_overtake", lambda *_: True)


def overcommitted_by_one_byte(patch: pytest.MonkeyPatch) -> None:
    honest = admission.budget_bytes
    patch.setattr(admission, "budget_bytes", lambda state, device: honest(state, device) + 1)


def dropped_before_all_are_drained(patch: pytest.MonkeyPatch) -> None:
    honest = transactions.advance

    def eager(state: SwapState, now: float, txn: Txn) -> None:
        if txn.phase is Phase.DRAIN:
            for victim in (state.slots[key] for key in txn.victims):
                if victim.state is ModelState.DRAINING and not victim.leases:
                    transactions.unload(state, now, txn.id, victim, txn.cause)
        honest(state, now, txn)

    patch.setattr(transactions, "advance", eager)
    patch.setattr(core, "advance", eager)


def dropped_under_a_lease(patch: pytest.MonkeyPatch) -> None:
    honest = transactions.advance

    def rude(state: SwapState, now: float, txn: Txn) -> None:
        if txn.phase is Phase.DRAIN:
            for victim in (state.slots[key] for key in txn.victims):
                if victim.state is ModelState.DRAINING:
                    transactions.unload(state, now, txn.id, victim, txn.cause)
        honest(state, now, txn)

    patch.setattr(transactions, "advance", rude)
    patch.setattr(core, "advance", rude)


def no_undrain(patch: pytest.MonkeyPatch) -> None:
    def sulking(state: SwapState, now: float, txn: Txn, error: AlltalkError) -> None:
        transactions.deny_waiting(state, txn, txn.target.key, error)
        transactions._end(state, now, txn, SwapOutcome.ABORTED, error)

    patch.setattr(transactions, "give_up", sulking)
    patch.setattr(core, "give_up", sulking)


def no_back_off(patch: pytest.MonkeyPatch) -> None:
    honest = schedule.start_swaps

    def impatient(state: SwapState, now: float) -> bool:
        for wish in state.wishes:
            wish.force = True
        return honest(state, now)

    patch.setattr(core, "refusal_of", lambda *_: None)
    patch.setattr(core, "start_swaps", impatient)


def no_waiting_bound(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(core, "expire", lambda *_: None)


def journal_without_commits(patch: pytest.MonkeyPatch) -> None:
    honest = SwapState.emit

    def silent(self: SwapState, now: float, txn: str, kind: object, **rest: object) -> None:
        if kind != "commit":
            honest(self, now, txn, kind, **rest)  # type: ignore[arg-type]  # passed on as they came

    patch.setattr(SwapState, "emit", silent)
