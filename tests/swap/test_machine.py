from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import rule, run_state_machine_as_test

from tests.swap.machines import REFS, SwapMachine
from tests.swap.service_machine import ServiceMachine

QUICK = settings(
    max_examples=200,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


class RemovingMachine(SwapMachine):
    """Models are taken out of the settings too, and may be asked for again at once."""

    @rule(ref=REFS)
    def take_out(self, ref: str) -> None:
        self.w.take_out(ref)


@pytest.mark.parametrize("machine", [SwapMachine, RemovingMachine])
def test_core_holds_its_invariants_whatever_happens(machine: type[SwapMachine]) -> None:
    run_state_machine_as_test(machine, settings=QUICK)


@pytest.mark.campaign
@pytest.mark.timeout(3600)
def test_core_holds_its_invariants_over_a_campaign() -> None:
    run_state_machine_as_test(
        RemovingMachine, settings=settings(QUICK, max_examples=20_000, stateful_step_count=50)
    )


def test_service_holds_its_invariants_whatever_happens() -> None:
    run_state_machine_as_test(
        ServiceMachine, settings=settings(QUICK, max_examples=60, stateful_step_count=30)
    )


@pytest.mark.campaign
@pytest.mark.timeout(3600)
def test_service_holds_its_invariants_over_a_campaign() -> None:
    run_state_machine_as_test(
        ServiceMachine, settings=settings(QUICK, max_examples=2_000, stateful_step_count=40)
    )
