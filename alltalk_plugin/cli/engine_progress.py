"""How an installation looks: one line that changes on a terminal, plain lines elsewhere."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO, assert_never

from alltalk_plugin.environments.events import (
    Downloading,
    InstallEvent,
    Listener,
    Remark,
    StageBegan,
    Working,
)

MB = 1_000_000
_BAR = 20


class PlainProgress:
    """A line for each thing that begins; how much of a file is here is left out."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def __call__(self, event: InstallEvent) -> None:
        match event:
            case StageBegan(number, count, what):
                print(f"[{number}/{count}] {what}", file=self._out, flush=True)
            case Working(line):
                print(f"      {line}", file=self._out, flush=True)
            case Remark(text):
                print(f"note: {text}", file=self._out, flush=True)
            case Downloading():
                pass
            case _:
                assert_never(event)


class TerminalProgress:
    """Stages stay on the screen; below the last, one line says what is being done."""

    def __init__(self, out: TextIO, columns: int) -> None:
        self._out = out
        self._columns = columns
        self._doing = ""

    def __call__(self, event: InstallEvent) -> None:
        match event:
            case StageBegan(number, count, what):
                self._doing = ""
                self._line(f"[{number}/{count}] {what}\n")
            case Remark(text):
                self._line(f"note: {text}\n")
            case Working(line):
                self._doing = line
                self._line(line[: self._columns - 1])
            case Downloading(done, total):
                self._line(_bar(self._doing, done, total, self._columns - 1))
            case _:
                assert_never(event)

    def close(self) -> None:
        """Leave an empty line for what comes after."""
        self._line("")

    def _line(self, text: str) -> None:
        self._out.write(f"\r\x1b[K{text}")
        self._out.flush()


def _bar(doing: str, done_bytes: int, total_bytes: int, columns: int) -> str:
    if total_bytes <= 0:
        return f"{doing} {done_bytes / MB:.1f} MB"[:columns]
    filled = _BAR * min(done_bytes, total_bytes) // total_bytes
    bar = f" [{'#' * filled:<{_BAR}}] {done_bytes / MB:.1f}/{total_bytes / MB:.1f} MB"
    return f"{doing[: columns - len(bar)]}{bar}"


@contextmanager
def watcher() -> Iterator[Listener]:
    """What shows the events of one installation on stderr."""
    if not sys.stderr.isatty():
        yield PlainProgress(sys.stderr)
        return
    progress = TerminalProgress(sys.stderr, shutil.get_terminal_size().columns)
    try:
        yield progress
    finally:
        progress.close()
