"""Kokoro in real workers of its own environment: what is its own, beside the contract."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from onnx import load, save

from alltalk_plugin.domain.audio import Samples
from alltalk_plugin.domain.cancel import CancelSource
from alltalk_plugin.domain.clock import SystemClock
from alltalk_plugin.domain.engines import SynthesisRequest
from alltalk_plugin.domain.errors import (
    LanguageUnsupported,
    ModelCorrupt,
    ModelError,
    ModelIncompatible,
    ModelNotFound,
    UnsafeCheckpoint,
)
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.models import CPU, Device, ModelKey, ModelProfile, ModelRef, OptionValue
from alltalk_plugin.engines.kokoro.spec import SPEC
from alltalk_plugin.workers.model import WorkerModel
from alltalk_plugin.workers.supervisor import WorkerLoader
from tests.checkpoints.kokoro import VOICES, heard, kokoro_model
from tests.checkpoints.write_kokoro import write_model
from tests.engines.kokoro.test_model_files import objects
from tests.neural import environment_of

pytestmark = pytest.mark.slow

HELLO = "Hello there, my friend."
HELLO_SOUNDS = "həlˈoʊ ðˈɛɹ, maɪ fɹˈɛnd."


@pytest.fixture(scope="module")
def loader() -> Iterator[WorkerLoader]:
    loader = WorkerLoader({"kokoro": SPEC}, clock=SystemClock(), environment_of=environment_of)
    yield loader
    loader.close()


def loaded(
    loader: WorkerLoader,
    path: Path,
    *,
    device: Device = CPU,
    options: dict[str, OptionValue] | None = None,
) -> WorkerModel:
    profile = ModelProfile(ModelRef("kokoro"), "kokoro", path=path, device=device, options=options or {})
    key = ModelKey("kokoro", profile.ref, SPEC.revision(profile))
    return loader.load(profile, key, CancelSource(), lambda _death: None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return kokoro_model(tmp_path_factory.mktemp("kokoro"))


@pytest.fixture(scope="module")
def model(loader: WorkerLoader, folder: Path) -> WorkerModel:
    return loaded(loader, folder)


@pytest.fixture
def own(folder: Path, tmp_path: Path) -> Path:
    """A copy of the model to damage."""
    shutil.copytree(folder, tmp_path / "own")
    return tmp_path / "own"


def say(
    model: WorkerModel, text: str, speaker: str | None = None, language: str | None = None, rate: float = 1.0
) -> Samples:
    tag = None if language is None else LanguageTag(language)
    request = SynthesisRequest(text=text, speaker=speaker, language=tag, rate=rate)
    return np.concatenate([chunk.samples for chunk in model.synthesize(request, CancelSource())])


@pytest.mark.parametrize("voice", VOICES[:3])
def test_every_phoneme_is_spoken_by_the_voice_that_was_named(model: WorkerModel, voice: str) -> None:
    spoken, voices = heard(say(model, HELLO, voice))
    assert voices == {VOICES.index(voice)}
    assert spoken == (HELLO_SOUNDS if voice.startswith("a") else "həlˈəʊ ðˈeə, maɪ fɹˈɛnd.")


def test_without_a_name_a_voice_of_the_language_speaks(model: WorkerModel) -> None:
    assert heard(say(model, HELLO, language="en"))[1] == {VOICES.index("af_heart")}
    spoken, voices = heard(say(model, "Bonjour, mon ami.", language="fr"))
    assert voices == {VOICES.index("ff_siwis")}
    assert spoken == "bɔ̃ʒˈuʁ, mɔ̃n amˈi."


def test_foreign_words_are_said_without_the_names_of_their_languages(model: WorkerModel) -> None:
    assert "(" not in heard(say(model, "Le weekend est smith.", "ff_siwis"))[0]


def test_rate_stretches_every_phoneme_as_far_as_kokoro_goes(model: WorkerModel) -> None:
    assert heard(say(model, HELLO, rate=0.5), length_scale=2.0)[0] == HELLO_SOUNDS
    assert len(say(model, HELLO, rate=4.0)) == len(say(model, HELLO, rate=2.0))


def test_newer_models_call_their_phonemes_otherwise(loader: WorkerLoader, tmp_path: Path) -> None:
    newer = loaded(loader, write_model(tmp_path, ("af_heart",), tokens="input_ids"))
    assert heard(say(newer, HELLO))[0] == HELLO_SOUNDS
    newer.unload()


def test_option_voice_speaks_when_none_is_named(loader: WorkerLoader, folder: Path) -> None:
    other = loaded(loader, folder, options={"voice": "bm_george", "threads": 1})
    assert heard(say(other, HELLO))[1] == {VOICES.index("bm_george")}
    other.unload()


def test_option_voice_when_unknown_then_incompatible(loader: WorkerLoader, folder: Path) -> None:
    with pytest.raises(ModelIncompatible):
        loaded(loader, folder, options={"voice": "nobody"})


@pytest.mark.parametrize("text", ['"-J', "🚼瓠䑻"])
def test_text_that_kills_espeak_is_spoken_or_refused(model: WorkerModel, text: str) -> None:
    try:
        say(model, text)
    except LanguageUnsupported:
        assert "瓠" in text
    assert heard(say(model, HELLO, "af_heart"))[0] == HELLO_SOUNDS


def test_very_deep_folder_of_the_model_speaks(loader: WorkerLoader, own: Path, tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    shutil.copytree(own, deep)
    model = loaded(loader, deep)
    assert heard(say(model, HELLO))[0] == HELLO_SOUNDS
    model.unload()


@pytest.mark.skipif(sys.platform == "win32", reason="an open library cannot be removed there")
def test_worker_that_is_killed_leaves_no_copy_of_espeak_behind(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # other processes' models have theirs in everybody's
    with closing(
        WorkerLoader({"kokoro": SPEC}, clock=SystemClock(), environment_of=environment_of)
    ) as loader:
        model = loaded(loader, folder)
        say(model, HELLO)
        left = [path.name for path in tmp_path.glob("alltalk-kokoro-*") if any(path.rglob("*espeak*"))]
        model.unload()
    assert left == []


def test_memory_stays_within_the_estimate_with_every_language(model: WorkerModel, folder: Path) -> None:
    say(model, "Bonjour. " * 50, "ff_siwis")
    say(model, "supercalifragilistic " * 50)
    estimate = SPEC.estimate(ModelProfile(ModelRef("kokoro"), "kokoro", path=folder))
    assert model.resident_bytes()[CPU] <= estimate.held_bytes


# --- what is wrong with a model ---------------------------------------------------------------------------


def without_voices(folder: Path) -> None:
    (folder / "voices.bin").unlink()


def cut(folder: Path) -> None:
    path = folder / "model.onnx"
    path.write_bytes(path.read_bytes()[:-100])


def other_inputs(folder: Path) -> None:
    model = load(str(folder / "model.onnx"))
    model.graph.input[1].name = "voice"
    save(model, str(folder / "model.onnx"))


@pytest.mark.parametrize(
    ("damage", "kind"),
    [
        (without_voices, ModelNotFound),
        (cut, ModelCorrupt),
        (other_inputs, ModelIncompatible),
        (objects, UnsafeCheckpoint),
    ],
    ids=lambda case: case.__name__,
)
def test_model_that_is_wrong_then_the_load_says_what(
    loader: WorkerLoader, own: Path, damage: Callable[[Path], None], kind: type[ModelError]
) -> None:
    damage(own)
    with pytest.raises(kind) as caught:
        loaded(loader, own)
    assert caught.value.context["phase"] == "load"


def test_device_that_onnx_runtime_cannot_use_then_incompatible(loader: WorkerLoader, folder: Path) -> None:
    with pytest.raises(ModelIncompatible):
        loaded(loader, folder, device=Device("cuda:0"))
