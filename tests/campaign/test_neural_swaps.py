"""A hundred switches between all real engines: the memory comes back, and what was promised of it held."""

from __future__ import annotations

import statistics
import threading
import time
from pathlib import Path

import psutil
import pytest

from alltalk_plugin.domain.models import ModelProfile, ModelRef, SwapOutcome
from tests.campaign.rig import FLOOR, RealRig, report, spread, workers_of
from tests.checkpoints import coqui_models, write
from tests.checkpoints.piper import piper_voices
from tests.fakes.waiting import until
from tests.memory import most_own_bytes
from tests.neural import environment_of

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(3_600)]

SWAPS = 100
MEMORY_SHARE = 0.02
"""How far from the baseline the memory may be after each unload."""
PEAK_SHARE = 0.15
"""How far above the measured peak the prediction may lie after a warm-up, for the kinds named below."""
TIGHT = ("vits", "vits_languages", "tacotron2_melgan")
"""Not the Piper voices, of 2 kB: nearly all is the worker's, and room for what minutes of speech leave."""
LONGEST = f"{' and '.join(['nine of them went for a long walk'] * 6)[:190]}."
"""A sentence as long as they come: what the estimates are for."""
WARM_LOADS = 5
ETA_ERROR = 0.30
_SETTLED_BYTES = 2_000_000


@pytest.fixture(scope="module")
def profiles(tmp_path_factory: pytest.TempPathFactory) -> list[ModelProfile]:
    folder = tmp_path_factory.mktemp("models")
    coqui = dict(coqui_models(folder / "coqui", ("vits", "vits_languages", "tacotron2_melgan")))
    write("write_xtts.py", "coqui", folder)
    coqui["xtts"] = folder / "xtts"
    (folder / "piper").mkdir()
    piper = piper_voices(folder / "piper")
    return [
        *(ModelProfile(ModelRef(name), "coqui", path=path) for name, path in coqui.items()),
        ModelProfile(ModelRef("piper"), "piper", path=piper["single"]),
        ModelProfile(ModelRef("piper_speakers"), "piper", path=piper["speakers"]),
    ]


def test_a_hundred_swaps_return_the_memory_and_keep_the_predictions(
    tmp_path: Path, profiles: list[ModelProfile]
) -> None:
    rig = RealRig(
        tmp_path,
        profiles,
        environment_of=environment_of,
        budget_mb={"cpu": 6_000},
        margin_share=0,
    )
    me = psutil.Process()
    rig.speak(FLOOR)
    for (
        profile
    ) in profiles:  # what the service itself keeps of each engine and model comes with its first load
        _swap_and_leave(rig, profile.ref)
    baseline = _settled(rig, me)
    apart: list[float] = []
    errors: dict[str, list[float]] = {}
    predicted: dict[str, list[float]] = {}
    measured: dict[str, list[float]] = {}
    took: list[float] = []
    for number in range(SWAPS):
        ref = profiles[number % len(profiles)].ref
        plan = rig.service.swap(ref, dry_run=True).plan
        assert plan is not None
        began = time.perf_counter()
        peak = _swap_and_leave(rig, ref)
        seconds = time.perf_counter() - began
        took.append(seconds)
        if number >= WARM_LOADS * len(profiles):
            assert plan.eta_s is not None
            loaded = _load_s(rig, ref)
            errors.setdefault(ref, []).append(abs(plan.eta_s - loaded) / loaded)
            predicted.setdefault(ref, []).append(plan.need_bytes / 1e6)
            measured.setdefault(ref, []).append(peak / 1e6)
        apart.append((_settled(rig, me) - baseline) / baseline)
    report(
        "100 swaps between all engines",
        {
            "baseline, MB": round(baseline / 1e6, 1),
            "memory after a swap, share off the baseline": spread([abs(one) for one in apart]),
            "swap with its unload, s": spread(took),
            "error of the predicted time, median by model": {
                name: round(statistics.median(each), 3) for name, each in errors.items()
            },
            "predicted over measured peak, median by model": {
                name: round(statistics.median(predicted[name]) / max(measured[name]), 3) for name in predicted
            },
        },
    )
    rig.close()
    assert workers_of(me) == []
    assert max(map(abs, apart)) <= MEMORY_SHARE
    assert statistics.median(one for each in errors.values() for one in each) <= ETA_ERROR
    for name, peaks in measured.items():
        assert min(predicted[name]) >= max(peaks), f"{name} took more than was promised"
        if name in TIGHT:
            assert statistics.median(predicted[name]) <= (1 + PEAK_SHARE) * max(peaks), name


def _swap_and_leave(rig: RealRig, ref: ModelRef) -> int:
    """Switch, speak, unload; the most that the model's worker held of its own."""
    ticket = rig.service.swap(ref)
    assert ticket.wait(120.0) is SwapOutcome.COMMITTED, ticket.error
    pid = next(process.pid for process in rig.loader._processes if process._name == ref and process.alive)
    loading_bytes = most_own_bytes(pid)
    for text in [LONGEST] * 3 if ref in TIGHT else ["Nine of them, and a short walk."]:
        assert rig.speak(ref, text) > 0
    speaking_bytes = most_own_bytes(pid)
    rig.service.unload(ref)
    until(lambda: not psutil.pid_exists(pid))
    return max(loading_bytes, speaking_bytes)


def _settled(rig: RealRig, me: psutil.Process) -> int:
    """All memory of the service and its workers, spares apart, once it has not moved for a second.

    A spare is always there and belongs to no model; how much it holds depends on how far its imports are.
    """
    last, still = 0, 0
    for _ in range(600):
        spares = {process.pid for process in rig.loader._spares._waiting.values()}
        others = [process for process in workers_of(me) if process.pid not in spares]
        now = sum(map(_resident, (me, *others)))
        still = still + 1 if abs(now - last) < _SETTLED_BYTES else 0
        if still >= 10:
            return now
        last = now
        threading.Event().wait(0.1)
    raise AssertionError("the memory never came to rest")


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def _load_s(rig: RealRig, ref: ModelRef) -> float:
    """How long the latest load of the model took, verified."""
    return rig.service._state.learned[ref].load_s[-1]
