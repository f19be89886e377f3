"""The tables of docs/bench-swap.md, and its picture."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench.report import Table
from bench.swap import baselines, real_pools
from bench.swap.ours import Simulation
from bench.swap.picture import bars
from bench.swap.real_pools import Cast
from bench.swap.results import Run, Score, score
from bench.swap.workloads import ALL, W5, Workload

PICTURE = Path(__file__).resolve().parents[2] / "docs" / "bench-swap.svg"


def _ours(workload: Workload, *, slots: int, look_ahead: int) -> Run:
    return Simulation(workload, slots=slots, look_ahead=look_ahead).result()


POLICIES: dict[str, Callable[[Workload], Run]] = {
    "naive, 1 slot": baselines.naive,
    "collate, 1 slot": baselines.collate,
    "ours, 1 slot, looks 2 ahead": partial(_ours, slots=1, look_ahead=2),
    "ours, 1 slot, looks 6 ahead": partial(_ours, slots=1, look_ahead=6),
    "LRU-2 FIFO": baselines.lru_two,
    "ours, 2 slots, looks 2 ahead": partial(_ours, slots=2, look_ahead=2),
    "ours, 2 slots, looks 6 ahead": partial(_ours, slots=2, look_ahead=6),
}
PICTURED = (
    "naive, 1 slot",
    "collate, 1 slot",
    "LRU-2 FIFO",
    "ours, 1 slot, looks 6 ahead",
    "ours, 2 slots, looks 6 ahead",
)


def measure() -> Table:
    """Prints the table, writes the picture; one sample per cell, for the same numbers come every time."""
    scores = {
        name: {load.name: score(load, policy(load)) for load in ALL} for name, policy in POLICIES.items()
    }
    print("\n| policy | " + " | ".join(load.name for load in ALL) + " |\n" + "| --- " * (len(ALL) + 1) + "|")
    for name, row in scores.items():
        print(f"| {name} | " + " | ".join(_cell(load, row[load.name]) for load in ALL) + " |")
    shown = [load.name for load in ALL if load is not W5]
    groups = {load: {name: scores[name][load].p99_s for name in PICTURED} for load in shown}
    PICTURE.write_text(bars("Longest wait for a sentence (p99), virtual clock", groups), encoding="utf-8")
    return {
        f"{load}, {name}: p99, s": [row[load].p99_s] for name, row in scores.items() for load in shown
    } | {f"W5, {name}: rare voice waits, s": [row["W5"].rare_wait_s] for name, row in scores.items()}


def measure_on_workers(cast: Callable[[], Cast] = real_pools.slow) -> Table:
    """The same, smaller, on real workers; seconds as on the virtual clock."""
    table: dict[str, list[float]] = {}
    for workload in real_pools.workloads():
        for name, run in real_pools.measure(workload, cast()).items():
            found = score(workload, run)
            print(f"| {workload.name} | {name} | {_cell(workload, found)} |")
            table[f"{workload.name}, {name}: p99, s"] = [found.p99_s]
    return table


def _cell(workload: Workload, found: Score) -> str:
    """Loads / p50 / p99 / stall; for W5 the rare voice's longest wait / overtaken / lost."""
    if workload is W5:
        return f"{found.rare_wait_s:.0f}/{found.overtaken}" + (
            f" ({found.lost} refused)" if found.lost else ""
        )
    return f"{found.loads}/{found.p50_s:.1f}/{found.p99_s:.1f}/{found.stall_s:.1f}"
