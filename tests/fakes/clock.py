"""A clock that the test owns."""

from __future__ import annotations

import threading


class FakeClock:
    """Time moves only when told to. Thread-safe."""

    def __init__(self, start_s: float = 1_000.0) -> None:
        self._lock = threading.Lock()
        self._now_s = start_s

    def monotonic(self) -> float:
        with self._lock:
            return self._now_s

    def time(self) -> float:
        return 1_700_000_000.0 + self.monotonic()

    def advance(self, seconds: float) -> None:
        with self._lock:
            self._now_s += seconds
