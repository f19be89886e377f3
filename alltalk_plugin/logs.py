"""Where log lines go. For entry points only: a library leaves the sinks to its program."""

from __future__ import annotations

import contextlib
import re
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from loguru import logger

if TYPE_CHECKING:
    from loguru import Record

_ROTATION = "2 MB"
_HIDDEN = "***"
# A bearer header, ?token=…, token: …, and the path prefix /k/TOKEN/ of the HTTP rim.
_SECRET = re.compile(r"(\bbearer\s+|\btoken[\"']?\s*[=:]\s*[\"']?|/k/)([A-Za-z0-9._~+-]{4,})", re.IGNORECASE)
_SECRET_FIELDS = frozenset({"token", "authorization"})

_lock = threading.Lock()
_ours: dict[str, int] = {}  # what a sink writes to -> its handler, so that asking twice does not log twice


def enable() -> None:
    """Let this package's lines through; the runtime keeps them off until a program wants them."""
    logger.enable("alltalk_plugin")


def log_to_stderr(level: str) -> None:
    """Lines of `level` and above to standard error, instead of loguru's own default sink."""
    enable()
    with contextlib.suppress(ValueError):  # a program that has its own sinks took this one out
        logger.remove(0)
    if sys.stderr is None:  # pythonw.exe has no console
        return
    _add("stderr", lambda: logger.add(sys.stderr, level=level, format=_line, diagnose=False, backtrace=False))


def log_to_file(path: Path, level: str, keep: int) -> None:
    """Lines of `level` and above to `path`, in files of 2 MB of which `keep` old ones are kept."""
    enable()
    _add(
        f"file {path}",
        lambda: logger.add(
            path,
            level=level,
            format=_line,
            rotation=_ROTATION,
            retention=keep,
            encoding="utf-8",
            diagnose=False,
            backtrace=False,
        ),
    )


def redact(text: str) -> str:
    """`text` with every token replaced."""
    return _SECRET.sub(rf"\1{_HIDDEN}", text)


def _add(target: str, add: Callable[[], int]) -> None:
    with _lock:
        if (before := _ours.pop(target, None)) is not None:
            with contextlib.suppress(ValueError):  # the program took it out itself
                logger.remove(before)
        _ours[target] = add()


def _line(record: Record) -> str:
    """A template for loguru. Built here rather than by a patcher, which would change a program's own lines
    too; and so that the trace is redacted like the rest."""
    fields = "".join(f" {key}={_shown(key, value)}" for key, value in record["extra"].items())
    text = redact(f"{record['message']}{fields}")
    if (raised := record["exception"]) is not None:
        trace = traceback.format_exception(raised.type, raised.value, raised.traceback)
        text = f"{text}\n{redact(''.join(trace)).rstrip()}"
    literal = text.replace("{", "{{").replace("}", "}}").replace("<", r"\<")
    return "{time:YYYY-MM-DD HH:mm:ss.SSS} {level: <7} {name}: " + literal + "\n"


def _shown(key: str, value: object) -> str:
    if key.lower() in _SECRET_FIELDS:
        return _HIDDEN
    return repr(value) if isinstance(value, str) and (" " in value or not value) else str(value)
