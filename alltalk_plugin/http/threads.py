"""The threads of the rim: its own, because anyio's default ones are everybody's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import anyio
import anyio.to_thread

P = ParamSpec("P")
R = TypeVar("R")

# For calls of milliseconds to the core. Nothing waits for audio in a thread, so listeners cost none.
_THREADS = 16


class Threads:
    """Runs blocking calls off the event loop. One per app; used on its loop only."""

    def __init__(self, count: int = _THREADS) -> None:
        self._count = count
        self._limiter: anyio.CapacityLimiter | None = None
        self._spawned: set[asyncio.Future[None]] = set()

    async def run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        if self._limiter is None:  # made here: older anyio makes limiters inside a running loop only
            self._limiter = anyio.CapacityLimiter(self._count)
        return await anyio.to_thread.run_sync(lambda: function(*args, **kwargs), limiter=self._limiter)

    def spawn(self, function: Callable[[], None]) -> None:
        """Run a call without waiting for it."""
        task = asyncio.ensure_future(self.run(function))
        self._spawned.add(task)  # the loop itself holds tasks weakly
        task.add_done_callback(self._spawned.discard)
