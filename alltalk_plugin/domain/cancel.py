"""Saying stop to work that runs in another thread."""

from __future__ import annotations

import threading
from collections.abc import Callable

from alltalk_plugin.domain.errors import Cancelled


class CancelSource:
    """A stop sign that is raised once and stays up. Thread-safe; satisfies `CancelToken`."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[], None]] = []

    @property
    def cancelled(self) -> bool:
        return self._event.is_set()

    def cancel(self) -> None:
        """Raise the sign. Callbacks run in this thread, once, outside the lock."""
        with self._lock:
            if self._event.is_set():
                return
            self._event.set()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def on_cancel(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` when the sign goes up (at once if it is); returns what forgets it again."""
        with self._lock:
            if not self._event.is_set():
                self._callbacks.append(callback)
                return lambda: self._forget(callback)
        callback()
        return lambda: None

    def _forget(self, callback: Callable[[], None]) -> None:
        with self._lock:
            if callback in self._callbacks:
                self._callbacks.remove(callback)

    def raise_if_cancelled(self) -> None:
        """Raises: Cancelled when the sign is up."""
        if self._event.is_set():
            raise Cancelled("the work was cancelled")

    def wait(self, timeout_s: float) -> bool:
        """Block up to `timeout_s`; True when cancelled."""
        return self._event.wait(timeout_s)
