"""When to leave a failing server alone.

| state | a request | leaves it |
| --- | --- | --- |
| closed | passes | after `open_after` failures in a row: open |
| open | is refused | when its time is over: half-open |
| half-open | one passes as a probe, others are refused | the probe succeeds: closed; it fails: open, longer |

The pattern is Michael Nygard's (Release It!, 2007).
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

LONGEST_OPEN_S = 300.0


class BreakerState(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Breaker:
    """Counts failures of one server. One thread.

    Every `admit` that gave None is followed by exactly one of `succeeded`, `failed` and `left`.
    """

    def __init__(self, *, open_after: int, open_s: float, clock: Callable[[], float]) -> None:
        self._open_after = open_after
        self._first_open_s = open_s
        self._clock = clock
        self._failures = 0
        self._open_s = open_s
        self._open_until: float | None = None
        self._probing = False

    @property
    def state(self) -> BreakerState:
        if self._open_until is None:
            return BreakerState.CLOSED
        if self._clock() < self._open_until:
            return BreakerState.OPEN
        return BreakerState.HALF_OPEN

    def admit(self) -> float | None:
        """None when a request may pass; else after how many seconds it is worth to ask again."""
        match self.state:
            case BreakerState.CLOSED:
                return None
            case BreakerState.HALF_OPEN if not self._probing:
                self._probing = True
                return None
            case BreakerState.HALF_OPEN:
                return self._open_s
            case BreakerState.OPEN:
                return (self._open_until or 0.0) - self._clock()

    def succeeded(self) -> None:
        """The server did its part."""
        self._failures = 0
        self._open_s = self._first_open_s
        self._open_until = None
        self._probing = False

    def failed(self, not_before_s: float = 0.0) -> None:
        """The server did not. `not_before_s`: for how long it asked itself to be left alone."""
        self._failures += 1
        pause_s = not_before_s
        if self._probing:
            self._open_s = min(self._open_s * 2, LONGEST_OPEN_S)
        if self._probing or self._failures >= self._open_after:
            pause_s = max(pause_s, self._open_s)
        if pause_s > 0.0:
            self._open_until = self._clock() + min(pause_s, LONGEST_OPEN_S)
        self._probing = False

    def left(self) -> None:
        """The request was given up by whoever asked: it says nothing about the server."""
        self._probing = False
