"""Who listens to what is being spoken: work that nobody hears any more is stopped."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Protocol

# A browser that seeks closes its connection and opens another.
GRACE_S = 2.0


class Timer(Protocol):
    def cancel(self) -> None: ...


class Audience:
    """Counts listeners by audio id. One thread: the event loop's.

    `stop` is called for an audio id whose last listener has been gone for the grace time; it decides
    whether there is anything to stop. `later` calls a function after that many seconds.
    """

    def __init__(
        self,
        stop: Callable[[str], None],
        *,
        later: Callable[[float, Callable[[], None]], Timer] | None = None,
    ) -> None:
        self._stop = stop
        self._later = later if later is not None else _on_loop
        self._listeners: Counter[str] = Counter()
        self._timers: dict[str, Timer] = {}

    @contextlib.contextmanager
    def listening(self, audio_id: str, *, grace_s: float = GRACE_S) -> Iterator[None]:
        """A listener is there inside this."""
        timer = self._timers.pop(audio_id, None)
        if timer is not None:
            timer.cancel()
        self._listeners[audio_id] += 1
        try:
            yield
        finally:
            self._listeners[audio_id] -= 1
            if not self._listeners[audio_id]:
                del self._listeners[audio_id]
                self._left_alone(audio_id, grace_s)

    def _left_alone(self, audio_id: str, grace_s: float) -> None:
        if grace_s:
            self._timers[audio_id] = self._later(grace_s, lambda: self._end(audio_id))
        else:
            self._stop(audio_id)

    def _end(self, audio_id: str) -> None:
        self._timers.pop(audio_id, None)
        self._stop(audio_id)


def _on_loop(seconds: float, callback: Callable[[], None]) -> Timer:
    return asyncio.get_running_loop().call_later(seconds, callback)
