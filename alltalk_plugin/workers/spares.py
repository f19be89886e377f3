"""Workers that have imported their engine and wait for a model.

Importing a heavy engine takes seconds, and none of it depends on the model. One process per engine that asks
for it (`EngineSpec.warm_spare`) is kept from its first load on; the next load takes it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

import psutil
from loguru import logger

from alltalk_plugin.domain.engines import EngineSpec
from alltalk_plugin.domain.errors import AlltalkError
from alltalk_plugin.domain.models import CPU, Device
from alltalk_plugin.workers.memory import own_bytes_but_files
from alltalk_plugin.workers.process import WorkerProcess


class Spares:
    """At most one waiting process per engine. Thread-safe. Who made the processes ends them."""

    def __init__(self, start: Callable[[EngineSpec, str], WorkerProcess]) -> None:
        self._start = start
        self._lock = threading.Lock()
        self._waiting: dict[str, WorkerProcess] = {}
        self._largest_bytes: dict[str, int] = {}

    def take(self, spec: EngineSpec) -> WorkerProcess | None:
        """The waiting process, the caller's from now on; None when there is none that lives."""
        with self._lock:
            process = self._waiting.pop(spec.name, None)
        return process if process is not None and process.alive else None

    def refill(self, spec: EngineSpec) -> None:
        """See to it that one waits. A spare that cannot be had is no error: loads start their own."""
        if not spec.warm_spare or self._one_waits(spec):
            return
        try:
            process = self._start(spec, f"spare of {spec.name}")  # takes a moment, so not under the lock
        except AlltalkError as error:
            logger.debug("no spare worker", engine=spec.name, error=error.message)
            return
        if not self._put(spec, process):
            process.abandon()

    def _one_waits(self, spec: EngineSpec) -> bool:
        with self._lock:
            waiting = self._waiting.get(spec.name)
        return waiting is not None and waiting.alive

    def _put(self, spec: EngineSpec, process: WorkerProcess) -> bool:
        """Let it wait; False when another load has put one there meanwhile."""
        with self._lock:
            waiting = self._waiting.get(spec.name)
            if waiting is not None and waiting.alive:
                return False
            self._waiting[spec.name] = process
            self._largest_bytes.setdefault(spec.name, spec.spare_bytes)
            return True

    def resident_bytes(self) -> Mapping[Device, int]:
        """What the spares hold: for each engine that keeps one, what its spec says of it, or more if more was
        seen.

        So a spare that still imports, or that the next load has just taken, counts already.
        """
        with self._lock:
            for name, process in self._waiting.items():
                self._largest_bytes[name] = max(self._largest_bytes[name], _resident(process))
            held = sum(self._largest_bytes.values())
        return {CPU: held} if held else {}


def _resident(process: WorkerProcess) -> int:
    if not process.alive:
        return 0
    try:
        return own_bytes_but_files(psutil.Process(process.pid))
    except psutil.Error:
        return 0
