"""What a switch costs on real workers, against the same work without us.

The engine is tests/engines/slow.py: a busy import and 60 MB for it, a load that touches 300 MB and keeps a
core busy for a second. It stands for a neural engine; nothing in it sleeps.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial

from alltalk_plugin.domain.cancel import CancelSource
from alltalk_plugin.domain.errors import AlltalkError
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.models import (
    LeaseRequest,
    ModelProfile,
    ModelRef,
    OptionValue,
    SwapMode,
    SwapOutcome,
    SwapRecord,
)
from alltalk_plugin.swap.effects import Kind
from alltalk_plugin.workers.priority import LOADING_NICENESS
from alltalk_plugin.workers.verification import UTTERANCES
from bench.report import Table
from bench.swap.rig import FLOOR, Rig, running
from tests.engines.slow_spec import SLOW_FOLDER

ROUNDS = 10
LOAD_S = 1.0
TOUCH_MB = 300
IMPORT_S = 1.0
IMPORT_MB = 60
ONE, TWO, BAD = ModelRef("one"), ModelRef("two"), ModelRef("bad")
THREE, FOUR = ModelRef("three"), ModelRef("four")

_IN_PROCESS = """
import os, sys, time
os.nice({niceness})
sys.path[:0] = {paths!r}
import slow
from alltalk_plugin.domain.engines import LoadRequest, SynthesisRequest
from alltalk_plugin.domain.models import CPU
class Never: cancelled = False
def loaded():
    engine = slow.create(LoadRequest(model="m", path=None, device=CPU, options={options!r}))
    list(engine.synthesize(SynthesisRequest(text={text!r}), Never()))
    return engine
