"""What is wrong with a voice, as a load in a real worker says it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from onnx import TensorProto, helper, load, save

from alltalk_plugin.domain.cancel import CancelSource
from alltalk_plugin.domain.errors import (
    ModelCorrupt,
    ModelError,
    ModelIncompatible,
    ModelNotFound,
    SelfTestFailed,
    SynthesisFailed,
    UnsafeCheckpoint,
)
from alltalk_plugin.domain.models import Device
from alltalk_plugin.workers.supervisor import WorkerLoader
from tests.engines.piper.speaking import HELLO, changed, loaded, say

pytestmark = pytest.mark.slow


def without_json(voice: Path) -> None:
    voice.with_name(f"{voice.name}.json").unlink()


def garbage(voice: Path) -> None:
    voice.write_bytes(b"this is no protobuf")


def cut(voice: Path) -> None:
    voice.write_bytes(voice.read_bytes()[:-100])


def pickled(voice: Path) -> None:
    voice.write_bytes(b"cos\nsystem\n(S'touch hacked'\ntR.")


def other_inputs(voice: Path) -> None:
    model = load(str(voice))
    model.graph.input[2].name = "speed"
    save(model, str(voice))


def for_many_speakers(voice: Path) -> None:
    changed(voice, num_speakers=3)


def unknown_operator(voice: Path) -> None:
    model = load(str(voice))
    model.opset_import.append(helper.make_opsetid("evil.ops", 1))
    model.graph.node[-1].domain = "evil.ops"
    model.graph.node[-1].op_type = "RunCommand"
    save(model, str(voice))


def reads_elsewhere(voice: Path) -> None:
    model = load(str(voice))
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../../../../etc/passwd")
    voice.write_bytes(model.SerializeToString())


def lacks_its_weights(voice: Path) -> None:
    model = load(str(voice))
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="weights.bin")
    voice.write_bytes(model.SerializeToString())


def unknown_language(voice: Path) -> None:
    changed(voice, espeak={"voice": "nobody"})


@pytest.mark.parametrize(
    ("damage", "kind"),
    [
        (without_json, ModelNotFound),
        (garbage, ModelCorrupt),
        (cut, ModelCorrupt),
        (pickled, ModelCorrupt),
        (other_inputs, ModelIncompatible),
        (for_many_speakers, ModelIncompatible),
        (unknown_operator, ModelIncompatible),
        (reads_elsewhere, UnsafeCheckpoint),
        (lacks_its_weights, ModelError),
        (unknown_language, ModelIncompatible),
    ],
    ids=lambda case: case.__name__,
)
def test_voice_that_is_wrong_then_the_load_says_what(
    loader: WorkerLoader, own: Path, damage: Callable[[Path], None], kind: type[ModelError]
) -> None:
    damage(own)
    with pytest.raises(kind) as caught:
        loaded(loader, own)
    assert caught.value.context["phase"] == "load"
    assert not list(own.parent.rglob("hacked"))


def test_ids_beyond_the_model_s_symbols_fail_the_text_and_the_self_test(
    loader: WorkerLoader, own: Path
) -> None:
    ids = json.loads(own.with_name("single.onnx.json").read_text("utf-8"))["phoneme_id_map"]
    changed(own, phoneme_id_map={**ids, "ə": [9_999]})
    model = loaded(loader, own)
    with pytest.raises(SynthesisFailed):
        say(model, HELLO)
    with pytest.raises(SelfTestFailed):
        model.verify(CancelSource())
    model.unload()


@pytest.mark.parametrize("device", ["cuda:0", "mps"])
def test_device_that_onnx_runtime_cannot_use_then_incompatible(
    loader: WorkerLoader, voices: dict[str, Path], device: str
) -> None:
    with pytest.raises(ModelIncompatible) as caught:
        loaded(loader, voices["single"], device=Device(device))
    assert "device to cpu" in caught.value.hint
