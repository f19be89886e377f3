"""A swap from a good model to a bad one, over real workers or fakes, with what must hold after any fault.

Three models: the floor, `good`, which serves and is the last good one, and `bad`, whose load or release goes
wrong. Beside the floor there is room for one.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Self

from alltalk_plugin.domain.cancel import CancelSource
from alltalk_plugin.domain.clock import SystemClock
from alltalk_plugin.domain.engines import EngineSpec, SynthesisRequest
from alltalk_plugin.domain.errors import AlltalkError
from alltalk_plugin.domain.models import (
    CPU,
    LeaseRequest,
    MemoryEstimate,
    ModelProfile,
    ModelRef,
    ModelState,
    OptionValue,
)
from alltalk_plugin.domain.ports import MemoryProbe, ModelLoader, SwapTicket
from alltalk_plugin.settings.store import SettingsStore
from alltalk_plugin.swap.effects import Kind
from alltalk_plugin.swap.memory import SystemMemory
from alltalk_plugin.swap.service import SwapService
from alltalk_plugin.workers.supervisor import WorkerLoader
from tests.engines.slow_spec import COLD, slow_environment
from tests.fakes.journal import MemoryJournal
from tests.fakes.loader import MB, FakeLoader, Script
from tests.fakes.memory import FakeMemory
from tests.fakes.waiting import until

GOOD, BAD, FLOOR = ModelRef("good"), ModelRef("bad"), ModelRef("floor")
REAL_LOAD_TIMEOUT_S = 2.5
"""A sound load takes 0.3 s here, and many times that when the machine is busy."""


class Rig:
    """The service with `good` loaded. `with` ends it; `check` asserts what every fault must leave."""

    def __init__(
        self,
        folder: Path,
        loader: ModelLoader,
        spec: EngineSpec,
        options: dict[str, OptionValue],
        memory: MemoryProbe,
        **swap: object,
    ) -> None:
        self.file = folder / "settings.yaml"
        lines = "".join(f"  {key}: {value}\n" for key, value in swap.items())
        self.file.write_text(f"speech: {{deadline_s: 77}}\nswap:\n{lines}", encoding="utf-8")
        self.store = SettingsStore(self.file)
        self._before = (_digest(self.file), self.store.current, self.store.hash())
        self.loader = loader
        self.journal = MemoryJournal()
        profiles = {
            FLOOR: ModelProfile(FLOOR, spec.name, pinned=True),
            GOOD: ModelProfile(GOOD, spec.name, options={"touch_mb": 20}),
            BAD: ModelProfile(BAD, spec.name, options={"touch_mb": 20, **options}),
        }
        self.service = SwapService(
            profiles=lambda: profiles,
            engines={spec.name: spec},
            loader=loader,
            journal=self.journal,
            memory=memory,
            clock=SystemClock(),
            settings=lambda: self.store.current.swap,
            settings_hash=self.store.hash,
            floor=FLOOR,
        )
        self._asked: list[Future[str]] = []
        self.service.start()
        began = time.perf_counter()
        self.speak(GOOD)
        until(lambda: self.state(FLOOR) is ModelState.READY)
        self.good_load_s = time.perf_counter() - began

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.service.close()
        if isinstance(self.loader, WorkerLoader):
            self.loader.close()

    def speak(
        self,
        ref: ModelRef,
        text: str = "word",
        *,
        timeout_s: float = 30.0,
        cancel: CancelSource | None = None,
    ) -> None:
        """Lease and say it."""
        cancel = cancel or CancelSource()
        request = LeaseRequest(model=ref, dialogue_id="d", timeout_s=timeout_s)
        with self.service.lease(request, cancel) as lease:
            list(lease.synthesize(SynthesisRequest(text=text), cancel))

    def asking(
        self,
        ref: ModelRef,
        text: str = "word",
        *,
        timeout_s: float = 30.0,
        cancel: CancelSource | None = None,
    ) -> Future[str]:
        """The same from a thread of its own: the code of its error, or 'ok'."""
        future: Future[str] = Future()

        def ask() -> None:
            try:
                self.speak(ref, text, timeout_s=timeout_s, cancel=cancel)
            except AlltalkError as error:
                future.set_result(error.code)
            except BaseException as error:  # noqa: BLE001  the test reads it from the future
                future.set_exception(error)
            else:
                future.set_result("ok")

        threading.Thread(target=ask, daemon=True).start()
        self._asked.append(future)
        return future

    def state(self, ref: ModelRef) -> ModelState:
        return next(line.state for line in self.service.snapshot() if line.ref == ref)

    def refused(self, call: Callable[[], object]) -> str:
        """The code of the error that `call` raises."""
        try:
            call()
        except AlltalkError as error:
            return error.code
        return "ok"

    def settled(self, ticket: SwapTicket) -> str:
        """The code of the error that a swap ended with."""
        ticket.wait(20.0)
        return ticket.error.code if ticket.error else "ok"

    def check(self) -> None:
        """L1, S3, S6."""
        began = time.perf_counter()
        until(lambda: self._good_again() or self._degraded())
        took = time.perf_counter() - began
        assert took < self.good_load_s + 1.0, (
            f"L1: no good model for {took:.2f} s, T is {self.good_load_s:.2f}"
        )
        answers = [future.result(20.0) for future in self._asked]  # S3: each ends, with 'ok' or a typed error
        assert all(answers)
        after = (_digest(self.file), self.store.current, self.store.hash())
        assert after == self._before, "S6: the settings have changed"
        assert {record.settings_hash for record in self.journal.records} == {self.store.hash()}

    def _good_again(self) -> bool:
        return ModelState.READY in (self.state(GOOD), self.state(BAD))

    def _degraded(self) -> bool:
        ends = (Kind.COMMIT, Kind.ROLLBACK, Kind.DEGRADED)
        last = [record.kind for record in self.journal.records if record.kind in ends][-1]
        return last == Kind.DEGRADED and self.state(FLOOR) is ModelState.READY


def real_rig(folder: Path, **options: OptionValue) -> Rig:
    """Over real workers with the slow engine."""
    loader = WorkerLoader(
        {COLD.name: COLD},
        clock=SystemClock(),
        environment_of=slow_environment,
        chunk_timeout_s=lambda: 1.0,
    )
    swap = {"budget_mb": "{cpu: 150}", "min_interval_s": 0, "load_timeout_s": REAL_LOAD_TIMEOUT_S}
    return Rig(folder, loader, COLD, options, SystemMemory(), **swap)


class FakeRig(Rig):
    """Over fakes. `look_error` is raised when somebody looks at the files of `bad`; `bad_mb` is its size."""

    def __init__(self, folder: Path, **swap: object) -> None:
        self.fakes = FakeLoader({FLOOR: Script(resident_bytes=10 * MB)})
        self.memory = FakeMemory(10_000 * MB)
        self.look_error: AlltalkError | None = None
        self.bad_mb = 100
        spec = EngineSpec(
            name="fake",
            entry="fake:engine",
            distributions=(),
            max_chars=100,
            estimate=self._estimate,
            revision=lambda _profile: "1",
            speaks=lambda _profile, _voice, _language: None,
            options=COLD.options,
        )
        settings = {"budget_mb": "{cpu: 150}", "min_interval_s": 0, "load_timeout_s": 10} | swap
        super().__init__(folder, self.fakes, spec, {}, self.memory, **settings)

    def _estimate(self, profile: ModelProfile) -> MemoryEstimate:
        if profile.ref == BAD and self.look_error is not None:
            raise self.look_error
        size = {FLOOR: 10, GOOD: 100, BAD: self.bad_mb}[profile.ref] * MB
        return MemoryEstimate(CPU, size, size)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
