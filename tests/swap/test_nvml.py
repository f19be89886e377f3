from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from alltalk_plugin.domain.errors import ModelIncompatible
from alltalk_plugin.domain.models import Device
from alltalk_plugin.swap.memory import SystemMemory
from alltalk_plugin.swap.nvml import CudaMemory

GB = 10**9


class DriverError(Exception):
    pass


@dataclass
class FakeNvml:
    """The module `pynvml` of a machine with two devices."""

    NVMLError = DriverError
    init_error: Exception | None = None
    free: dict[object, int] = field(default_factory=lambda: {0: 3 * GB, 1: 7 * GB, "GPU-uuid": 9 * GB})
    inits: int = 0

    def nvmlInit(self) -> None:  # noqa: N802  the driver library's own name
        self.inits += 1
        if self.init_error is not None:
            raise self.init_error

    def nvmlDeviceGetHandleByIndex(self, index: int) -> object:  # noqa: N802  the driver library's own name
        return self._known(index)

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> object:  # noqa: N802  the driver library's own name
        return self._known(uuid)

    def nvmlDeviceGetMemoryInfo(self, handle: object) -> SimpleNamespace:  # noqa: N802  the driver library's own name
        return SimpleNamespace(free=self.free[handle], total=16 * GB)

    def _known(self, handle: object) -> object:
        if handle not in self.free:
            raise self.NVMLError("Invalid Argument")
        return handle


@pytest.mark.parametrize(
    ("device", "visible", "free_gb"),
    [
        ("cuda", None, 3),
        ("cuda:0", None, 3),
        ("cuda:1", None, 7),
        ("cuda:0", "1", 7),
        ("cuda:1", "1, 0", 3),
        ("cuda:0", "GPU-uuid", 9),
    ],
)
def test_device_is_found_as_torch_counts(device: str, visible: str | None, free_gb: int) -> None:
    environment = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
    memory = SystemMemory(cuda=CudaMemory(FakeNvml, environment))
    assert memory.free_bytes(Device(device)) == free_gb * GB
    assert memory.total_bytes(Device(device)) == 16 * GB


@pytest.mark.parametrize(("device", "visible"), [("cuda:5", None), ("cuda:1", "0"), ("cuda:x", None)])
def test_device_that_is_not_there_is_a_typed_error(device: str, visible: str | None) -> None:
    environment = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
    with pytest.raises(ModelIncompatible) as error:
        CudaMemory(FakeNvml, environment).free_bytes(Device(device))
    assert f"swap.budget_mb for {device}" in error.value.hint


def test_library_is_loaded_once_and_its_absence_said_each_time() -> None:
    nvml = FakeNvml(init_error=DriverError("Driver Not Loaded"))
    memory = CudaMemory(lambda: nvml, {})
    for _ in range(2):
        with pytest.raises(ModelIncompatible, match="Driver Not Loaded"):
            memory.free_bytes(Device("cuda:0"))
    assert nvml.inits == 1


def test_without_the_package_the_extra_is_named() -> None:
    def absent() -> FakeNvml:
        raise ImportError("no module")

    with pytest.raises(ModelIncompatible) as error:
        CudaMemory(absent, {}).total_bytes(Device("cuda:0"))
    assert "alltalk-plugin[cuda]" in error.value.hint
