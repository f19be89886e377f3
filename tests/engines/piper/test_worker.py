"""Piper in real workers of its own environment: what is its own, beside the contract."""

from __future__ import annotations

import json
import shutil
import sys
import threading
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import psutil
import pytest
from onnx import TensorProto, helper, load, numpy_helper, save

from alltalk_plugin.domain.cancel import CancelSource
from alltalk_plugin.domain.engines import SynthesisRequest
from alltalk_plugin.domain.errors import (
    LanguageUnsupported,
    ModelIncompatible,
    WorkerCrashed,
)
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.models import CPU, ModelProfile, ModelRef, OptionValue
from alltalk_plugin.engines.piper.spec import SPEC
from alltalk_plugin.workers.model import WorkerModel
from alltalk_plugin.workers.supervisor import WorkerLoader
from tests.checkpoints.piper import heard
from tests.engines.piper.speaking import HELLO, HELLO_SOUNDS, changed, loaded, say

pytestmark = pytest.mark.slow


def test_every_phoneme_of_the_text_is_spoken_in_order(single: WorkerModel) -> None:
    assert heard(say(single, HELLO)) == (HELLO_SOUNDS, {0})


def test_sentences_come_one_by_one_and_abbreviations_end_none(single: WorkerModel) -> None:
    request = SynthesisRequest(text="Dr. Smith said hello. What now? Run!")
    spoken = [heard(chunk.samples)[0] for chunk in single.synthesize(request, CancelSource())]
    assert spoken == ["dˈɑːktɚ. smˈɪθ sˈɛd həlˈoʊ.", "wˌʌt nˈaʊ?", "ɹˈʌn!"]


@pytest.mark.parametrize(
    ("speaker", "number"), [(None, 0), ("anna", 0), ("7", 1), ("zoe", 2), ("1", 1), ("2", 2)]
)
def test_speaker_is_the_one_that_was_named(speakers: WorkerModel, speaker: str | None, number: int) -> None:
    assert heard(say(speakers, HELLO, speaker)) == (HELLO_SOUNDS, {number})


def test_rate_stretches_every_phoneme(single: WorkerModel) -> None:
    assert heard(say(single, HELLO, rate=0.5), length_scale=2.0)[0] == HELLO_SOUNDS
    assert len(say(single, HELLO, rate=2.0)) * 2 == len(say(single, HELLO))


def test_slow_speech_is_worked_out_in_shorter_pieces(single: WorkerModel) -> None:
    text = "la " * 55
    normal, slow = (
        [
            len(chunk.samples)
            for chunk in single.synthesize(SynthesisRequest(text=text, rate=rate), CancelSource())
        ]
        for rate in (1.0, 0.25)
    )
    assert max(slow) <= 1.1 * max(normal)
    assert sum(slow) > 3.5 * sum(normal)


def test_options_reach_the_model(loader: WorkerLoader, voices: dict[str, Path], single: WorkerModel) -> None:
    options: dict[str, OptionValue] = {"length_scale": 2.0, "noise_scale": 0.3, "noise_w_scale": 0.8}
    other = loaded(loader, voices["single"], options={**options, "threads": 1})
    spoken = say(other, HELLO)
    assert heard(spoken, length_scale=2.0)[0] == HELLO_SOUNDS
    assert np.abs(spoken).max() / np.abs(say(single, HELLO)).max() == pytest.approx(0.3 / 0.667, rel=0.02)
    other.unload()


@pytest.mark.parametrize("wrong", [{"length_scale": 0.0}, {"noise_scale": -1.0}, {"noise_w_scale": 1e9}])
def test_option_out_of_range_then_incompatible(
    loader: WorkerLoader, voices: dict[str, Path], wrong: dict[str, OptionValue]
) -> None:
    with pytest.raises(ModelIncompatible) as caught:
        loaded(loader, voices["single"], options=wrong)
    assert next(iter(wrong)) in caught.value.message


def test_memory_stays_within_the_estimate_and_near_it(single: WorkerModel, voices: dict[str, Path]) -> None:
    for _ in range(4):
        say(single, "supercalifragilistic " * 50)
    resident = single.resident_bytes()[CPU]
    estimate = SPEC.estimate(ModelProfile(ModelRef("voice"), "piper", path=voices["single"]))
    assert resident <= estimate.held_bytes <= 1.5 * resident


