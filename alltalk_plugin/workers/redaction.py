"""Takes spoken text out of what a worker prints, so that crash reports can be passed on.

Standard library only; runs on both ends.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable

SPOKEN = "[spoken text]"
_MIN_CHARS = 4
"""Shorter pieces than this say nothing about a chat, and would eat words like 'at' out of a traceback."""


def redact(output: str, texts: Iterable[str]) -> str:
    """`output` without `texts`: whole, by line, and as `repr` and traceback carets would show them."""
    for text in texts:
        for piece in _pieces(text):
            output = output.replace(piece, SPOKEN)
    return output


def _pieces(text: str) -> list[str]:
    pieces = {text, repr(text)[1:-1], ascii(text)[1:-1]}
    for line in text.splitlines():
        pieces |= {line.strip(), repr(line.strip())[1:-1]}
    return sorted((piece for piece in pieces if len(piece) >= _MIN_CHARS), key=len, reverse=True)


class OutputRing:
    """The last output of a worker, with the texts it was given taken out. Thread-safe."""

    def __init__(self, limit_chars: int = 64_000) -> None:
        self._limit_chars = limit_chars
        self._lock = threading.Lock()
        self._lines: deque[str] = deque()
        self._chars = 0
        self._texts: deque[str] = deque(maxlen=8)

    def spoke(self, text: str) -> None:
        """Lines that come from now on may hold `text`."""
        with self._lock:
            self._texts.append(text)

    def append(self, line: str) -> str:
        """Keep a line; gives it back as it is kept."""
        with self._lock:
            line = redact(line, self._texts)
            self._lines.append(line)
            self._chars += len(line)
            while self._chars > self._limit_chars and len(self._lines) > 1:
                self._chars -= len(self._lines.popleft())
        return line

    def text(self) -> str:
        """What is kept, oldest first."""
        with self._lock:
            return "".join(self._lines)
