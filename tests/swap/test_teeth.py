"""The machine has teeth: each of these broken cores is caught by the invariant it breaks.

The normal run plays the shortest way to where the breakage shows, on the machine, with its checks. That
the machine also finds the way by itself takes minutes, and is left to the campaign.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import FlakyFailure
from hypothesis.stateful import run_state_machine_as_test

from alltalk_plugin.domain.errors import OutOfMemory
from alltalk_plugin.domain.models import SwapMode
from tests.swap import mutations
from tests.swap.machines import SwapMachine, model

HUNT = settings(
    max_examples=3000,
    stateful_step_count=50,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)


def begun(machine: SwapMachine, *, budget_mb: int = 3, limit: int = 1, resident: str = "") -> None:
    """The last of `resident` is in use. With 3 MB either `a` or `b` fits beside the floor."""
    machine.begin(budget_mb=budget_mb, limit=limit, interval_s=0.0, ttl_s=0.0, base_mb=0, resident=resident)


def submit(machine: SwapMachine, ref: str) -> None:
    machine.submit(facts=model(ref), playback=None, upcoming=(), timeout_s=1e6)


def swap(machine: SwapMachine, ref: str) -> None:
    machine.swap(facts=model(ref), mode=SwapMode.AUTO, force=False, cause="api")


def load_fails_after_an_eviction(machine: SwapMachine) -> None:
    begun(machine, resident="a")
    machine.w.done(1)
    swap(machine, "b")
    machine.w.freed("a")
    machine.w.fail("b", OutOfMemory("oom"))


def one_that_waits_is_overtaken(machine: SwapMachine) -> None:
    begun(machine, budget_mb=7, limit=0, resident="a")
    submit(machine, "d")  # its load keeps `c` waiting
    submit(machine, "c")
    submit(machine, "a")


def model_asks_for_one_byte_more_than_there_is(machine: SwapMachine) -> None:
    begun(machine, budget_mb=5)
    submit(machine, "c")


def one_of_two_victims_is_never_free(machine: SwapMachine) -> None:
    begun(machine, budget_mb=6, resident="ab")
    swap(machine, "c")
    machine.clock(seconds=16.0)


def victim_is_in_use(machine: SwapMachine) -> None:
    begun(machine, resident="a")
    swap(machine, "b")


def victim_is_never_free(machine: SwapMachine) -> None:
    begun(machine, resident="a")
    swap(machine, "b")
    machine.clock(seconds=16.0)


def failed_model_is_asked_for_at_once(machine: SwapMachine) -> None:
    begun(machine)
    submit(machine, "b")
    machine.w.fail("b", OutOfMemory("oom"))
    submit(machine, "b")


def nobody_makes_room(machine: SwapMachine) -> None:
    begun(machine, resident="a")
    submit(machine, "b")
    machine.clock(seconds=61.0)


def model_becomes_the_good_one(machine: SwapMachine) -> None:
    begun(machine, resident="a")


Scenario = Callable[[SwapMachine], None]
Mutation = Callable[[pytest.MonkeyPatch], None]

TEETH: tuple[tuple[Mutation, Scenario, tuple[str, ...]], ...] = (
    (mutations.no_rollback, load_fails_after_an_eviction, ("S8", "L1")),
    (mutations.no_overtaking_bound, one_that_waits_is_overtaken, ("L2",)),
    (mutations.overcommitted_by_one_byte, model_asks_for_one_byte_more_than_there_is, ("S1",)),
    (mutations.dropped_before_all_are_drained, one_of_two_victims_is_never_free, ("S8", "L3")),
    (mutations.dropped_under_a_lease, victim_is_in_use, ("S4",)),
    (mutations.no_undrain, victim_is_never_free, ("S8",)),
    (mutations.no_back_off, failed_model_is_asked_for_at_once, ("S9",)),
    (mutations.no_waiting_bound, nobody_makes_room, ("L2",)),
    (mutations.journal_without_commits, model_becomes_the_good_one, ("S7",)),
)
"""A breakage, the way to where it shows, and the invariants of which one must tell it."""


def play(scenario: Scenario) -> SwapMachine:
    machine = SwapMachine()
    scenario(machine)
    machine.teardown()
    return machine


@pytest.mark.parametrize(
    ("mutation", "scenario", "invariants"), TEETH, ids=[mutation.__name__ for mutation, _, _ in TEETH]
)
def test_machine_when_the_core_is_broken_then_the_invariant_tells(
    mutation: Mutation, scenario: Scenario, invariants: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    mutation(monkeypatch)
    with pytest.raises(AssertionError) as caught:
        play(scenario)
    assert str(caught.value).startswith(invariants), caught.value


@pytest.mark.parametrize("scenario", [scenario for _, scenario, _ in TEETH])
def test_machine_when_the_core_is_whole_then_the_same_way_ends_well(scenario: Scenario) -> None:
    machine = play(scenario)
    assert not machine.w.broken
    assert not machine.w.state.txns


@pytest.mark.campaign
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    ("mutation", "invariants"),
    [(mutation, invariants) for mutation, _, invariants in TEETH],
    ids=[mutation.__name__ for mutation, _, _ in TEETH],
)
def test_machine_when_the_core_is_broken_then_it_finds_the_way_by_itself(
    mutation: Mutation, invariants: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    mutation(monkeypatch)
    with pytest.raises((AssertionError, FlakyFailure)) as caught:
        run_state_machine_as_test(SwapMachine, settings=HUNT)
    # A counterexample that does not fail again when it is repeated is one all the same.
    error: Exception = caught.value
    found = error.exceptions[0] if isinstance(error, FlakyFailure) else error
    assert str(found).startswith(invariants), found
