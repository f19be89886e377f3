from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from alltalk_plugin.domain.cancel import CancelSource
from alltalk_plugin.domain.clock import SystemClock
from alltalk_plugin.domain.errors import ModelCorrupt, ModelIncompatible, SelfTestFailed
from alltalk_plugin.domain.models import CPU, ModelKey, OptionValue
from alltalk_plugin.workers.model import WorkerModel
from alltalk_plugin.workers.priority import LOADING_NICENESS, may_restore
from alltalk_plugin.workers.supervisor import WorkerLoader
from tests.engines.slow_spec import COLD, MB, SLOW, slow_environment, slow_profile
from tests.fakes.waiting import until
from tests.workers.rude_spec import Deaths, worker_processes

pytestmark = pytest.mark.slow

BROKEN = replace(SLOW, name="broken", entry="nonesuch:create")
HEAVY = replace(SLOW, name="heavy", spare_bytes=500 * MB)
Loads = Callable[..., WorkerModel]


@pytest.fixture
def loader() -> Iterator[WorkerLoader]:
    specs = {spec.name: spec for spec in (SLOW, COLD, BROKEN, HEAVY)}
    made = WorkerLoader(specs, clock=SystemClock(), environment_of=slow_environment)
    yield made
    made.close()
    assert worker_processes() == []


def load(loader: WorkerLoader, engine: str = "slow", **options: OptionValue) -> WorkerModel:
    profile = slow_profile("m", engine=engine, **options)
    return loader.load(profile, ModelKey(engine, profile.ref, "1"), CancelSource(), Deaths())


def verified(loader: WorkerLoader, engine: str = "slow") -> WorkerModel:
    model = load(loader, engine)
    model.verify(CancelSource())
    return model


def spares(*models: WorkerModel) -> list[int]:
    """Processes that wait for a model."""
    return [process.pid for process in worker_processes() if process.pid not in {m.pid for m in models}]


def test_load_takes_the_process_that_the_load_before_left_waiting(loader: WorkerLoader) -> None:
    first = load(loader)
    assert spares(first) == []  # its import would slow the self-test down
    first.verify(CancelSource())
    waiting = spares(first)
    assert len(waiting) == 1
    second = verified(loader)
    assert [second.pid] == waiting
    assert len(spares(first, second)) == 1


def test_model_that_fails_its_test_or_is_let_go_before_leaves_a_spare(loader: WorkerLoader) -> None:
    silent = load(loader, fault="verify_silence")
    with pytest.raises(SelfTestFailed):
        silent.verify(CancelSource())
    assert len(spares(silent)) == 1
    given_up = load(loader)
    given_up.unload()
    assert len(spares(silent)) == 1


def test_engine_that_asks_for_no_spare_gets_none(loader: WorkerLoader) -> None:
    assert spares(verified(loader, engine="slow_cold")) == []
    assert loader.base_bytes() == {}


def test_load_when_the_spare_has_died_then_starts_its_own(loader: WorkerLoader) -> None:
    first = verified(loader)
    spare = psutil.Process(spares(first)[0])
    waiting = loader._spares._waiting["slow"]
    spare.kill()
    until(lambda: not waiting.alive)  # it is seen a moment after the process is gone
    second = load(loader)
    second.verify(CancelSource())
    assert second.pid != spare.pid


def test_load_that_fails_leaves_a_spare_for_the_model_that_comes_back(loader: WorkerLoader) -> None:
    with pytest.raises(ModelCorrupt):
        load(loader, fault="load_corrupt")
    waiting = spares()
    assert load(loader).pid in waiting


def test_import_that_fails_is_reported_by_the_load_whether_spare_or_not(loader: WorkerLoader) -> None:
    for _ in range(2):
        with pytest.raises(ModelIncompatible) as caught:
            load(loader, engine="broken")
        assert "nonesuch" in caught.value.message


def test_base_bytes_counts_a_spare_and_goes_on_counting_when_it_is_taken(
    loader: WorkerLoader, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SLOW_ENGINE_IMPORT_MB", "60")
    monkeypatch.setenv("SLOW_ENGINE_IMPORTED", str(tmp_path))
    assert loader.base_bytes() == {}
    first = verified(loader)
    until(lambda: all((tmp_path / str(pid)).exists() for pid in spares(first)))
    assert loader.base_bytes()[CPU] > 60 * MB
    verified(loader)  # the new spare is importing yet
    assert loader.base_bytes()[CPU] > 60 * MB


def test_base_bytes_when_a_spare_has_hardly_begun_counts_what_its_engine_says(loader: WorkerLoader) -> None:
    verified(loader, "heavy")
    assert loader.base_bytes() == {CPU: 500 * MB}


@pytest.mark.skipif(os.name != "posix" or not may_restore(), reason="a lowered priority would stay so here")
def test_worker_waits_for_others_until_it_is_verified(loader: WorkerLoader) -> None:
    own = psutil.Process().nice()
    model = load(loader)
    assert psutil.Process(model.pid).nice() == LOADING_NICENESS
    model.verify(CancelSource())
    threads = psutil.Process(model.pid).threads()
    assert {os.getpriority(os.PRIO_PROCESS, thread.id) for thread in threads} == {own}


@pytest.mark.skipif(os.name != "posix" or not may_restore(), reason="a lowered priority would stay so here")
def test_worker_that_is_not_verified_stays_low(loader: WorkerLoader) -> None:
    model = load(loader, fault="verify_silence")
    with pytest.raises(SelfTestFailed):
        model.verify(CancelSource())
    assert psutil.Process(model.pid).nice() == LOADING_NICENESS


def test_loads_at_the_same_time_leave_one_spare(loader: WorkerLoader) -> None:
    models: list[WorkerModel] = []
    threads = [threading.Thread(target=lambda: models.append(verified(loader))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20.0)
    until(lambda: len(spares(*models)) == 1)
    assert len(models) == 4
