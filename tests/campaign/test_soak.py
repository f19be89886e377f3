"""Many swaps between two real models: the service does not grow and leaves nothing behind."""

from __future__ import annotations

import gc
import statistics
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from alltalk_plugin.domain.models import ModelProfile, ModelRef, SwapOutcome
from alltalk_plugin.engines.coqui import spec as coqui_spec
from tests.campaign.rig import FLOOR, RealRig, report, spread, workers_of
from tests.checkpoints import coqui_models
from tests.neural import environment_of

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(3_600)]

LIMIT_MB_PER_100 = 1.0
MODELS = (ModelRef("one"), ModelRef("two"))


@dataclass(frozen=True, slots=True)
class Soak:
    """How many swaps, and after how many of them caches and the allocator's arenas have their size."""

    swaps: int
    warm_up: int
    step: int
    budget_mb: int


def test_a_thousand_swaps_leave_no_memory_process_file_or_port(tmp_path: Path) -> None:
    profiles = [
        ModelProfile(ref, "espeak", options={"voice": voice})
        for ref, voice in zip(MODELS, ("en-us", "de"), strict=True)
    ]
    _soak(
        tmp_path, profiles, Soak(1_000, warm_up=100, step=50, budget_mb=125)
    )  # the floor and one of the two


def test_swaps_between_coqui_models_leave_no_memory_process_file_or_port(tmp_path: Path) -> None:
    """Fewer, since each starts a process that imports torch."""
    paths = coqui_models(tmp_path / "models", ("vits", "vits_languages"))
    profiles = [
        ModelProfile(ref, "coqui", path=path) for ref, path in zip(MODELS, paths.values(), strict=True)
    ]
    one_mb = max(coqui_spec.SPEC.estimate(profile).load_bytes for profile in profiles) / 1e6
    # Room for the floor, a spare and one of the two.
    _soak(tmp_path, profiles, Soak(200, warm_up=40, step=10, budget_mb=round(2.4 * one_mb)))


def _soak(folder: Path, profiles: list[ModelProfile], soak: Soak) -> None:
    rig = RealRig(folder, profiles, environment_of, budget_mb={"cpu": soak.budget_mb})
    me = psutil.Process()
    resident: list[tuple[int, float]] = []
    took: list[float] = []
    rig.speak(FLOOR)
    start: dict[str, int] = {}
    for number in range(soak.swaps):
        began = time.perf_counter()
        ticket = rig.service.swap(MODELS[number % 2])
        assert ticket.wait(120.0) is SwapOutcome.COMMITTED, ticket.error
        took.append(time.perf_counter() - began)
        assert MODELS[1 - number % 2] not in rig.ready(), "there is room for both, so that nothing is swapped"
        assert rig.speak(MODELS[number % 2]) > 0
        if number == soak.warm_up:
            start = _held(me, folder)
        if number >= soak.warm_up and number % soak.step == 0:
            gc.collect()
            resident.append((number, me.memory_info().rss / 1e6))
    end = _held(me, folder)
    slope = statistics.linear_regression(*zip(*resident, strict=True)).slope * 100
    report(
        f"{soak.swaps} swaps of {profiles[0].engine}",
        {
            "slope, MB per 100 swaps": round(slope, 3),
            "resident, MB": [round(megabytes, 2) for _, megabytes in resident],
            "swap, s": spread(took),
            "held after the warm-up": start,
            "held at the end": end,
        },
    )
    rig.close()
    assert workers_of(me) == []
    assert slope < LIMIT_MB_PER_100
    assert end["descriptors"] <= start["descriptors"] + 2  # a worker may be ending at either moment
    assert end["threads"] <= start["threads"] + 3
    assert end["workers"] <= start["workers"] + 1
    assert end["ports"] == start["ports"]
    assert end["files"] == start["files"]


def _held(me: psutil.Process, folder: Path) -> dict[str, int]:
    return {
        "descriptors": me.num_fds(),
        "threads": threading.active_count(),
        "workers": len(workers_of(me)),
        "ports": len(me.net_connections()),
        "files": sum(1 for _ in folder.rglob("*")),
    }
