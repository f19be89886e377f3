from __future__ import annotations

from collections.abc import Callable

import pytest

from alltalk_plugin.http.audience import GRACE_S, Audience


class Timers:
    """Timers that run when the test says so."""

    def __init__(self) -> None:
        self.set: list[tuple[float, Callable[[], None]]] = []

    def later(self, seconds: float, callback: Callable[[], None]) -> Timers.One:
        entry = (seconds, callback)
        self.set.append(entry)
        return Timers.One(self, entry)

    def ring(self) -> None:
        ringing, self.set = self.set, []
        for _, callback in ringing:
            callback()

    class One:
        def __init__(self, timers: Timers, entry: tuple[float, Callable[[], None]]) -> None:
            self._timers, self._entry = timers, entry

        def cancel(self) -> None:
            self._timers.set.remove(self._entry)


@pytest.fixture
def timers() -> Timers:
    return Timers()


@pytest.fixture
def stopped() -> list[str]:
    return []


@pytest.fixture
def audience(timers: Timers, stopped: list[str]) -> Audience:
    return Audience(stopped.append, later=timers.later)


def test_audience_when_the_last_listener_goes_waits_the_grace_time_then_stops(
    audience: Audience, timers: Timers, stopped: list[str]
) -> None:
    with audience.listening("a"):
        with audience.listening("a"):
            pass
        assert timers.set == [], "one still listens"
    assert [seconds for seconds, _ in timers.set] == [GRACE_S]
    assert stopped == []
    timers.ring()
    assert stopped == ["a"]


def test_audience_when_somebody_comes_back_in_time_goes_on(
    audience: Audience, timers: Timers, stopped: list[str]
) -> None:
    with audience.listening("a"):
        pass
    with audience.listening("a"):
        timers.ring()
        assert stopped == []
    timers.ring()
    assert stopped == ["a"]


def test_audience_of_one_stream_knows_nothing_of_another(
    audience: Audience, timers: Timers, stopped: list[str]
) -> None:
    with audience.listening("a"):
        with audience.listening("b"):
            pass
        timers.ring()
        assert stopped == ["b"]


def test_audience_when_no_grace_is_given_stops_at_once(
    audience: Audience, timers: Timers, stopped: list[str]
) -> None:
    with audience.listening("a", grace_s=0):
        pass
    assert (stopped, timers.set) == (["a"], [])
