"""Taking turns, first come first served, without waiting for a turn that nobody wants any more."""

from __future__ import annotations

import threading
from collections import deque

from alltalk_plugin.domain.ports import CancelToken


class Turns:
    """A lock whose waiters can be cancelled. Thread-safe; another thread than the taker may give back."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._queue: deque[object] = deque()

    def take(self, cancel: CancelToken) -> bool:
        """Wait for the turn; False when cancelled first."""
        ticket = object()
        with self._changed:
            self._queue.append(ticket)
        forget = cancel.on_cancel(self._wake)
        try:
            with self._changed:
                self._changed.wait_for(lambda: self._queue[0] is ticket or cancel.cancelled)
                if not cancel.cancelled:
                    return True
                self._queue.remove(ticket)
                self._changed.notify_all()
                return False
        finally:
            forget()

    def give_back(self) -> None:
        with self._changed:
            self._queue.popleft()
            self._changed.notify_all()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()
