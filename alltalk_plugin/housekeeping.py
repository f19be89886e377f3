"""Small things done again and again in the background: settings read anew, old audio deleted."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from loguru import logger

from alltalk_plugin.domain.errors import AlltalkError


@dataclass(frozen=True, slots=True)
class Chore:
    """What to do and how often. What it returns is nobody's business."""

    name: str
    every_s: float
    work: Callable[[], object]


class Housekeeping:
    """Each chore in a thread of its own, first after one interval. A chore that fails is tried again."""

    def __init__(self, *chores: Chore) -> None:
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._keep_at, args=(chore,), name=chore.name, daemon=True)
            for chore in chores
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """End all chores; waits for one that is at work. Idempotent."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _keep_at(self, chore: Chore) -> None:
        while not self._stop.wait(chore.every_s):
            try:
                chore.work()
            except (AlltalkError, OSError) as error:
                logger.warning("chore failed", chore=chore.name, reason=str(error))
