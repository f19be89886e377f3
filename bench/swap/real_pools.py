"""W1 and W2 on real workers: three replies each, one slot; naive and collate pool the same workers."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from alltalk_plugin.domain.cancel import CancelSource
from alltalk_plugin.domain.engines import EngineSpec, SynthesisRequest
from alltalk_plugin.domain.models import LeaseRequest, ModelKey, ModelProfile, ModelRef
from alltalk_plugin.domain.ports import LoadedModel
from alltalk_plugin.speech.plan import next_batch
from alltalk_plugin.workers.priority import restore
from alltalk_plugin.workers.supervisor import WorkerEnvironment
from bench.swap.baselines import Waiting, in_order, resident_first
from bench.swap.ours import planned
from bench.swap.results import Run
from bench.swap.rig import Rig, running
from bench.swap.workloads import APART_S, W1, W2, Dialogue, Workload
from tests.engines.slow_spec import slow_environment, slow_profile

REPLIES = 3
LOOK_AHEAD = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Models to play the voices of a workload, `scale` times as fast as on the virtual clock.

    `budget_mb` has room for the floor, a spare and one model. `text` is a sentence of them.
    """

    scale: float
    budget_mb: int
    text: str
    profiles: Callable[[Sequence[str]], list[ModelProfile]]
    environment_of: Callable[[EngineSpec], WorkerEnvironment] = slow_environment


def slow() -> Cast:
    """A load takes 0.4 s of work besides its process's start, a sentence 0.075 s."""
    os.environ["SLOW_ENGINE_IMPORT_S"] = "0.1"
    os.environ["SLOW_ENGINE_IMPORT_MB"] = "0"
    return Cast(
        scale=10,
        budget_mb=200,
        text="a few words",
        profiles=lambda voices: [
            slow_profile(voice, load_s=0.4, speak_s=0.075, touch_mb=20) for voice in voices
        ],
    )


def workloads() -> tuple[Workload, ...]:
    return tuple(replace(each, dialogues=each.dialogues[:REPLIES]) for each in (W1, W2))


def measure(workload: Workload, cast: Cast) -> dict[str, Run]:
    """One run of each policy; times as on the virtual clock, that is, multiplied by the cast's scale."""
    voices = sorted({voice for dialogue in workload.dialogues for voice in dialogue.voices})
    found: dict[str, Run] = {}
    for name, serve in (
        ("naive", partial(_pool, choose=in_order)),
        ("collate", partial(_pool, choose=resident_first)),
        ("ours", _ours),
    ):
        profiles = cast.profiles(voices)
        with running(*profiles, budget_mb=cast.budget_mb, environment_of=cast.environment_of) as rig:
            found[name] = _served(rig, workload, cast, serve)
    return found


def _served(rig: Rig, workload: Workload, cast: Cast, serve: Callable[..., Any]) -> Run:
    run = Run()
    for number, dialogue in enumerate(workload.dialogues):
        began = time.perf_counter()

        def spoken(
            index: int, number: int = number, dialogue: Dialogue = dialogue, began: float = began
        ) -> None:
            run.order.append((number, index))
            run.done[number, index] = dialogue.at + (time.perf_counter() - began) * cast.scale

        serve(rig, run, dialogue, spoken, cast=cast)
    return run


_resident: dict[int, LoadedModel] = {}
"""What a baseline's one slot holds, by the identity of its loader."""


def _pool(
    rig: Rig,
    run: Run,
    dialogue: Dialogue,
    spoken: Callable[[int], None],
    *,
    cast: Cast,
    choose: Callable[[Sequence[Waiting], Sequence[str]], Waiting],
) -> None:
    """A pool with one slot over the same loader: unload, load, speak; nothing is verified."""
    slot = id(rig.loader)
    waiting = [(APART_S * index, 0, index, voice) for index, voice in enumerate(dialogue.voices)]
    began = time.perf_counter()
    while waiting:
        now = (time.perf_counter() - began) * cast.scale
        here = [item for item in waiting if item[0] <= now]
        if not here:
            continue  # a quarter of a second apart, divided by the scale
        resident = _resident.get(slot)
        item = choose(here, [resident.key.model] if resident is not None else [])
        waiting.remove(item)
        if resident is None or resident.key.model != item[3]:
            if resident is not None:
                resident.unload()
            run.loads += 1
            profile = rig.profiles[ModelRef(item[3])]
            model = rig.loader.load(
                profile, ModelKey(profile.engine, profile.ref, "1"), CancelSource(), lambda _error: None
            )
            restore(model.pid)  # ours gets this with its verification
            resident = _resident[slot] = model
        list(resident.synthesize(SynthesisRequest(text=cast.text), CancelSource()))
        spoken(item[2])


def _ours(rig: Rig, run: Run, dialogue: Dialogue, spoken: Callable[[int], None], *, cast: Cast) -> None:
    pending = [planned(index, voice) for index, voice in enumerate(dialogue.voices)]
    cancel = CancelSource()
    before = rig.journal.since(0)[-1].seq
    while pending:
        models = {item.model for item in pending}
        batch = next_batch(
            pending, fit_together=rig.service.fit_together(tuple(models)), look_ahead=LOOK_AHEAD
        )
        request = LeaseRequest(model=batch.model, dialogue_id="bench", upcoming=batch.upcoming)
        with rig.service.lease(request, cancel) as lease:
            for item in batch.items:
                list(lease.synthesize(SynthesisRequest(text=cast.text), cancel))
                pending.remove(item)
                spoken(item.index)
    run.loads += sum(1 for record in rig.journal.since(before) if record.kind == "load_start")
