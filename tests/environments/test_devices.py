from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from alltalk_plugin.domain.errors import ModelIncompatible
from alltalk_plugin.domain.models import Device
from alltalk_plugin.environments.devices import visible_kind


def unmeasured(_device: Device) -> int:
    raise ModelIncompatible("no driver")


def tool(folder: Path, script: str) -> Callable[[str], str | None]:
    path = folder / "nvidia-smi"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return lambda _name: str(path)


def test_device_when_the_driver_answers_then_cuda_and_its_tool_is_not_asked() -> None:
    asked: list[Device] = []

    def total(device: Device) -> int:
        asked.append(device)
        return 10**9

    assert visible_kind(total, lambda _name: "/no/such/tool") == "cuda"
    assert asked == ["cuda"]


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        ("echo 'GPU 0: NVIDIA H200 (UUID: GPU-1)'", "cuda"),
        ("echo 'No devices were found'; exit 6", "cpu"),
        ("true", "cpu"),
    ],
)
def test_device_when_only_the_tool_is_there_then_what_it_lists(
    tmp_path: Path, script: str, kind: str
) -> None:
    assert visible_kind(unmeasured, tool(tmp_path, script)) == kind


def test_device_when_there_is_neither_or_the_tool_does_not_start_then_cpu() -> None:
    assert visible_kind(unmeasured, lambda _name: None) == "cpu"
    assert visible_kind(unmeasured, lambda _name: "/no/such/tool") == "cpu"
