"""Waits until no worker uses the processor, so that what is timed next has it."""

from __future__ import annotations

from contextlib import suppress

import psutil

_INTERVAL_S = 1.0
_IDLE_S = 0.05
_MOST_INTERVALS = 60


def until_children_sleep() -> None:
    """A process that is kept ready imports for seconds after a model was verified; that is over then."""
    for _ in range(_MOST_INTERVALS):
        if _busy_s(_INTERVAL_S) < _IDLE_S:
            return
    raise SystemExit("the workers do not come to rest")


def _busy_s(interval_s: float) -> float:
    """Processor time that this process's children use in an interval, of those that are there at its end."""
    before = _spent_s()
    psutil.cpu_percent(interval_s)  # waits
    return sum(spent - before.get(pid, 0.0) for pid, spent in _spent_s().items())


def _spent_s() -> dict[int, float]:
    """By process, so that one that ends meanwhile does not hide what another uses."""
    spent = {}
    for child in psutil.Process().children():
        with suppress(psutil.Error):
            times = child.cpu_times()
            spent[child.pid] = times.user + times.system
    return spent
