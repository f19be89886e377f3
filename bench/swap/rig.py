"""The service over real workers with the engine that costs something (tests/engines/slow.py)."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from alltalk_plugin.domain.cancel import CancelSource
from alltalk_plugin.domain.clock import SystemClock
from alltalk_plugin.domain.engines import EngineSpec, SynthesisRequest
from alltalk_plugin.domain.models import LeaseRequest, ModelProfile, ModelRef, ModelState
from alltalk_plugin.engines.specs import BUILT_IN
from alltalk_plugin.settings.schema import SwapSettings
from alltalk_plugin.swap.journal import SqliteJournal
from alltalk_plugin.swap.memory import SystemMemory
from alltalk_plugin.swap.service import SwapService
from alltalk_plugin.workers.supervisor import WorkerEnvironment, WorkerLoader
from tests.engines.slow_spec import COLD, SLOW, slow_environment

FLOOR = ModelRef("floor")
ENGINES = {spec.name: spec for spec in (SLOW, COLD, *BUILT_IN)}
PATIENCE_S = 60.0


class Rig:
    """A running service; `close` ends it."""

    def __init__(
        self,
        folder: Path,
        profiles: Iterable[ModelProfile],
        budget_mb: int,
        environment_of: Callable[[EngineSpec], WorkerEnvironment],
    ) -> None:
        floor = ModelProfile(FLOOR, "espeak", pinned=True)
        self.profiles = {profile.ref: profile for profile in (floor, *profiles)}
        settings = SwapSettings(budget_mb={"cpu": budget_mb}, min_interval_s=0.0)
        self.imported = folder / "imported"
        self.imported.mkdir()
        os.environ["SLOW_ENGINE_IMPORTED"] = str(self.imported)
        self.journal = SqliteJournal(folder / "journal.sqlite")
        self.loader = WorkerLoader(ENGINES, clock=SystemClock(), environment_of=environment_of)
        self.service = SwapService(
            profiles=lambda: self.profiles,
            engines=ENGINES,
            loader=self.loader,
            journal=self.journal,
            memory=SystemMemory(),
            clock=SystemClock(),
            settings=lambda: settings,
            settings_hash=lambda: "bench",
            floor=FLOOR,
        )
        self.service.start()
        self.until(lambda: FLOOR in self.ready())

    def speak(self, ref: ModelRef, text: str = "A short sentence, as they are in chats.") -> None:
        cancel = CancelSource()
        request = LeaseRequest(model=ref, dialogue_id="bench", timeout_s=PATIENCE_S)
        with self.service.lease(request, cancel) as lease:
            for _chunk in lease.synthesize(SynthesisRequest(text=text), cancel):
                pass

    def ready(self) -> set[ModelRef]:
        return {line.ref for line in self.service.snapshot() if line.state is ModelState.READY}

    def until(self, happened: Callable[[], bool]) -> None:
        """Wait for what another process does."""
        never = threading.Event()
        for _ in range(int(PATIENCE_S / 0.002)):
            if happened():
                return
            never.wait(0.002)
        raise SystemExit("it did not happen")

    def until_spare_imported(self, imports: int) -> None:
        """Wait for the spare of the load that was the `imports`-th of the engine."""
        self.until(lambda: len(list(self.imported.iterdir())) > imports)

    def imports(self) -> int:
        return len(list(self.imported.iterdir()))

    def close(self) -> None:
        self.service.close()
        self.loader.close()
        self.journal.close()


@contextmanager
def running(
    *profiles: ModelProfile,
    budget_mb: int,
    environment_of: Callable[[EngineSpec], WorkerEnvironment] = slow_environment,
) -> Iterator[Rig]:
    with tempfile.TemporaryDirectory() as folder:
        rig = Rig(Path(folder), profiles, budget_mb, environment_of)
        try:
            yield rig
        finally:
            rig.close()
