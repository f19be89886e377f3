"""What a heavy engine costs through real workers: spares, estimates, release, and its faults."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from alltalk_plugin.domain.cancel import CancelSource
from alltalk_plugin.domain.clock import SystemClock
from alltalk_plugin.domain.engines import SynthesisRequest
from alltalk_plugin.domain.errors import AlltalkError
from alltalk_plugin.domain.models import CPU, ModelKey, OptionValue
from alltalk_plugin.workers.supervisor import WorkerLoader
from tests.engines.slow_spec import COLD, MB, SLOW, estimate, slow_environment, slow_profile
from tests.fakes.waiting import until
from tests.workers.rude_spec import Deaths, worker_processes

pytestmark = pytest.mark.slow

IMPORT_S = 0.6
NO_SPARE_LEFT = 1


@pytest.fixture
def imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where workers say that their import is over."""
    monkeypatch.setenv("SLOW_ENGINE_IMPORTED", str(tmp_path))
    return tmp_path


@pytest.fixture
def loader() -> Iterator[WorkerLoader]:
    specs = {spec.name: spec for spec in (SLOW, COLD)}
    made = WorkerLoader(specs, clock=SystemClock(), environment_of=slow_environment)
    yield made
    made.close()


def ready_s(loader: WorkerLoader, engine: str = "slow", **options: OptionValue) -> float:
    """From the request until the model is verified; it is released again."""
    profile = slow_profile("m", engine=engine, **options)
    began = time.perf_counter()
    model = loader.load(profile, ModelKey(engine, profile.ref, "1"), CancelSource(), Deaths())
    try:
        model.verify(CancelSource())
        return time.perf_counter() - began
    finally:
        model.unload()


@pytest.mark.alone
def test_spare_takes_the_import_out_of_a_load(
    loader: WorkerLoader, imported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLOW_ENGINE_IMPORT_S", str(IMPORT_S))
    without = ready_s(loader)
    spare = worker_processes()[0]
    until((imported / str(spare.pid)).exists)
    assert without > IMPORT_S
    assert ready_s(loader) < without - 0.8 * IMPORT_S


@pytest.mark.parametrize("touch_mb", [0, 40, 160])
@pytest.mark.parametrize("import_mb", [0, 80])
def test_estimate_is_never_below_what_is_measured(
    loader: WorkerLoader, monkeypatch: pytest.MonkeyPatch, touch_mb: int, import_mb: int
) -> None:
    monkeypatch.setenv("SLOW_ENGINE_IMPORT_MB", str(import_mb))
    profile = slow_profile("m", engine="slow_cold", touch_mb=touch_mb, import_mb=import_mb)
    model = loader.load(profile, ModelKey("slow_cold", profile.ref, "1"), CancelSource(), Deaths())
    model.verify(CancelSource())
    measured = model.resident_bytes()[CPU]
    assert (touch_mb + import_mb) * MB < measured <= estimate(profile).held_bytes


def test_unload_brings_the_whole_tree_back_to_where_it_was(loader: WorkerLoader) -> None:
    ready_s(loader, touch_mb=10)
    before = tree_bytes()
    for _ in range(5):
        ready_s(loader, touch_mb=200)
    assert tree_bytes() < before + 20 * MB


def tree_bytes() -> int:
    """Resident memory of this process and its workers."""
    me = psutil.Process()
    return sum(process.memory_info().rss for process in (me, *worker_processes()))


LOAD_FAULTS = ["not_found", "corrupt", "incompatible", "unsafe_checkpoint", "oom", "timeout", "crash"]


@pytest.mark.parametrize("code", LOAD_FAULTS)
@pytest.mark.parametrize("place", [0.1, 0.5, 0.99])
def test_load_fails_where_and_how_it_is_told(loader: WorkerLoader, code: str, place: float) -> None:
    with pytest.raises(AlltalkError) as caught:
        ready_s(loader, fault=f"load_{code}", fault_at=place)
    assert caught.value.code == code
    assert caught.value.context["phase"] == "load"
    assert len(worker_processes()) <= NO_SPARE_LEFT


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("silence", "selftest_failed"),
        ("nan", "selftest_failed"),
        ("oom", "selftest_failed"),
        ("crash", "crash"),
    ],
)
def test_verify_fails_how_it_is_told(loader: WorkerLoader, fault: str, code: str) -> None:
    with pytest.raises(AlltalkError) as caught:
        ready_s(loader, fault=f"verify_{fault}")
    assert caught.value.code == code


@pytest.mark.parametrize("fault", ["unload_crash", "unload_hang"])
def test_unload_ends_the_process_whatever_its_engine_does(loader: WorkerLoader, fault: str) -> None:
    ready_s(loader, engine="slow_cold", fault=fault)
    assert worker_processes() == []


def test_fault_of_one_text_leaves_the_model_usable(loader: WorkerLoader) -> None:
    profile = slow_profile("m")
    model = loader.load(profile, ModelKey("slow", profile.ref, "1"), CancelSource(), Deaths())
    for text, code in (("oom now", "oom"), ("nan now", "synthesis_failed"), ("corrupt now", "corrupt")):
        with pytest.raises(AlltalkError) as caught:
            list(model.synthesize(SynthesisRequest(text=text), CancelSource()))
        assert caught.value.code == code
    assert list(model.synthesize(SynthesisRequest(text="well then"), CancelSource()))


def test_fault_comes_and_goes_with_its_file(loader: WorkerLoader, tmp_path: Path) -> None:
    file = tmp_path / "fault"
    file.write_text("load_corrupt", encoding="utf-8")
    with pytest.raises(AlltalkError) as caught:
        ready_s(loader, fault_file=str(file))
    assert caught.value.code == "corrupt"
    file.unlink()
    assert ready_s(loader, fault_file=str(file)) > 0
