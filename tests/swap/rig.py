"""A running swap service over fakes, and work in the background."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from alltalk_plugin.domain.cancel import CancelSource
from alltalk_plugin.domain.clock import SystemClock
from alltalk_plugin.domain.engines import EngineSpec, SynthesisRequest
from alltalk_plugin.domain.models import (
    CPU,
    LeaseRequest,
    MemoryEstimate,
    ModelKey,
    ModelProfile,
    ModelRef,
    ModelState,
    SwapRecord,
)
from alltalk_plugin.domain.ports import Clock, Journal
from alltalk_plugin.settings.schema import SwapSettings
from alltalk_plugin.swap.service import SwapService
from tests.fakes.journal import MemoryJournal
from tests.fakes.loader import MB, FakeLoader, Script
from tests.fakes.memory import FakeMemory
from tests.swap.world import EXACT

T = TypeVar("T")
WAIT_S = 10.0
SIZE = 100 * MB
FLOOR_SIZE = 10 * MB


class Rig:
    """A running service over fakes: models a, b, c of 100 MB, a floor of 10 MB."""

    def __init__(
        self,
        journal: Journal | None = None,
        clock: Clock | None = None,
        loader: FakeLoader | None = None,
        *,
        faulty_observer: bool = False,
        **settings: object,
    ) -> None:
        self.loader = loader or FakeLoader({"floor": Script(resident_bytes=FLOOR_SIZE)})
        self.journal = journal or MemoryJournal()
        self.memory = FakeMemory(10_000 * MB)
        self.observed: list[SwapRecord] = []
        self.revisions = {"a": "1", "b": "1", "c": "1", "floor": "1", "huge": "1"}
        defaults: dict[str, object] = {"budget_mb": {"cpu": 150}, "min_interval_s": 0, **EXACT}
        self.settings = SwapSettings.model_validate(defaults | settings)
        self.profiles = {
            ModelRef(ref): ModelProfile(ref=ModelRef(ref), engine="fake") for ref in self.revisions
        }
        sizes = {"floor": FLOOR_SIZE, "huge": 900 * MB}
        spec = EngineSpec(
            name="fake",
            entry="fake:engine",
            distributions=(),
            max_chars=100,
            estimate=lambda profile: MemoryEstimate(
                CPU, sizes.get(profile.ref, SIZE), sizes.get(profile.ref, SIZE)
            ),
            revision=lambda profile: self.revisions[profile.ref],
            speaks=lambda profile, voice, language: None,
        )
        self.service = SwapService(
            profiles=lambda: self.profiles,
            engines={"fake": spec},
            loader=self.loader,
            journal=self.journal,
            memory=self.memory,
            clock=clock or SystemClock(),
            settings=lambda: self.settings,
            settings_hash=lambda: "hash",
            floor=ModelRef("floor"),
            observers=(self.observed.append, self._faulty) if faulty_observer else (self.observed.append,),
        )

    def _faulty(self, record: SwapRecord) -> None:
        raise ValueError("an observer of a plugin")

    def speak(self, ref: str, *, timeout_s: float = 30.0, cancel: CancelSource | None = None) -> ModelKey:
        """Lease, say a word, give back."""
        cancel = cancel or CancelSource()
        with self.service.lease(wish(ref, timeout_s), cancel) as lease:
            list(lease.synthesize(SynthesisRequest(text="word"), cancel))
            return lease.key

    def state(self, ref: str) -> ModelState:
        return next(line.state for line in self.service.snapshot() if line.ref == ref)

    def kinds(self, ref: str) -> list[str]:
        return [str(record.kind) for record in self.journal.since(0) if record.model == ref]


def wish(ref: str, timeout_s: float = 30.0) -> LeaseRequest:
    return LeaseRequest(model=ModelRef(ref), dialogue_id="d", timeout_s=timeout_s)


def background(work: Callable[[], T]) -> Future[T]:
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001  the test reads it from the future
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future
