"""Loaded models that leave their device: what can be tried of it without a second one."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from alltalk_plugin.domain.cancel import CancelSource
from alltalk_plugin.domain.clock import SystemClock
from alltalk_plugin.domain.engines import SynthesisRequest
from alltalk_plugin.domain.errors import ModelIncompatible
from alltalk_plugin.domain.models import CPU, Device, ModelKey, ModelProfile, ModelRef
from alltalk_plugin.engines.coqui.spec import SPEC
from alltalk_plugin.workers.model import WorkerModel
from alltalk_plugin.workers.supervisor import WorkerLoader
from tests.neural import environment_of, interpreter

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

Found = Mapping[str, Any]
INSIDE = Path(__file__).with_name("moving_inside.py")
MODELS = ("vits_speakers", "glow", "glow_melgan", "tacotron2_melgan", "xtts")


@pytest.fixture(scope="module")
def inside(coqui: Mapping[str, Path], xtts: Path, tmp_path_factory: pytest.TempPathFactory) -> Found:
    """What moves inside a worker's process came to, by model."""
    answer = tmp_path_factory.mktemp("moving") / "answer.json"
    folders = [xtts / name if name == "xtts" else coqui[name] for name in MODELS]
    command = [str(interpreter("coqui")), "-I", str(INSIDE), str(answer), *map(str, folders)]
    subprocess.run(command, check=True, timeout=280)
    found: Found = json.loads(answer.read_text())
    return found


@pytest.fixture(params=MODELS)
def found(inside: Found, request: pytest.FixtureRequest) -> Found:
    of_model: Found = inside[request.param]
    assert of_model["tensors"] > 20
    assert of_model["again"], "the same words have to sound the same, or nothing below means anything"
    return of_model


def test_move_to_where_it_is_then_it_speaks_as_before(found: Found) -> None:
    assert found["same device"]


def test_move_to_a_device_that_is_not_here_then_incompatible_and_it_speaks_on(found: Found) -> None:
    assert found["refused"] == ["incompatible"] * 4
    assert found["after refusals"]


def test_move_when_there_is_room_for_half_then_nothing_is_moved(found: Found) -> None:
    assert found["full"] == "no room"
    assert found["nothing moved"]


def test_move_when_the_last_layer_fails_then_all_come_back_and_it_speaks_on(found: Found) -> None:
    assert found["stuck"] == "no room"
    assert found["all back"]
    assert found["after failures"]


def test_move_then_no_weight_stays_and_the_sound_is_the_same(found: Found) -> None:
    assert found["stayed"] == 0
    assert found["elsewhere"]
    assert found["precisions"] == ["torch.float64"]


def test_half_precision_when_on_the_processor_then_the_sound_of_full(inside: Found) -> None:
    halves = {name: found.get("half on the processor") for name, found in inside.items()}
    assert halves.pop("xtts") is None  # it has no half precision
    assert set(halves.values()) == {True}


def test_move_to_a_device_without_numbers_then_main_memory_is_empty(found: Found) -> None:
    assert found["devices"] == ["meta"]
    assert found["held"] > 5
    assert found["left"] == []


def test_move_that_torch_cannot_do_then_incompatible_with_the_device(found: Found) -> None:
    assert found["back from meta"] == ["incompatible", "cpu"]


def test_worker_when_its_model_is_moved_then_it_speaks_on(coqui: Mapping[str, Path]) -> None:
    loader = WorkerLoader({SPEC.name: SPEC}, clock=SystemClock(), environment_of=environment_of)
    profile = ModelProfile(ModelRef("vits"), SPEC.name, path=coqui["vits"], options={"threads": 1})
    cancel = CancelSource()
    try:
        model = loader.load(profile, ModelKey(SPEC.name, profile.ref, ""), cancel, lambda _death: None)
        assert isinstance(model, WorkerModel)
        model.to_device(CPU, cancel)
        with pytest.raises(ModelIncompatible) as caught:
            model.to_device(Device("cuda:0"), cancel)
        assert caught.value.context["phase"] == "move"
        assert sum(chunk.duration_s for chunk in model.synthesize(SynthesisRequest(text="On."), cancel)) > 0.1
    finally:
        loader.close()