def ponder(voice: Path) -> None:
    """Makes a voice work for half a minute on a text of more than 40 phonemes."""
    model = load(str(voice))
    square = helper.make_tensor_value_info("before", TensorProto.FLOAT, [300, 300])
    body = helper.make_graph(
        [
            helper.make_node("MatMul", ["before", "square"], ["after"]),
            helper.make_node("Identity", ["go"], ["on"]),
        ],
        "round",
        [
            helper.make_tensor_value_info("round", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            square,
        ],
        [
            helper.make_tensor_value_info("on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("after", TensorProto.FLOAT, [300, 300]),
        ],
    )
    constants: dict[str, npt.NDArray[np.generic]] = {
        "square": np.zeros((300, 300), np.float32),
        "few": np.array(40, np.int64),
        "rounds": np.array(10_000, np.int64),
        "go": np.array(True),
    }
    model.graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in constants.items())
    last = model.graph.node.pop()
    last.input[0] = "late"
    model.graph.node.extend(
        [
            helper.make_node("Size", ["phonemes"], ["count"]),
            helper.make_node("Greater", ["count", "few"], ["many"]),
            helper.make_node("Cast", ["many"], ["times"], to=TensorProto.INT64),
            helper.make_node("Mul", ["times", "rounds"], ["trips"]),
            helper.make_node("Loop", ["trips", "go", "square"], ["end"], body=body),
            helper.make_node("ReduceMax", ["end"], ["zero"], keepdims=0),
            helper.make_node("Add", ["faded", "zero"], ["late"]),
            last,
        ]
    )
    save(model, str(voice))


def test_cancel_in_the_middle_of_a_sentence_ends_it(loader: WorkerLoader, own: Path) -> None:
    ponder(own)
    model = loaded(loader, own)
    worker = psutil.Process(model.pid)
    cancel = CancelSource()
    stream = model.synthesize(SynthesisRequest(text=f"Hello there. {HELLO * 3}"), cancel)
    assert next(stream).duration_s > 0.1
    used_s = worker.cpu_times().user
    while worker.cpu_times().user < used_s + 0.5:  # now it is deep in the second sentence
        threading.Event().wait(0.02)
    begun_s = time.perf_counter()
    cancel.cancel()
    assert list(stream) == []
    assert heard(say(model, HELLO))[0] == HELLO_SOUNDS
    assert time.perf_counter() - begun_s < 5.0
    model.unload()


CRASHES = [("de", "🚼瓠䑻")]


@pytest.mark.parametrize(("language", "text"), CRASHES)
def test_text_that_kills_espeak_kills_its_worker_alone(
    loader: WorkerLoader, single: WorkerModel, own: Path, language: str, text: str
) -> None:
    speak(own, language)
    died = threading.Event()
    victim = loaded(loader, own, engine="unfiltered", on_death=lambda _death: died.set())
    with pytest.raises(WorkerCrashed) as caught:
        say(victim, text)
    if sys.platform == "linux":
        assert caught.value.context["exit_code"] == -11
    assert died.wait(10.0)
    assert heard(say(single, HELLO))[0] == HELLO_SOUNDS


@pytest.mark.parametrize(("language", "text"), [*CRASHES, ("vi", '"-J'), ("en-us", '"-J'), ("cmn", "🚼瓠䑻")])
def test_the_same_text_through_our_filter_is_spoken_or_refused(
    loader: WorkerLoader, own: Path, language: str, text: str
) -> None:
    speak(own, language)
    model = loaded(loader, own)
    try:
        say(model, text)
    except LanguageUnsupported:
        assert language == "de"
    assert model.alive
    model.unload()


def speak(voice: Path, espeak: str) -> None:
    changed(voice, espeak={"voice": espeak})


def test_voice_of_letters_speaks_them_as_they_are(loader: WorkerLoader, own: Path) -> None:
    changed(own, phoneme_type="text")
    model = loaded(loader, own)
    assert heard(say(model, "Hello"))[0] == "hello"
    model.unload()


@pytest.mark.parametrize(
    ("keys", "text", "sounds"),
    [
        ({"phoneme_type": "hebrew", "espeak": {"voice": "he"}}, "שלום עולם", "ʃˈalom ʔˈolam"),
        ({"espeak": {"voice": "ar"}}, "مرحبا", "murˈaħibˌan"),
    ],
)
def test_language_written_without_vowels_gets_them_back_within_the_estimate(
    loader: WorkerLoader, own: Path, keys: dict[str, object], text: str, sounds: str
) -> None:
    changed(own, **keys)
    model = loaded(loader, own)
    model.verify(CancelSource())
    assert heard(say(model, text))[0] == sounds
    say(model, f"{text} " * 100)
    estimate = SPEC.estimate(ModelProfile(ModelRef("voice"), "piper", path=own))
    assert model.resident_bytes()[CPU] <= estimate.held_bytes
    model.unload()


def test_voice_in_a_folder_of_any_name_speaks(loader: WorkerLoader, own: Path) -> None:
    elsewhere = own.parent / "stimme ü 声 's"
    elsewhere.mkdir()
    for path in (own, own.with_name(f"{own.name}.json")):
        shutil.move(path, elsewhere)
    model = loaded(loader, elsewhere)
    assert heard(say(model, HELLO))[0] == HELLO_SOUNDS
    model.unload()


def test_phonemes_that_the_voice_does_not_know_are_left_out(loader: WorkerLoader, own: Path) -> None:
    ids = json.loads(own.with_name("single.onnx.json").read_text("utf-8"))["phoneme_id_map"]
    changed(own, phoneme_id_map={phoneme: number for phoneme, number in ids.items() if phoneme not in "ɹˈ"})
    model = loaded(loader, own)
    assert heard(say(model, HELLO))[0] == HELLO_SOUNDS.replace("ɹ", "").replace("ˈ", "")
    model.unload()


def test_language_that_is_not_the_voice_s_then_unsupported(single: WorkerModel) -> None:
    request = SynthesisRequest(text="Guten Tag", language=LanguageTag("de"))
    with pytest.raises(LanguageUnsupported) as caught:
        list(single.synthesize(request, CancelSource()))
    assert "en-US" in str(caught.value.context["reason"])
