"""Waiting for what another process does, which no gate can hold."""

from __future__ import annotations

import threading
from collections.abc import Callable

PATIENCE_S = 20.0
_STEP_S = 0.002


def until(happened: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
    """Return as soon as `happened` says so; fail after `patience_s`."""
    never = threading.Event()
    for _ in range(int(patience_s / _STEP_S)):
        if happened():
            return
        never.wait(_STEP_S)
    raise AssertionError("it did not happen")
