from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from alltalk_plugin.domain.errors import ModelIncompatible
from alltalk_plugin.domain.models import CPU, Device
from alltalk_plugin.swap.memory import SystemMemory

MB = 1_000_000


def cgroups(root: Path, own: str, files: dict[str, object]) -> SystemMemory:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"{content}\n")
    (root / "own").write_text(own)
    return SystemMemory(root, root / "own")


V2 = {
    "memory.max": "max",
    "memory.current": 900 * MB,
    "box/memory.max": 100 * MB,
    "box/memory.current": 60 * MB,
    "box/memory.stat": f"anon 1\ninactive_file {10 * MB}\n",
    "box/inner/memory.max": "max",
    "box/inner/memory.current": 50 * MB,
}
V1 = {
    "memory/memory.limit_in_bytes": 2**63 - 4096,
    "memory/memory.usage_in_bytes": 5,
    "memory/box/memory.limit_in_bytes": 100 * MB,
    "memory/box/memory.usage_in_bytes": 30 * MB,
}


@pytest.mark.parametrize(
    ("own", "files", "free", "total"),
    [
        ("0::/box/inner\n", V2, 50 * MB, 100 * MB),
        ("12:cpu:/other\n5:memory:/box\n", V1, 70 * MB, 100 * MB),
        ("0::/full\n", {"full/memory.max": 10 * MB, "full/memory.current": 11 * MB}, 0, 10 * MB),
    ],
)
def test_smallest_limit_on_the_way_to_the_root_counts(
    tmp_path: Path, own: str, files: dict[str, object], free: int, total: int
) -> None:
    memory = cgroups(tmp_path, own, files)
    assert memory.free_bytes(CPU) == free
    assert memory.total_bytes(CPU) == total


def test_machine_counts_where_nothing_limits(tmp_path: Path) -> None:
    memory = SystemMemory(tmp_path, tmp_path / "none")
    assert memory.total_bytes(CPU) == psutil.virtual_memory().total
    assert 0 < memory.free_bytes(CPU) <= memory.total_bytes(CPU)


def test_other_devices_are_a_typed_error() -> None:
    with pytest.raises(ModelIncompatible):
        SystemMemory().free_bytes(Device("cuda:0"))
    with pytest.raises(ModelIncompatible):
        SystemMemory().total_bytes(Device("cuda:0"))