loaded().close()  # a switch has given back the same memory just before
began = time.perf_counter()
loaded()
print((time.perf_counter() - began) * 1000)
"""


def measure() -> Table:
    """Rows in milliseconds, shares without a unit."""
    os.environ["SLOW_ENGINE_IMPORT_S"] = str(IMPORT_S)
    os.environ["SLOW_ENGINE_IMPORT_MB"] = str(IMPORT_MB)
    options: dict[str, OptionValue] = {"load_s": LOAD_S, "touch_mb": TOUCH_MB, "import_mb": IMPORT_MB}
    slow = [_profile(ref, options) for ref in (ONE, TWO)]
    cold = [_profile(ref, options, engine="slow_cold") for ref in (THREE, FOUR)]
    bad = _profile(BAD, options | {"fault": "load_corrupt"})
    table: dict[str, list[float]] = {}
    with running(*slow, *cold, bad, budget_mb=700) as rig:
        _switch(rig, table, options)
        _rollback(rig, table)
    espeak = [ModelProfile(ref, "espeak", options={"voice": "en-us"}) for ref in (ONE, TWO)]
    with running(*espeak, budget_mb=125) as rig:
        _own_share(rig, table)
    with running(*slow, budget_mb=700) as rig:
        _beside_a_load(rig, table)
    with running(budget_mb=100) as rig:
        _lease_path(rig, table)
    return table


def _profile(ref: ModelRef, options: dict[str, OptionValue], engine: str = "slow") -> ModelProfile:
    return ModelProfile(ref, engine, options=options)


def _switch(rig: Rig, table: dict[str, list[float]], options: dict[str, OptionValue]) -> None:
    """Alternating: ours with a warm spare, and a process that has imported the engine and loads it itself."""
    ours = table["switch with a warm spare, request to READY, ms"] = []
    theirs = table["load and one synthesis in a process of its own, ms"] = []
    low = table["the same at a loading worker's priority, ms"] = []
    ratio = table["switch / load in process"] = []
    alike = table["switch / load in process at the same priority"] = []
    imports = rig.imports()
    switched(rig, ONE)
    for number in range(ROUNDS):
        rig.until_spare_imported(imports + 1)
        imports = rig.imports()
        ours.append(timed_ms(partial(switched, rig, (TWO, ONE)[number % 2])))
        rig.until_spare_imported(imports)
        theirs.append(_in_process(options))
        low.append(_in_process(options, niceness=LOADING_NICENESS))
        ratio.append(ours[-1] / theirs[-1])
        alike.append(ours[-1] / low[-1])


def switched(rig: Rig, target: ModelRef, mode: SwapMode = SwapMode.AUTO) -> None:
    """A swap from the request to READY; ends the measurement when it fails."""
    ticket = rig.service.swap(target, mode=mode)
    if ticket.wait(60.0) is not SwapOutcome.COMMITTED:
        raise SystemExit(f"the switch failed: {ticket.error}")


def _in_process(options: dict[str, OptionValue], niceness: int = 0) -> float:
    code = _IN_PROCESS.format(
        paths=[str(SLOW_FOLDER), *sys.path],
        options=options,
        text=UTTERANCES[LanguageTag("en")],
        niceness=niceness,
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout)


def _rollback(rig: Rig, table: dict[str, list[float]]) -> None:
    """From the failure of a load until the last good model is verified again.

    Neither has a spare, as after a fault nobody can count on one.
    """
    back = table["rollback, failure to good model READY, ms"] = []
    whole = table["T(good): switch without a spare, ms"] = []
    over = table["rollback less T(good), ms"] = []
    for _ in range(5):
        switched(rig, THREE)
        whole.append(timed_ms(partial(switched, rig, FOUR)))
        before = rig.journal.since(0)[-1].seq
        rig.service.swap(BAD, force=True).wait(60.0)
        records = rig.journal.since(before)
        back.append((_at(records, Kind.ROLLBACK) - _at(records, Kind.LOAD_FAILED)) * 1000)
        over.append(back[-1] - whole[-1])


def _at(records: tuple[SwapRecord, ...], kind: Kind) -> float:
    return next(record.mono for record in records if record.kind == kind)


def _own_share(rig: Rig, table: dict[str, list[float]]) -> None:
    """What is left of a switch when the worker's own phases are taken out."""
    share = table["the service's own share of a switch, ms"] = []
    for number in range(40):
        before = rig.journal.since(0)[-1].seq
        total = timed_ms(partial(switched, rig, (ONE, TWO)[number % 2]))
        phases = (Kind.FREED, Kind.LOAD_OK, Kind.VERIFY)
        spent = sum(record.dur_ms or 0.0 for record in rig.journal.since(before) if record.kind in phases)
        share.append(total - spent)


def _beside_a_load(rig: Rig, table: dict[str, list[float]]) -> None:
    """Another model's p95, alone and while a model loads; five rounds of each, alternating."""
    alone = table["another model's p95, alone, ms"] = []
    beside = table["another model's p95, while a model loads, ms"] = []
    ratio = table["p95 beside a load / alone"] = []
    for number in range(5):
        alone.append(_p95([timed_ms(lambda: rig.speak(FLOOR)) for _ in range(100)]))
        ticket = rig.service.swap((ONE, TWO)[number % 2])
        samples = []
        while ticket.outcome is None:
            samples.append(timed_ms(lambda: rig.speak(FLOOR)))
        beside.append(_p95(samples))
        ratio.append(beside[-1] / alone[-1])
        threading.Event().wait(IMPORT_S + 0.5)  # the next spare imports


def _lease_path(rig: Rig, table: dict[str, list[float]]) -> None:
    cancel = CancelSource()
    request = LeaseRequest(model=FLOOR, dialogue_id="bench")

    def lease() -> None:
        with rig.service.lease(request, cancel):
            pass

    for _ in range(100):
        lease()
    table["lease of a READY model, ms"] = [timed_ms(lease) for _ in range(3_000)]


def timed_ms(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    try:
        work()
    except AlltalkError as error:
        raise SystemExit(f"the measurement failed: {error.code} {error.message}") from error
    return (time.perf_counter() - began) * 1000


def _p95(samples: list[float]) -> float:
    return statistics.quantiles(samples, n=20)[-1]
