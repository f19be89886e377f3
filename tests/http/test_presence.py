from __future__ import annotations

import os

import pytest

from alltalk_plugin.http.presence import Presence, process_started_at
from tests.fakes.clock import FakeClock


class World:
    """A clock and the processes of a machine."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.processes: dict[int, float] = {7: 100.0}
        self.presence = Presence(
            clock=self.clock, idle_exit_s=lambda: 60.0, process_started_at=self.processes.get
        )

    def pass_s(self, seconds: float) -> bool:
        self.clock.advance(seconds)
        self.presence.look()
        return self.presence.may_end


@pytest.fixture
def world() -> World:
    return World()


def test_service_when_nobody_ever_came_may_end_after_the_idle_time(world: World) -> None:
    assert not world.pass_s(59)
    assert world.pass_s(1)


def test_service_when_a_host_is_present_stays(world: World) -> None:
    world.presence.hello("plain", pid=7, instance="i")
    assert not world.pass_s(100_000)


def test_service_when_the_host_said_bye_counts_from_then(world: World) -> None:
    world.presence.hello("plain", pid=7, instance="i")
    world.pass_s(500)
    world.presence.bye("i")
    assert not world.pass_s(59)
    assert world.pass_s(1)


def test_service_when_one_of_two_hosts_left_stays(world: World) -> None:
    world.presence.hello("plain", pid=7, instance="i")
    world.presence.hello("plain", pid=7, instance="j")
    world.presence.bye("i")
    assert not world.pass_s(500)


def test_service_when_the_hosts_process_is_gone_counts_from_the_next_look(world: World) -> None:
    world.presence.hello("plain", pid=7, instance="i")
    del world.processes[7]
    assert not world.pass_s(10)
    assert world.pass_s(60)


def test_service_when_another_process_has_the_hosts_id_counts_it_as_gone(world: World) -> None:
    world.presence.hello("plain", pid=7, instance="i")
    world.processes[7] = 200.0
    world.pass_s(10)
    assert world.pass_s(60)


def test_service_when_the_host_told_its_start_believes_it_over_what_it_sees(world: World) -> None:
    world.presence.hello("plain", pid=7, instance="i", started_at=101.0)
    assert not world.pass_s(500)
    world.presence.hello("plain", pid=7, instance="i", started_at=50.0)
    world.pass_s(10)
    assert world.pass_s(60)


def test_service_when_a_request_runs_stays_and_counts_from_its_end(world: World) -> None:
    with world.presence.request():
        assert not world.pass_s(500)
    assert not world.pass_s(59)
    assert world.pass_s(1)


def test_process_when_it_runs_has_a_start_and_else_none() -> None:
    assert process_started_at(os.getpid())
    assert process_started_at(2**22 + 1) is None
