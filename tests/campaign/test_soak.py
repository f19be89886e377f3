"""A thousand swaps between two real models: the service does not grow and leaves nothing behind."""

from __future__ import annotations

import gc
import statistics
import threading
import time
from pathlib import Path

import psutil
import pytest

from alltalk_plugin.domain.models import ModelProfile, ModelRef, SwapOutcome
from tests.campaign.rig import FLOOR, RealRig, report, spread, workers_of

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(3_600)]

SWAPS = 1_000
STEP = 50
WARM_UP = 100
"""Swaps after which caches and the allocator's arenas have their size."""
LIMIT_MB_PER_100 = 1.0
MODELS = (ModelRef("one"), ModelRef("two"))


def test_a_thousand_swaps_leave_no_memory_process_file_or_port(tmp_path: Path) -> None:
    rig = RealRig(
        tmp_path,
        [
            ModelProfile(MODELS[0], "espeak", options={"voice": "en-us"}),
            ModelProfile(MODELS[1], "espeak", options={"voice": "de"}),
        ],
        budget_mb={"cpu": 125},  # the floor and one of the two
    )
    me = psutil.Process()
    resident: list[tuple[int, float]] = []
    took: list[float] = []
    rig.speak(FLOOR)
    start: dict[str, int] = {}
    for number in range(SWAPS):
        began = time.perf_counter()
        ticket = rig.service.swap(MODELS[number % 2])
        assert ticket.wait(60.0) is SwapOutcome.COMMITTED, ticket.error
        took.append(time.perf_counter() - began)
        assert rig.speak(MODELS[number % 2]) > 0
        if number == WARM_UP:
            start = _held(me, tmp_path)
        if number >= WARM_UP and number % STEP == 0:
            gc.collect()
            resident.append((number, me.memory_info().rss / 1e6))
    end = _held(me, tmp_path)
    slope = statistics.linear_regression(*zip(*resident, strict=True)).slope * 100
    report(
        "1,000 swaps",
        {
            "slope, MB per 100 swaps": round(slope, 3),
            "resident, MB": [round(megabytes, 2) for _, megabytes in resident],
            "swap, s": spread(took),
            "held after 100": start,
            "held after 1,000": end,
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
