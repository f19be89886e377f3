"""What one policy made of one workload, and the numbers that are compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bench.swap.workloads import AUDIO_S, Workload


@dataclass(slots=True)
class Run:
    """`done` says when each sentence (dialogue, index) was ready; `started` in which order they were made.

    `refused` counts requests that ended with an error, `peak_slots` the models that were there at once.
    """

    done: dict[tuple[int, int], float] = field(default_factory=dict)
    order: list[tuple[int, int]] = field(default_factory=list)
    loads: int = 0
    refused: int = 0
    peak_slots: int = 0


@dataclass(frozen=True, slots=True)
class Score:
    """Seconds. `lost` are sentences that never came. `overtaken` is about the rare voice."""

    loads: int
    p50_s: float
    p99_s: float
    stall_s: float
    lost: int
    rare_wait_s: float
    overtaken: int


def score(workload: Workload, run: Run, *, audio_s: float = AUDIO_S) -> Score:
    waits: dict[tuple[int, int], float] = {}
    for key, at in run.done.items():
        waits[key] = at - workload.dialogues[key[0]].wanted_at(key[1])
    ordered = sorted(waits.values())
    wanted = sum(len(dialogue.voices) for dialogue in workload.dialogues)
    rare = [key for key in waits if workload.dialogues[key[0]].voices[key[1]] == workload.rare]
    return Score(
        loads=run.loads,
        p50_s=ordered[len(ordered) // 2],
        p99_s=ordered[int(0.99 * len(ordered))],
        stall_s=sum(_stall(workload, number, run.done, audio_s) for number in range(len(workload.dialogues))),
        lost=wanted - len(ordered),
        rare_wait_s=max((waits[key] for key in rare), default=0.0),
        overtaken=max((_overtakers(workload, run, key) for key in rare), default=0),
    )


def _stall(workload: Workload, number: int, done: Mapping[tuple[int, int], float], audio_s: float) -> float:
    """How long the listener hears nothing between the first sentence and the last."""
    stall, heard_until = 0.0, None
    for index in range(len(workload.dialogues[number].voices)):
        ready = done.get((number, index))
        if ready is None:
            continue
        if heard_until is not None:
            stall += max(0.0, ready - heard_until)
        heard_until = max(ready, heard_until or 0.0) + audio_s
    return stall


def _overtakers(workload: Workload, run: Run, key: tuple[int, int]) -> int:
    """Sentences that were asked for later and made earlier."""
    asked = workload.dialogues[key[0]].wanted_at(key[1])
    before = run.order[: run.order.index(key)]
    return sum(1 for other in before if workload.dialogues[other[0]].wanted_at(other[1]) > asked)
