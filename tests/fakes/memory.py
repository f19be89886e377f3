"""Memory that the test owns."""

from __future__ import annotations

from alltalk_plugin.domain.models import CPU, Device


class FakeMemory:
    """Satisfies `MemoryProbe`; says what `free` and `total` hold."""

    def __init__(self, free: int, total: int | None = None) -> None:
        self.free: dict[Device, int] = {CPU: free}
        self.total: dict[Device, int] = {CPU: total if total is not None else free}

    def free_bytes(self, device: Device) -> int:
        return self.free[device]

    def total_bytes(self, device: Device) -> int:
        return self.total[device]
