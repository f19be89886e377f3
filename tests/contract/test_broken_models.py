"""Models whose numbers are none: not one of them leaves a worker, and the caller is told."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from onnx import load as read_onnx
from onnx import numpy_helper, save

from alltalk_plugin.domain.cancel import CancelSource
from alltalk_plugin.domain.clock import SystemClock
from alltalk_plugin.domain.engines import EngineSpec, SynthesisRequest
from alltalk_plugin.domain.errors import ModelCorrupt, SelfTestFailed, SynthesisFailed
from alltalk_plugin.domain.models import ModelKey, ModelProfile, ModelRef
from alltalk_plugin.engines.coqui import spec as coqui
from alltalk_plugin.engines.kokoro import spec as kokoro
from alltalk_plugin.engines.piper import spec as piper
from alltalk_plugin.workers.supervisor import WorkerLoader
from tests.neural import environment_of

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def loader() -> Iterator[WorkerLoader]:
    engines = {spec.name: spec for spec in (coqui.SPEC, piper.SPEC, kokoro.SPEC)}
    loader = WorkerLoader(engines, clock=SystemClock(), environment_of=environment_of)
    yield loader
    loader.close()


def out_of_tune(onnx: Path) -> None:
    """Half of the phonemes of a model of sines get a pitch that is no number."""
    model = read_onnx(str(onnx))
    hz = next(one for one in model.graph.initializer if one.name == "hz")
    values = numpy_helper.to_array(hz).copy()
    values[::2] = np.nan
    hz.CopyFrom(numpy_helper.from_array(values, "hz"))
    save(model, str(onnx))


def broken_piper(request: pytest.FixtureRequest, folder: Path) -> Path:
    voice: Path = request.getfixturevalue("piper")["single"]
    for path in (voice, voice.with_name(f"{voice.name}.json")):
        shutil.copy(path, folder)
    out_of_tune(folder / voice.name)
    return folder / voice.name


def broken_kokoro(request: pytest.FixtureRequest, folder: Path) -> Path:
    shutil.copytree(request.getfixturevalue("kokoro"), folder, dirs_exist_ok=True)
    out_of_tune(folder / "model.onnx")
    return folder


def profile_of(spec: EngineSpec, path: Path) -> ModelProfile:
    return ModelProfile(ModelRef("broken"), spec.name, path=path)


@pytest.mark.parametrize(
    ("spec", "broken"),
    [(piper.SPEC, broken_piper), (kokoro.SPEC, broken_kokoro)],
    ids=lambda case: getattr(case, "name", ""),
)
def test_network_that_makes_no_numbers_then_speech_and_self_test_fail(
    loader: WorkerLoader,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    spec: EngineSpec,
    broken: Callable[[pytest.FixtureRequest, Path], Path],
) -> None:
    profile = profile_of(spec, broken(request, tmp_path))
    key = ModelKey(spec.name, profile.ref, "")
    model = loader.load(profile, key, CancelSource(), lambda _death: None)
    chunks = []
    with pytest.raises(SynthesisFailed):
        for chunk in model.synthesize(SynthesisRequest(text="Hello. Good evening."), CancelSource()):
            chunks.append(chunk)  # noqa: PERF402  # what came before the error is to be seen
    assert all(np.isfinite(chunk.samples).all() for chunk in chunks)
    with pytest.raises(SelfTestFailed):
        model.verify(CancelSource())
    assert model.alive
    model.unload()


def test_weights_that_are_no_numbers_then_the_load_says_so(
    loader: WorkerLoader, request: pytest.FixtureRequest
) -> None:
    profile = profile_of(coqui.SPEC, request.getfixturevalue("coqui")["vits_nan"])
    with pytest.raises(ModelCorrupt) as caught:
        loader.load(profile, ModelKey("coqui", profile.ref, ""), CancelSource(), lambda _death: None)
    assert caught.value.context["phase"] == "load"
