"""What an installation tells whoever watches it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StageBegan:
    """The next of `count` parts of the work begins; `number` counts from 1."""

    number: int
    count: int
    what: str


@dataclass(frozen=True, slots=True)
class Working:
    """A line of the installer: what it collects, downloads, builds or installs."""

    line: str


@dataclass(frozen=True, slots=True)
class Downloading:
    """How much of one file is here; `total_bytes` is 0 when nobody said."""

    done_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class Remark:
    """Something a person should know about this installation."""

    text: str


InstallEvent = StageBegan | Working | Downloading | Remark
Listener = Callable[[InstallEvent], None]
