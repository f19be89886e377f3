"""Workers are killed at random points while requests never stop: none is lost, a good model comes back."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from alltalk_plugin.domain.errors import AlltalkError
from alltalk_plugin.domain.models import ModelProfile, ModelRef, ModelState
from alltalk_plugin.swap.states import ARRIVING
from tests.campaign.rig import FLOOR, Callers, RealRig, load_seconds, report, seeded, spread, workers_of
from tests.engines.slow_spec import slow_profile
from tests.fakes.waiting import until

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(1_800)]

KILLS = 200
LEAP_S = 61.0
"""Beyond the window in which a second crash counts as the model's own fault: each kill is a single fault."""
MODELS = [ModelRef("one"), ModelRef("two"), ModelRef("slow")]


def test_workers_killed_at_random_points_then_no_request_is_lost_and_a_good_model_serves(
    tmp_path: Path,
) -> None:
    choices = seeded("kills of workers")
    rig = RealRig(
        tmp_path,
        [
            ModelProfile(MODELS[0], "espeak", options={"voice": "en-us"}),
            ModelProfile(MODELS[1], "espeak", options={"voice": "de"}),
            slow_profile("slow", touch_mb=20, load_s=0.1),
        ],
        budget_mb={"cpu": 190},  # the floor, a spare, and one of the three
        drain_s=1e6,  # what waits must not be ended by a leap
        max_wait_s=1e6,
        load_timeout_s=1e6,
    )
    try:
        _run(rig, choices)
    finally:
        rig.close()
    assert workers_of(psutil.Process()) == []


def _run(rig: RealRig, choices: random.Random) -> None:
    for ref in (FLOOR, *MODELS):
        rig.speak(ref)
    pace = threading.Event()
    callers = Callers(rig, choices, [FLOOR, *MODELS], count=3)
    recovered: list[float] = []
    slowest = ""
    moments: Counter[str] = Counter()
    for number in range(KILLS):
        pace.wait(choices.uniform(0.0, 0.4))
        states = {line.ref: line.state for line in rig.service.snapshot()}
        moments[_moment(set(states.values()))] += 1
        began = time.perf_counter()
        killed = _kill_one(choices)
        while not rig.good_serves(killed) and time.perf_counter() - began < 60.0:
            pace.wait(0.002)
        took = time.perf_counter() - began
        if took > max(recovered, default=0.0):
            slowest = f"kill {number}: {states}"
        recovered.append(took)
        rig.clock.leap(LEAP_S)
        rig.service.tick()
    callers.stop()
    rig.clock.leap(rig.settings.retry_max_s)
    afterwards = {ref: _speaks(rig, ref) for ref in (FLOOR, *MODELS)}
    loads = load_seconds(rig.journal.since(0))
    limit = max(spread(loads[ref])["p95"] for ref in MODELS) + 1.0
    report(
        "200 kills of workers",
        {
            "asked": callers.asked,
            "answers": dict(callers.answers),
            "good model serves again, s": spread(recovered),
            "over the limit": sum(took > limit for took in recovered),
            "limit, s": limit,
            "slowest": slowest,
            "killed while": dict(moments),
            "T, s": {ref: spread(samples) for ref, samples in loads.items()},
        },
    )
    assert callers.unforeseen == []
    assert sum(callers.answers.values()) == callers.asked, "a request has no answer"
    assert callers.answers["no sound"] == 0
    assert afterwards == dict.fromkeys(afterwards, True)
    assert max(recovered) <= limit, slowest


def _kill_one(choices: random.Random) -> int:
    """End one worker at once: a model's, one that loads or leaves, or a spare, as soon as there is one."""
    me = psutil.Process()
    while True:
        until(lambda: bool(workers_of(me)))
        if not (workers := workers_of(me)):
            continue
        worker = choices.choice(workers)
        with suppress(psutil.NoSuchProcess):
            worker.kill()
            return worker.pid


def _speaks(rig: RealRig, ref: ModelRef) -> bool:
    try:
        return rig.speak(ref) > 0
    except AlltalkError as error:
        print(ref, error.code, error.message)
        return False


def _moment(states: set[ModelState]) -> str:
    if states & ARRIVING:
        return "a model loads"
    if states & {ModelState.DRAINING, ModelState.UNLOADING}:
        return "a model leaves"
    return "all is still"
