"""Free and total memory of the machine, as far as this process may use it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil

from alltalk_plugin.domain.errors import ModelIncompatible
from alltalk_plugin.domain.models import CPU, Device
from alltalk_plugin.swap.nvml import CudaMemory, is_cuda

_UNLIMITED = 1 << 60
"""cgroup v1 writes 'no limit' as a number near 2**63."""


class SystemMemory:
    """Satisfies `MemoryProbe` for `cpu`, and `cuda` where its library is installed. Thread-safe.

    In a container the cgroup's limit counts (v2, and v1's memory controller), the smallest one on the way
    from the process's own group to the root. File cache that the kernel can give back counts as free.
    """

    def __init__(
        self,
        root: Path = Path("/sys/fs/cgroup"),
        own: Path = Path("/proc/self/cgroup"),
        *,
        cuda: CudaMemory | None = None,
    ) -> None:
        self._root = root
        self._own = own
        self._cuda = cuda or CudaMemory()

    def free_bytes(self, device: Device) -> int:
        """Raises: ModelIncompatible for a device that cannot be measured here."""
        if is_cuda(device):
            return self._cuda.free_bytes(device)
        _only_cpu(device)
        free = int(psutil.virtual_memory().available)
        for group in self._groups():
            limit, used = _limit(group), _used(group)
            if limit is not None and used is not None:
                free = min(free, max(0, limit - used))
        return free

    def total_bytes(self, device: Device) -> int:
        """Raises: ModelIncompatible for a device that cannot be measured here."""
        if is_cuda(device):
            return self._cuda.total_bytes(device)
        _only_cpu(device)
        limits = (_limit(group) for group in self._groups())
        return min([int(psutil.virtual_memory().total), *(limit for limit in limits if limit is not None)])

    def _groups(self) -> Iterator[Path]:
        try:
            lines = self._own.read_text().splitlines()
        except OSError:
            return  # no cgroups here: not Linux
        for line in lines:
            _, controllers, path = line.split(":", 2)
            if controllers == "" or "memory" in controllers.split(","):
                top = self._root / "memory" if controllers else self._root
                group = top / path.lstrip("/")
                yield from (place for place in (group, *group.parents) if place.is_relative_to(top))


def _only_cpu(device: Device) -> None:
    if device != CPU:
        raise ModelIncompatible(
            f"the memory of {device} cannot be measured here",
            hint=f"Set swap.budget_mb for {device}.",
            context={"device": device},
        )


def _limit(group: Path) -> int | None:
    limit = _number(group / "memory.max", group / "memory.limit_in_bytes")
    return limit if limit is not None and limit < _UNLIMITED else None


def _used(group: Path) -> int | None:
    used = _number(group / "memory.current", group / "memory.usage_in_bytes")
    return None if used is None else used - _reclaimable(group)


def _reclaimable(group: Path) -> int:
    try:
        lines = (group / "memory.stat").read_text().splitlines()
    except OSError:
        return 0
    for line in lines:
        name, _, value = line.partition(" ")
        if name in ("inactive_file", "total_inactive_file"):
            return int(value)
    return 0


def _number(*files: Path) -> int | None:
    for file in files:
        try:
            return int(file.read_text())
        except (OSError, ValueError):
            continue  # not this version of cgroups, or "max"
    return None
