"""Whether anybody still needs a service that a program started."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psutil
from loguru import logger

from alltalk_plugin.domain.ports import Clock

# Two measurements of the same process's start differ by less (clock ticks, and a clock that is adjusted).
_SAME_START_S = 2.0


def process_started_at(pid: int) -> float | None:
    """When the process began, Unix seconds; None when there is none of that id."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.Error:
        return None


@dataclass(frozen=True, slots=True)
class _PresentHost:
    name: str
    pid: int
    started_at: float | None


class Presence:
    """Hosts from hello until bye or the end of their process, and requests while they run. Thread-safe.

    `process_started_at` tells a process from a later one with the same id.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        idle_exit_s: Callable[[], float],
        process_started_at: Callable[[int], float | None] = process_started_at,
    ) -> None:
        self._clock = clock
        self._idle_exit_s = idle_exit_s
        self._process_started_at = process_started_at
        self._lock = threading.Lock()
        self._hosts: dict[str, _PresentHost] = {}
        self._running = 0
        self._busy_until_s = clock.monotonic()

    def hello(self, host: str, *, pid: int, instance: str, started_at: float | None = None) -> None:
        """A host is here; `started_at` None takes what its process says now."""
        if started_at is None:
            started_at = self._process_started_at(pid)
        with self._lock:
            known = instance in self._hosts
            self._hosts[instance] = _PresentHost(host, pid, started_at)
        if not known:
            logger.info("host present", host=host, pid=pid)

    def bye(self, instance: str) -> None:
        with self._lock:
            gone = self._hosts.pop(instance, None)
            self._busy_until_s = self._clock.monotonic()
        if gone is not None:
            logger.info("host left", host=gone.name, pid=gone.pid)

    @contextlib.contextmanager
    def request(self) -> Iterator[None]:
        """A request runs, or a stream is open, inside this."""
        with self._lock:
            self._running += 1
        try:
            yield
        finally:
            with self._lock:
                self._running -= 1
                self._busy_until_s = self._clock.monotonic()

    def look(self) -> None:
        """Forget hosts whose process is gone or is another one by now."""
        with self._lock:
            hosts = dict(self._hosts)
        for instance, host in hosts.items():
            if not self._lives(host):
                self.bye(instance)

    def idle_s(self) -> float:
        """How long nobody has been here; 0 while somebody is."""
        with self._lock:
            if self._hosts or self._running:
                return 0.0
            return self._clock.monotonic() - self._busy_until_s

    @property
    def may_end(self) -> bool:
        return self.idle_s() >= self._idle_exit_s()

    def _lives(self, host: _PresentHost) -> bool:
        started_at = self._process_started_at(host.pid)
        if started_at is None or host.started_at is None:
            return False
        return abs(started_at - host.started_at) < _SAME_START_S
