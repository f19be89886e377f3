"""What the campaigns stand on: seeds that can be given again, a clock that can leap, a real service in
this process with real workers, and callers that never stop asking.

A seed is printed; `CAMPAIGN_SEED=n make campaign` makes the same choices again. Moments differ from run to
run all the same, because the processes are real.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import psutil

from alltalk_plugin.domain.cancel import CancelSource
from alltalk_plugin.domain.clock import SystemClock
from alltalk_plugin.domain.engines import EngineSpec, SynthesisRequest
from alltalk_plugin.domain.errors import AlltalkError
from alltalk_plugin.domain.models import LeaseRequest, ModelProfile, ModelRef, ModelState, SwapRecord
from alltalk_plugin.engines.specs import BUILT_IN
from alltalk_plugin.settings.schema import SwapSettings
from alltalk_plugin.swap.effects import Kind
from alltalk_plugin.swap.journal import SqliteJournal
from alltalk_plugin.swap.memory import SystemMemory
from alltalk_plugin.swap.service import SwapService
from alltalk_plugin.workers.supervisor import WorkerEnvironment, WorkerLoader
from tests.engines.slow_spec import SLOW, slow_environment

FLOOR = ModelRef("floor")
ENGINES = {spec.name: spec for spec in (SLOW, *BUILT_IN)}


def seeded(name: str) -> random.Random:
    """A source of choices; its seed goes to the terminal."""
    seed = int(os.environ.get("CAMPAIGN_SEED", "0")) or random.SystemRandom().randrange(1, 2**31)
    print(f"\n{name}: CAMPAIGN_SEED={seed}")
    return random.Random(seed)


def report(name: str, numbers: Mapping[str, object]) -> None:
    """Print what was measured, and add it to the file that CAMPAIGN_REPORT names."""
    line = json.dumps({"campaign": name, **numbers}, default=str)
    print(line)
    if path := os.environ.get("CAMPAIGN_REPORT"):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(line + "\n")


def spread(samples: Iterable[float]) -> dict[str, float]:
    ordered = sorted(samples)
    if not ordered:
        return {"n": 0}
    return {
        "n": len(ordered),
        "p50": round(statistics.median(ordered), 4),
        "p95": round(ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))], 4),
        "max": round(ordered[-1], 4),
    }


class LeapingClock(SystemClock):
    """Real time, plus leaps: what counts as 'again within a minute' need not take a minute."""

    def __init__(self) -> None:
        self._leapt_s = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self._leapt_s

    def leap(self, seconds: float) -> None:
        self._leapt_s += seconds


class RealRig:
    """A swap service over real workers and a real journal. `close` ends it."""

    def __init__(
        self,
        folder: Path,
        profiles: Iterable[ModelProfile],
        environment_of: Callable[[EngineSpec], WorkerEnvironment] = slow_environment,
        **settings: object,
    ) -> None:
        self.clock = LeapingClock()
        floor = ModelProfile(FLOOR, "espeak", pinned=True)
        self.profiles = {profile.ref: profile for profile in (floor, *profiles)}
        self.settings = SwapSettings.model_validate({"min_interval_s": 0, **settings})
        self.journal = SqliteJournal(folder / "journal.sqlite")
        self.loader = WorkerLoader(ENGINES, clock=self.clock, environment_of=environment_of)
        self.service = SwapService(
            profiles=lambda: self.profiles,
            engines=ENGINES,
            loader=self.loader,
            journal=self.journal,
            memory=SystemMemory(),
            clock=self.clock,
            settings=lambda: self.settings,
            settings_hash=lambda: "campaign",
            floor=FLOOR,
        )
        self.service.start()

    def speak(self, ref: ModelRef, text: str = "A short sentence.", timeout_s: float = 1e6) -> int:
        """How many samples came. Raises: AlltalkError."""
        cancel = CancelSource()
        request = LeaseRequest(model=ref, dialogue_id="campaign", timeout_s=timeout_s)
        with self.service.lease(request, cancel) as lease:
            chunks = list(lease.synthesize(SynthesisRequest(text=text), cancel))
        return sum(len(chunk.samples) for chunk in chunks)

    def ready(self) -> set[ModelRef]:
        return {line.ref for line in self.service.snapshot() if line.state is ModelState.READY}

    def good_serves(self, killed_pid: int) -> bool:
        """Whether the last good model is READY in another process than the one that was killed."""
        good = self.service._state.last_good
        return good in self.ready() and any(
            process._name == good and process.alive and process.pid != killed_pid
            for process in tuple(self.loader._processes)
        )

    def close(self) -> None:
        self.service.close()
        self.loader.close()
        self.journal.close()


def load_seconds(records: Iterable[SwapRecord]) -> dict[ModelRef, list[float]]:
    """T of each model, once per load: from the start of its process until it was verified.

    By the time of day, which does not leap.
    """
    begun: dict[ModelRef, float] = {}
    found: dict[ModelRef, list[float]] = {}
    for record in records:
        if record.model is None:
            continue
        if record.kind == Kind.LOAD_START:
            begun[record.model] = record.ts
        elif record.kind == Kind.VERIFY:
            found.setdefault(record.model, []).append(record.ts - begun[record.model])
    return found


class Callers:
    """Threads that lease and speak without a pause; every request's answer is counted."""

    def __init__(self, rig: RealRig, choices: random.Random, refs: list[ModelRef], *, count: int) -> None:
        self._rig = rig
        self._refs = refs
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self.asked = 0
        self.answers: Counter[str] = Counter()
        self.unforeseen: list[BaseException] = []
        self._threads = [
            threading.Thread(target=self._ask, args=(random.Random(choices.random()),), name=f"caller-{n}")
            for n in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ask no more. Raises: AssertionError when a request is never answered."""
        self._stop.set()
        for thread in self._threads:
            thread.join(90.0)
            assert not thread.is_alive(), "a request was never answered"

    def _ask(self, choices: random.Random) -> None:
        while not self._stop.is_set():
            ref = choices.choice(self._refs)
            with self._lock:
                self.asked += 1
            try:
                how = "ok" if self._rig.speak(ref, "Word " * choices.randint(1, 30)) else "no sound"
            except AlltalkError as error:
                how = error.code
            except Exception as error:  # noqa: BLE001  the campaign is to find it
                self.unforeseen.append(error)
                how = repr(error)
            with self._lock:
                self.answers[how] += 1
            if how != "ok":
                self._stop.wait(0.02)  # a refusal comes at once; a hundred thousand of them prove no more


def workers_of(process: psutil.Process) -> list[psutil.Process]:
    found = []
    for child in process.children(recursive=True):
        try:
            if any(part.endswith("child.py") for part in child.cmdline()):
                found.append(child)
        except psutil.Error:
            continue
    return found
