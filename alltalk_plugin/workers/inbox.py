"""What a worker answers to one request, handed from the reading thread to the asking one."""

from __future__ import annotations

import threading
from collections import deque

from alltalk_plugin.domain.errors import AlltalkError
from alltalk_plugin.workers.protocol import Message

CAPACITY = 64
"""Chunks that may wait for their consumer. Then the reader waits, the pipe fills and the engine stops:
an engine that is 200 times faster than speech would otherwise fill memory with a long text."""


class Inbox:
    """A bounded queue with an end. One thread puts, one takes, any may fail or close it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._messages: deque[Message] = deque()
        self._error: AlltalkError | None = None
        self._closed = False

    def put(self, message: Message) -> None:
        """Hand over a message; waits while the inbox is full; does nothing once it is closed."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._messages) < CAPACITY or self._ended)
            if not self._closed:
                self._messages.append(message)
                self._changed.notify_all()

    def fail(self, error: AlltalkError) -> None:
        """Nothing more will come; what is here can still be taken, then `error` is raised."""
        with self._changed:
            if self._error is None:
                self._error = error
            self._changed.notify_all()

    def close(self) -> None:
        """Nobody takes any more: forget everything, now and later."""
        with self._changed:
            self._closed = True
            self._messages.clear()
            self._changed.notify_all()

    def take(self, timeout_s: float) -> Message | None:
        """The next message; None when nothing came in time or the inbox was closed.

        Raises: the error it failed with, after the last message.
        """
        with self._changed:
            self._changed.wait_for(lambda: bool(self._messages) or self._ended, timeout_s)
            if self._messages:
                message = self._messages.popleft()
                self._changed.notify_all()
                return message
            if self._error is not None and not self._closed:
                raise self._error
            return None

    @property
    def _ended(self) -> bool:
        return self._closed or self._error is not None
