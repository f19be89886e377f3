"""The most that a worker's process ever held of its own."""

from __future__ import annotations

from pathlib import Path

import psutil

from alltalk_plugin.workers.memory import own_bytes


def most_own_bytes(pid: int) -> int:
    """Where the system keeps no highest, what is held now.

    Pages of libraries' files, which are in the system's highest too, are taken to be those of now: they are
    mapped when a library is first used, and stay.
    """
    process = psutil.Process(pid)
    own, resident = own_bytes(process), process.memory_info().rss
    status = Path(f"/proc/{pid}/status")
    if not status.is_file():
        return own
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1_024 - (resident - own)
