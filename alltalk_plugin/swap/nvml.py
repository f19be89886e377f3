"""Free and total memory of NVIDIA devices, through the driver's own library (package `nvidia-ml-py`)."""

from __future__ import annotations

import importlib
import os
import threading
from collections.abc import Callable, Mapping
from typing import Protocol, cast

from alltalk_plugin.domain.errors import ModelIncompatible
from alltalk_plugin.domain.models import Device

_PREFIX = "cuda:"


class NvmlMemory(Protocol):
    """What `nvmlDeviceGetMemoryInfo` gives; bytes."""

    @property
    def free(self) -> int: ...

    @property
    def total(self) -> int: ...


class Nvml(Protocol):
    """The part of the module `pynvml` that is used; its names are the driver library's."""

    @property
    def NVMLError(self) -> type[Exception]: ...  # noqa: N802  the driver library's own name

    def nvmlInit(self) -> None: ...  # noqa: N802  the driver library's own name

    def nvmlDeviceGetHandleByIndex(self, index: int) -> object: ...  # noqa: N802  the driver library's own name

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> object: ...  # noqa: N802  the driver library's own name

    def nvmlDeviceGetMemoryInfo(self, handle: object) -> NvmlMemory: ...  # noqa: N802  the driver library's own name


def import_nvml() -> Nvml:
    """Raises: ImportError without the package."""
    return cast("Nvml", importlib.import_module("pynvml"))


class CudaMemory:
    """Satisfies `MemoryProbe` for `cuda` and `cuda:N`. Thread-safe.

    N counts as torch counts with CUDA_DEVICE_ORDER=PCI_BUS_ID: through CUDA_VISIBLE_DEVICES where that is
    set. The library is loaded at the first question, and its absence is remembered as the answer.
    """

    def __init__(
        self, module: Callable[[], Nvml] = import_nvml, environment: Mapping[str, str] = os.environ
    ) -> None:
        self._module = module
        self._environment = environment
        self._lock = threading.Lock()
        self._loaded: Nvml | None = None
        self._missing: str | None = None

    def free_bytes(self, device: Device) -> int:
        """Raises: ModelIncompatible when it cannot be measured here."""
        return int(self._info(device).free)

    def total_bytes(self, device: Device) -> int:
        """Raises: ModelIncompatible when it cannot be measured here."""
        return int(self._info(device).total)

    def _info(self, device: Device) -> NvmlMemory:
        nvml = self._library(device)
        try:
            return nvml.nvmlDeviceGetMemoryInfo(self._handle(nvml, device))
        except (nvml.NVMLError, ValueError, IndexError) as error:
            raise _unmeasured(device, f"the driver says: {error}") from error

    def _handle(self, nvml: Nvml, device: Device) -> object:
        index = int(device.removeprefix(_PREFIX)) if device.startswith(_PREFIX) else 0
        visible = self._environment.get("CUDA_VISIBLE_DEVICES")
        if visible is None:
            return nvml.nvmlDeviceGetHandleByIndex(index)
        chosen = [name.strip() for name in visible.split(",") if name.strip()][index]
        if chosen.isdigit():
            return nvml.nvmlDeviceGetHandleByIndex(int(chosen))
        return nvml.nvmlDeviceGetHandleByUUID(chosen)

    def _library(self, device: Device) -> Nvml:
        with self._lock:
            if self._loaded is None and self._missing is None:
                self._load()
            if self._loaded is None:
                raise _unmeasured(device, self._missing or "")
            return self._loaded

    def _load(self) -> None:
        try:
            nvml = self._module()
        except ImportError:
            self._missing = "the package nvidia-ml-py is not installed (extra 'cuda')"
            return
        try:
            nvml.nvmlInit()
        except nvml.NVMLError as error:
            self._missing = f"the NVIDIA driver cannot be asked: {error}"
        else:
            self._loaded = nvml


def is_cuda(device: Device) -> bool:
    return device == "cuda" or device.startswith(_PREFIX)


def _unmeasured(device: Device, why: str) -> ModelIncompatible:
    return ModelIncompatible(
        f"the memory of {device} cannot be measured: {why}",
        hint=f"Set swap.budget_mb for {device}, or install the extra: pip install 'alltalk-plugin[cuda]'.",
        context={"device": device},
    )
