"""The fault matrix: every error code in every phase of a swap (faults.toml), provoked.

In each cell that can be reached a good model serves again within T + 1 s or the state is DEGRADED (L1), every
request ends in one answer (S3) and the settings stay as they were (S6).
"""

from __future__ import annotations

import ast
import tomllib
from concurrent.futures import Future
from pathlib import Path

import pytest

from alltalk_plugin.domain.cancel import CancelSource
from alltalk_plugin.domain.errors import ModelTimeout, error_from_code
from alltalk_plugin.domain.models import CPU, LeaseRequest, ModelRef, ModelState
from tests.fakes.loader import MB, Gate
from tests.fakes.waiting import until
from tests.faulty import BAD, GOOD, FakeRig, Rig, real_rig

ROOT = Path(__file__).resolve().parent.parent
MATRIX: dict[str, dict[str, dict[str, str]]] = tomllib.loads(
    (ROOT / "tests" / "faults.toml").read_text(encoding="utf-8")
)
CODES = [
    "not_found",
    "corrupt",
    "incompatible",
    "unsafe_checkpoint",
    "too_big",
    "oom",
    "timeout",
    "crash",
    "selftest_failed",
    "busy_timeout",
    "cooldown",
    "retry_later",
    "queue_full",
    "superseded",
    "cancelled",
]
PHASES = ["reserve", "load_10", "load_50", "load_99", "verify", "drain", "unload"]
CANCELLED = ("cancelled", "swap_cancelled")
"""A request and a swap that are given up have a code each."""


def cells(test: str) -> list[tuple[str, str]]:
    """(code, phase) of the cells that name this test."""
    name = f"tests/test_faults.py::{test}"
    return [(code, at) for code in MATRIX for at, cell in MATRIX[code].items() if cell.get("test") == name]


# --- the matrix itself -----------------------------------------------------------------------------------


def test_matrix_has_every_code_in_every_phase_and_nothing_else() -> None:
    assert list(MATRIX) == CODES
    assert {code: list(row) for code, row in MATRIX.items()} == dict.fromkeys(CODES, PHASES)


def test_matrix_names_codes_that_exist() -> None:
    for code in CODES:
        assert error_from_code(code, "x").code == code


@pytest.mark.parametrize("code", CODES)
def test_matrix_when_read_then_each_cell_has_a_test_that_exists_or_a_reason(code: str) -> None:
    for phase, cell in MATRIX[code].items():
        assert len(cell) == 1, f"{code}/{phase}: either a test or a reason"
        if "test" in cell:
            path, _, name = cell["test"].partition("::")
            tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
            assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, (
                code,
                phase,
            )
        else:
            assert len(cell["unreachable"].split()) > 3, f"{code}/{phase}: that is no reason"


# --- real workers ----------------------------------------------------------------------------------------


def place_of(phase: str) -> float:
    return int(phase.removeprefix("load_")) / 100


@pytest.mark.slow
@pytest.mark.parametrize(("code", "phase"), cells("test_fault_when_loading_then_a_good_model_serves"))
def test_fault_when_loading_then_a_good_model_serves(tmp_path: Path, code: str, phase: str) -> None:
    fault = "hang" if code == "timeout" else code
    with real_rig(tmp_path, fault=f"load_{fault}", fault_at=place_of(phase), load_s=0.1) as rig:
        ticket = rig.service.swap(BAD)
        waiting = rig.asking(BAD)
        assert rig.settled(ticket) == code
        rig.check()
        assert waiting.result(0) in (code, "retry_later")  # it came before the failure, or after it
        assert rig.state(GOOD) is ModelState.READY


@pytest.mark.slow
@pytest.mark.parametrize(("code", "phase"), cells("test_fault_when_verifying_then_a_good_model_serves"))
def test_fault_when_verifying_then_a_good_model_serves(tmp_path: Path, code: str, phase: str) -> None:
    fault = {"selftest_failed": "silence", "timeout": "hang"}.get(code, code)
    with real_rig(tmp_path, fault=f"{phase}_{fault}") as rig:
        ticket = rig.service.swap(BAD)
        rig.asking(BAD)
        assert rig.settled(ticket) == code
        rig.check()
        assert rig.state(GOOD) is ModelState.READY


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "phase"), cells("test_fault_when_others_wait_for_a_load_then_a_good_model_serves")
)
def test_fault_when_others_wait_for_a_load_then_a_good_model_serves(
    tmp_path: Path, code: str, phase: str
) -> None:
    reached = tmp_path / "reached"
    place, fault = (1.0, "verify_hang") if phase == "verify" else (place_of(phase), "load_hang")
    with real_rig(tmp_path, fault=fault, fault_at=place, load_s=0.1, reached=str(reached)) as rig:
        ticket = rig.service.swap(BAD)
        until(reached.exists)
        if code == "cancelled":
            ticket.cancel()
            assert rig.settled(ticket) in CANCELLED
        else:
            assert rig.asking(BAD, timeout_s=0.1).result(20.0) == code
            assert rig.settled(ticket) == "timeout"
        rig.check()
        assert rig.state(GOOD) is ModelState.READY


