from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from alltalk_plugin.engines.remote.breaker import LONGEST_OPEN_S, Breaker, BreakerState
from tests.fakes.clock import FakeClock

OPEN_AFTER, OPEN_S = 3, 10.0
ROUNDING_S = 1e-6


def breaker(clock: FakeClock) -> Breaker:
    return Breaker(open_after=OPEN_AFTER, open_s=OPEN_S, clock=clock.monotonic)


@pytest.mark.parametrize(
    ("events", "state", "wait_s"),
    [
        ("", "closed", None),
        ("ff", "closed", None),
        ("ffsff", "closed", None),
        ("flfl", "closed", None),
        ("fff", "open", 10.0),
        ("fff 4", "open", 6.0),
        ("fff 10", "half_open", None),
        ("fff 10 s", "closed", None),
        ("fff 10 sff", "closed", None),
        ("fff 10 f", "open", 20.0),
        ("fff 10 f 20 f", "open", 40.0),
        ("fff 10 f 20 s fff", "open", 10.0),
        ("fff 10 l", "half_open", None),
        ("a", "open", 40.0),
        ("a 40", "half_open", None),
        ("a 40 s", "closed", None),
        ("a 40 f", "open", 20.0),
        ("ff a", "open", 40.0),
    ],
)
def test_breaker_when_told_then_in_that_state(events: str, state: str, wait_s: float | None) -> None:
    """f failed, s succeeded, l left, a: failed and asks for 40 s; a number: so many seconds go by."""
    clock = FakeClock()
    made = breaker(clock)
    for word in events.split():
        if word.isdecimal():
            clock.advance(float(word))
            continue
        for event in word:
            assert made.admit() is None
            match event:
                case "f":
                    made.failed()
                case "s":
                    made.succeeded()
                case "l":
                    made.left()
                case "a":
                    made.failed(40.0)
    assert made.state == state
    assert made.admit() == wait_s


def test_breaker_when_half_open_then_one_probe_passes() -> None:
    clock = FakeClock()
    made = breaker(clock)
    for _ in range(OPEN_AFTER):
        made.failed()
    clock.advance(OPEN_S)
    assert made.admit() is None
    assert made.admit() == OPEN_S
    made.succeeded()
    assert made.admit() is None


class Use(RuleBasedStateMachine):
    """Any use, by one who asks before each request."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.breaker = breaker(self.clock)
        self.asked = False
        self.in_a_row = 0
        self.refused_until = 0.0

    @precondition(lambda self: not self.asked)
    @rule()
    def ask(self) -> None:
        wait_s = self.breaker.admit()
        if wait_s is None:
            self.asked = True
            assert self.clock.monotonic() >= self.refused_until - ROUNDING_S
        else:
            assert 0.0 < wait_s <= LONGEST_OPEN_S + ROUNDING_S
            self.refused_until = max(self.refused_until, self.clock.monotonic() + wait_s)

    @precondition(lambda self: self.asked)
    @rule(pause_s=st.sampled_from([0.0, 0.0, 5.0, 9_999.0]))
    def fail(self, pause_s: float) -> None:
        self.asked = False
        self.in_a_row += 1
        was_probe = self.breaker.state is BreakerState.HALF_OPEN
        self.breaker.failed(pause_s)
        opens = was_probe or pause_s > 0 or self.in_a_row >= OPEN_AFTER
        assert (self.breaker.state is BreakerState.OPEN) == opens

    @precondition(lambda self: self.asked)
    @rule()
    def succeed(self) -> None:
        self.asked, self.in_a_row = False, 0
        self.breaker.succeeded()
        assert self.breaker.state is BreakerState.CLOSED

    @precondition(lambda self: self.asked)
    @rule()
    def leave(self) -> None:
        before = self.breaker.state
        self.asked = False
        self.breaker.left()
        assert self.breaker.state is before

    @rule(seconds=st.floats(0.0, 400.0))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @invariant()
    def is_passable_some_time(self) -> None:
        """However often it failed, five minutes later somebody may ask."""
        assert self.state_after(LONGEST_OPEN_S + ROUNDING_S) is not BreakerState.OPEN

    def state_after(self, seconds: float) -> BreakerState:
        later = FakeClock(self.clock.monotonic() + seconds)
        self.breaker._clock = later.monotonic
        state = self.breaker.state
        self.breaker._clock = self.clock.monotonic
        return state


Use.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestUse = Use.TestCase
