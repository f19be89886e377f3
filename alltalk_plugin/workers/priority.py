"""Operating-system priority of a worker: low while it loads, so that the models that speak stay quick."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path

import psutil

LOADING_NICENESS = 5
"""A quarter of a core against one process that speaks (the kernel weighs 335 to 1024), and all of a core that
nobody else wants. More would starve a load beside a language model that computes on every core."""
_CAP_SYS_NICE = 1 << 23
_BELOW_NORMAL = 0x4000
_NORMAL = 0x20
"""Priority classes of the Windows API, which psutil takes by number."""


def lower(pid: int) -> None:
    """Make the process wait for others. Does nothing where this could not be taken back."""
    if may_restore():
        with suppress(psutil.Error, OSError):  # it may have ended already
            psutil.Process(pid).nice(_BELOW_NORMAL if sys.platform == "win32" else LOADING_NICENESS)


def restore(pid: int) -> None:
    """Back to the priority of this process, every thread it has by now."""
    if not may_restore():
        return
    with suppress(psutil.Error, OSError):
        process = psutil.Process(pid)
        if sys.platform == "win32":
            process.nice(_NORMAL)
            return
        own = os.getpriority(os.PRIO_PROCESS, 0)
        # On Linux niceness belongs to a thread; those that the load started have inherited it.
        for thread in process.threads() if sys.platform == "linux" else ():
            os.setpriority(os.PRIO_PROCESS, thread.id, own)
        process.nice(own)


@cache
def may_restore() -> bool:
    """Whether a priority that was lowered may be raised again.

    Windows: always. Linux: with CAP_SYS_NICE, or an RLIMIT_NICE that reaches to our own niceness (0, the
    usual one, does not). A worker that stayed low would stutter for the rest of its life, so it is not
    lowered then.
    """
    if sys.platform == "win32":
        return True
    if sys.platform != "linux":
        return os.geteuid() == 0
    soft, _ = psutil.Process().rlimit(psutil.RLIMIT_NICE)
    if soft >= 20 - os.getpriority(os.PRIO_PROCESS, 0):  # getrlimit(2): the ceiling is 20 minus the limit
        return True
    return bool(_capabilities() & _CAP_SYS_NICE)


def _capabilities() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == "CapEff":
            return int(value, 16)
    return 0
