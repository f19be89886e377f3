"""Policies of others, as pool simulators: one sentence at a time, in slots.

| policy | who goes next | slots |
| --- | --- | --- |
| naive (AllTalk) | order of arrival | 1 |
| collate (llama-swap) | whoever wants the resident model, then order of arrival | 1 |
| LRU-2 FIFO (Ollama, Ray's multiplexing) | order of arrival; the least recently used leaves | 2 |
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bench.swap.results import Run
from bench.swap.workloads import LOAD_S, SYNTHESIS_S, Workload

Waiting = tuple[float, int, int, str]
"""Arrival, dialogue, index, voice."""


def in_order(waiting: Sequence[Waiting], _resident: Sequence[str]) -> Waiting:
    return waiting[0]


def resident_first(waiting: Sequence[Waiting], resident: Sequence[str]) -> Waiting:
    return next((item for item in waiting if item[3] in resident), waiting[0])


def simulate(
    workload: Workload, *, slots: int, choose: Callable[[Sequence[Waiting], Sequence[str]], Waiting]
) -> Run:
    """Serve the workload; `choose` picks from what waits, oldest first."""
    coming = sorted(
        (dialogue.wanted_at(index), number, index, voice)
        for number, dialogue in enumerate(workload.dialogues)
        for index, voice in enumerate(dialogue.voices)
    )
    run = Run(peak_slots=slots)
    resident: list[str] = []  # least recently used first
    now, waiting = 0.0, list[Waiting]()
    while coming or waiting:
        now = max(now, coming[0][0]) if not waiting else now
        while coming and coming[0][0] <= now:
            waiting.append(coming.pop(0))
        item = choose(waiting, resident)
        waiting.remove(item)
        _, number, index, voice = item
        if voice in resident:
            resident.remove(voice)
        else:
            run.loads += 1
            now += LOAD_S
            del resident[: max(0, len(resident) - slots + 1)]
        resident.append(voice)
        run.order.append((number, index))
        now += SYNTHESIS_S
        run.done[number, index] = now
    return run


def naive(workload: Workload) -> Run:
    return simulate(workload, slots=1, choose=in_order)


def collate(workload: Workload) -> Run:
    return simulate(workload, slots=1, choose=resident_first)


def lru_two(workload: Workload) -> Run:
    return simulate(workload, slots=2, choose=in_order)
