"""What a process holds in main memory that nobody else does.

Some 170 MB of a worker with PyTorch are pages of the libraries' files. They exist once for all workers, the
system counts them as free because it can read them again, and how many of them are mapped depends on what
else was read lately: 346 MB were seen after all of the files had been. So they belong to no model.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import psutil


def own_bytes(process: psutil.Process) -> int:
    """Memory that is the process's own, and mapped files that are no program, such as a model's weights.

    Linux says which files are mapped (9 ms with PyTorch). Elsewhere it is what no other process shares, and
    where the system does not say that either, everything that is mapped.

    Raises: psutil.Error.
    """
    try:
        with Path(f"/proc/{process.pid}/smaps").open("rb") as lines:
            mapped = _mapped_bytes(lines)
    except OSError:  # not Linux, or the process has ended, which psutil says
        memory = process.memory_full_info()
        return int(getattr(memory, "uss", memory.rss))
    return own_bytes_but_files(process) + mapped


def own_bytes_but_files(process: psutil.Process) -> int:
    """The same without any mapped file, in 0.1 ms: enough for a process that has no model. Where the system
    does not tell mapped files apart, all of them count.

    Raises: psutil.Error.
    """
    memory = process.memory_info()
    return int(memory.rss - getattr(memory, "shared", 0))


def _mapped_bytes(smaps: Iterable[bytes]) -> int:
    """What is mapped of files that are no programs, less what the process has written to it.

    Line by line: psutil reads the megabyte as a whole, of which the C library keeps some for each thread. And
    files only: a heap that grows meanwhile is listed twice.
    """
    mapped: dict[bytes, int] = {}
    programs: set[bytes] = set()
    name = b""
    for line in smaps:
        if line.startswith(b"Rss:"):
            mapped[name] = mapped.get(name, 0) + _bytes(line)
        elif line.startswith(b"Anonymous:"):
            mapped[name] -= _bytes(line)
        elif not line[:1].isupper():
            head = line.split(maxsplit=5)  # addresses, permissions, offset, device, inode, name
            name = head[5] if len(head) == 6 else b""
            if b"x" in head[1]:
                programs.add(name)
    return sum(count for name, count in mapped.items() if name not in programs)


def _bytes(line: bytes) -> int:
    return int(line.split()[1]) * 1_024
