"""The kind of device that builds are chosen for."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable

from alltalk_plugin.domain.errors import ModelIncompatible
from alltalk_plugin.domain.models import Device
from alltalk_plugin.swap.nvml import CudaMemory

KINDS = ("cpu", "cuda")
_SMI_TIMEOUT_S = 20.0
"""The driver's first answer after a start of the machine takes seconds."""


def visible_kind(
    total_bytes: Callable[[Device], int] | None = None, which: Callable[[str], str | None] = shutil.which
) -> str:
    """`cuda` when an NVIDIA device answers here, else `cpu`.

    The driver's library is asked through nvidia-ml-py; without that package, its tool nvidia-smi.
    """
    try:
        (total_bytes or CudaMemory().total_bytes)(Device("cuda"))
    except ModelIncompatible:
        tool = which("nvidia-smi")
        return "cuda" if tool is not None and _lists_a_device(tool) else "cpu"
    return "cuda"


def _lists_a_device(tool: str) -> bool:
    try:
        listed = subprocess.run(
            [tool, "-L"], capture_output=True, text=True, timeout=_SMI_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return listed.returncode == 0 and "GPU" in listed.stdout
