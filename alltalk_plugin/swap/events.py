"""Hearing of what happens to models: a bell that rings when the journal has grown, and who listens."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from alltalk_plugin.domain.models import SwapRecord
from alltalk_plugin.domain.ports import Journal

_AT_ONCE = 500
"""Records read from the journal in one go."""


class Bell:
    """Calls its listeners; what happened, they read in the journal, so that nobody misses anything, however
    slow. Thread-safe; listeners are called in the ringing thread and must be quick."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: dict[object, Callable[[], None]] = {}

    def listen(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` at each ring; returns what forgets it again."""
        token = object()
        with self._lock:
            self._listeners[token] = callback

        def forget() -> None:
            with self._lock:
                self._listeners.pop(token, None)

        return forget

    def ring(self) -> None:
        with self._lock:
            listeners = tuple(self._listeners.values())
        for listener in listeners:
            listener()


class Events:
    """Records as they come, each once, in order. One thread; `close` it, or use `with`."""

    def __init__(
        self,
        journal: Journal,
        on_event: Callable[[Callable[[], None]], Callable[[], None]],
        since: int,
    ) -> None:
        self._journal = journal
        self._grown = threading.Event()
        self._forget = on_event(self._grown.set)
        self._seq = since

    def get(self, timeout_s: float) -> tuple[SwapRecord, ...]:
        """What has come since the last call; waits for the first of it, empty after `timeout_s`."""
        self._grown.clear()
        records = self._journal.since(self._seq, _AT_ONCE)
        if not records and self._grown.wait(timeout_s):
            records = self._journal.since(self._seq, _AT_ONCE)
        if records:
            self._seq = records[-1].seq
        return records

    def close(self) -> None:
        self._forget()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
