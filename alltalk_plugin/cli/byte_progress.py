"""How far a long read or download is: one line that changes on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

_PLAIN_STEP_BYTES = 100_000_000
_TERMINAL_STEP_BYTES = 1_000_000


class ByteProgress:
    """Told how many bytes more are done; a server that starts over takes some back. One thread."""

    def __init__(self, label: str, out: TextIO) -> None:
        self._label = label
        self._out = out
        self._terminal = out.isatty()
        self._step_bytes = _TERMINAL_STEP_BYTES if self._terminal else _PLAIN_STEP_BYTES
        self._total_bytes: int | None = None
        self._done = self._said = self._width = 0

    def expect(self, total_bytes: int | None) -> None:
        """How many bytes there will be, as soon as somebody knows."""
        self._total_bytes = total_bytes

    def __call__(self, more_bytes: int) -> None:
        self._done += more_bytes
        if abs(self._done - self._said) >= self._step_bytes:
            self._said = self._done
            of = f" of {self._total_bytes / 1e6:.0f}" if self._total_bytes else ""
            line = f"{self._label}: {self._done / 1e6:.0f}{of} MB"
            if self._terminal:
                # Blanks over what a longer line left behind.
                self._width = max(self._width, len(line))
                print(f"\r{line.ljust(self._width)}", end="", file=self._out, flush=True)
            else:
                print(line, file=self._out, flush=True)

    def close(self) -> None:
        """What comes next stands on a line of its own."""
        if self._terminal and self._said:
            print(file=self._out)


@contextmanager
def byte_progress(label: str) -> Iterator[ByteProgress]:
    """On stderr."""
    progress = ByteProgress(label, sys.stderr)
    try:
        yield progress
    finally:
        progress.close()