# --- fakes: what a real worker cannot be made to do at the right moment ----------------------------------


@pytest.mark.parametrize(("code", "phase"), cells("test_fault_when_reserving_then_a_good_model_serves"))
def test_fault_when_reserving_then_a_good_model_serves(tmp_path: Path, code: str, phase: str) -> None:
    settings: dict[str, dict[str, object]] = {
        "cooldown": {"min_interval_s": 30},
        "superseded": {"min_interval_s": 30},
        "queue_full": {"queue_limit": 1},
        "busy_timeout": {"max_wait_s": 0.2},
    }
    with FakeRig(tmp_path, **settings.get(code, {})) as rig:
        assert _refused_at_the_door(rig, code) == code
        rig.check()
        assert rig.fakes.times_loaded(GOOD) >= 1


def _refused_at_the_door(rig: FakeRig, code: str) -> str:
    def swap_to_bad() -> object:
        return rig.service.swap(BAD)

    match code:
        case "not_found":
            return rig.refused(lambda: rig.service.swap(ModelRef("nonesuch")))
        case "corrupt" | "incompatible" | "unsafe_checkpoint":
            rig.look_error = error_from_code(code, "that file is no model")
            return rig.refused(swap_to_bad)
        case "too_big":
            rig.bad_mb = 900
            return rig.refused(swap_to_bad)
        case "oom":
            rig.memory.free[CPU] = -100 * MB  # a stranger has taken more than the good model would give back
            return rig.refused(swap_to_bad)
        case "cooldown":
            rig.service.swap(BAD).wait(10.0)
            return rig.refused(lambda: rig.service.swap(GOOD))
        case "retry_later":
            rig.fakes.script(BAD).load_error = error_from_code("corrupt", "torn")
            rig.service.swap(BAD).wait(10.0)
            return rig.refused(swap_to_bad)
        case "superseded":
            rig.service.swap(BAD).wait(10.0)
            first = rig.service.swap(GOOD, cause="person")
            rig.service.swap(BAD, cause="person")
            return rig.settled(first)
        case _:
            return _refused_behind_a_speaker(rig, code)


def _refused_behind_a_speaker(rig: FakeRig, code: str) -> str:
    """While somebody speaks on the good model, who wants the bad one has to wait."""
    with rig.service.lease(LeaseRequest(model=GOOD, dialogue_id="speaker"), CancelSource()):
        cancel = CancelSource()
        waiting = rig.asking(BAD, cancel=cancel)
        if code == "queue_full":
            rig.service.tick()
            until(lambda: rig.refused(lambda: rig.speak(BAD, timeout_s=0.05)) == "queue_full")
            return code
        if code == "cancelled":
            cancel.cancel()
        return waiting.result(10.0)


@pytest.mark.parametrize(("code", "phase"), cells("test_fault_when_draining_then_a_good_model_serves"))
def test_fault_when_draining_then_a_good_model_serves(tmp_path: Path, code: str, phase: str) -> None:
    with FakeRig(tmp_path, drain_s=0.2 if code == "busy_timeout" else 10.0) as rig:
        gate = rig.fakes.script(GOOD).chunk_gate = Gate()
        speaking = _long_speech(rig)
        gate.wait_reached()
        ticket = rig.service.swap(BAD)
        until(lambda: rig.state(GOOD) is ModelState.DRAINING)
        if code == "crash":
            rig.fakes.model(GOOD).crash()
            gate.open()
            assert speaking.result(10.0) == code
            assert rig.settled(ticket) == "ok"
        else:
            if code == "cancelled":
                ticket.cancel()
            found = rig.settled(ticket)
            assert found == code or found in CANCELLED
            gate.open()
            assert speaking.result(10.0) == "ok"
            assert rig.state(GOOD) is ModelState.READY
        rig.check()


def _long_speech(rig: Rig) -> Future[str]:
    return rig.asking(GOOD, text="word " * 10)


@pytest.mark.parametrize(("code", "phase"), cells("test_fault_when_unloading_then_a_good_model_serves"))
def test_fault_when_unloading_then_a_good_model_serves(tmp_path: Path, code: str, phase: str) -> None:
    with FakeRig(tmp_path) as rig:
        gate = rig.fakes.script(GOOD).unload_gate = Gate()
        if code == "timeout":
            rig.fakes.script(GOOD).unload_error = ModelTimeout("the process does not end")
        ticket = rig.service.swap(BAD)
        gate.wait_reached()
        match code:
            case "busy_timeout":
                assert rig.asking(BAD, timeout_s=0.05).result(10.0) == code
            case "cancelled":
                ticket.cancel()
            case "oom":
                rig.memory.free[CPU] = 0
        gate.open()
        found = rig.settled(ticket)
        rig.check()
        errors: list[str] = [record.error or "" for record in rig.journal.records]
        match code:
            case "cancelled":
                assert found in CANCELLED
                assert rig.state(GOOD) is ModelState.READY
            case "oom":
                assert found == code
                assert "degraded" in rig.journal.kinds()
            case "timeout":
                assert any(error.startswith("timeout: ") for error in errors)
