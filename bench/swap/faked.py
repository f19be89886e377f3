"""What the service itself costs: its workers are fakes that do nothing."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from alltalk_plugin.domain.cancel import CancelSource
from alltalk_plugin.domain.clock import SystemClock
from alltalk_plugin.domain.engines import EngineSpec, SynthesisRequest
from alltalk_plugin.domain.models import CPU, LeaseRequest, MemoryEstimate, ModelProfile, ModelRef
from alltalk_plugin.settings.schema import SwapSettings
from alltalk_plugin.swap.service import SwapService
from bench.report import Table
from tests.fakes.journal import MemoryJournal
from tests.fakes.loader import MB, FakeLoader, Gate
from tests.fakes.memory import FakeMemory

FLOOR, OTHER = ModelRef("floor"), ModelRef("other")
SENTENCE = "She put the lamp on the sill, where anyone who came up from the river would see it."
SENTENCES = 1_500
ROUNDS = 5

SPEC = EngineSpec(
    name="fake",
    entry="fake:engine",
    distributions=(),
    max_chars=100,
    estimate=lambda _profile: MemoryEstimate(CPU, 10 * MB, 10 * MB),
    revision=lambda _profile: "1",
    speaks=lambda _profile, _voice, _language: None,
)


def measure() -> Table:
    """Rows in milliseconds, shares without a unit."""
    loader = FakeLoader()
    settings = SwapSettings(budget_mb={"cpu": 1_000}, min_interval_s=0.0)
    profiles = {ref: ModelProfile(ref, "fake") for ref in (FLOOR, OTHER)}
    service = SwapService(
        profiles=lambda: profiles,
        engines={"fake": SPEC},
        loader=loader,
        journal=MemoryJournal(),
        memory=FakeMemory(10_000 * MB),
        clock=SystemClock(),
        settings=lambda: settings,
        settings_hash=lambda: "bench",
        floor=FLOOR,
    )
    service.start()
    cancel = CancelSource()
    request = LeaseRequest(model=FLOOR, dialogue_id="bench")

    def lease() -> None:
        with service.lease(request, cancel):
            pass

    def speak() -> None:
        with service.lease(request, cancel) as held:
            list(held.synthesize(SynthesisRequest(text=SENTENCE), cancel))

    speak()
    table: dict[str, list[float]] = {"lease of a READY model, ms": [_timed(lease) for _ in range(3_000)]}
    alone = table["another model's p95, alone, ms"] = []
    beside = table["another model's p95, while a model loads, ms"] = []
    table["p95 beside a load / alone"] = ratio = []
    for _ in range(ROUNDS):
        alone.append(_p95([_timed(speak) for _ in range(SENTENCES)]))
        gate = loader.script("other").load_gate = Gate()
        ticket = service.swap(OTHER)
        gate.wait_reached()
        beside.append(_p95([_timed(speak) for _ in range(SENTENCES)]))
        gate.open()
        ticket.wait(10.0)
        service.unload(OTHER)
        ratio.append(beside[-1] / alone[-1])
    service.close()
    return table


def _timed(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def _p95(samples: list[float]) -> float:
    return statistics.quantiles(samples, n=20)[-1]
