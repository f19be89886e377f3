"""VITS and models of two parts in real workers: tiny models of the library's own making."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest

from alltalk_plugin.domain.audio import AudioChunk, Samples
from alltalk_plugin.domain.cancel import CancelSource
from alltalk_plugin.domain.clock import SystemClock
from alltalk_plugin.domain.engines import SynthesisRequest
from alltalk_plugin.domain.errors import LanguageUnsupported, UnsafeCheckpoint, VoiceNotFound
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.models import ModelKey, ModelProfile, ModelRef
from alltalk_plugin.engines.coqui.spec import SPEC
from alltalk_plugin.workers.model import WorkerModel
from alltalk_plugin.workers.supervisor import WorkerLoader
from tests.engines.coqui.handmade import Calls, write_model, write_zip
from tests.memory import most_own_bytes
from tests.neural import environment_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

TEXT = "This is a short test of the voice."
EN, DE = LanguageTag("en"), LanguageTag("de")
LONG = " ".join(["the quick brown fox jumps over the lazy dog and runs away from it"] * 4)[:199]


@pytest.fixture(scope="module")
def loader() -> Iterator[WorkerLoader]:
    loader = WorkerLoader({SPEC.name: SPEC}, clock=SystemClock(), environment_of=environment_of)
    yield loader
    loader.close()


def profile_of(path: Path) -> ModelProfile:
    return ModelProfile(ModelRef(path.name), SPEC.name, path=path)


def load(loader: WorkerLoader, path: Path) -> WorkerModel:
    profile = profile_of(path)
    return loader.load(profile, ModelKey(SPEC.name, profile.ref, ""), CancelSource(), lambda _death: None)


@pytest.fixture(scope="module")
def single(loader: WorkerLoader, coqui: Mapping[str, Path]) -> Iterator[WorkerModel]:
    model = load(loader, coqui["vits"])
    yield model
    model.unload()


@pytest.fixture(scope="module")
def many(loader: WorkerLoader, coqui: Mapping[str, Path]) -> Iterator[WorkerModel]:
    """Four speakers, three languages."""
    model = load(loader, coqui["vits_languages"])
    yield model
    model.unload()


def say(model: WorkerModel, text: str = TEXT, **asked: object) -> list[AudioChunk]:
    request = replace(SynthesisRequest(text=text), **asked)  # type: ignore[arg-type]  # by name
    return list(model.synthesize(request, CancelSource()))


def joined(chunks: list[AudioChunk]) -> Samples:
    return np.concatenate([chunk.samples for chunk in chunks])


@pytest.mark.parametrize(
    "name", ["vits_speakers", "glow", "glow_melgan", "tacotron2_melgan", "vits_safetensors"]
)
def test_each_kind_of_model_passes_its_self_test_within_its_estimate(
    loader: WorkerLoader, coqui: Mapping[str, Path], name: str
) -> None:
    model = load(loader, coqui[name])
    try:
        estimate = SPEC.estimate(profile_of(coqui[name]))
        assert most_own_bytes(model.pid) <= estimate.load_bytes
        model.verify(CancelSource())
        for characters in (44, 200, 1_000):
            say(model, (f"{LONG} " * 6)[:characters])
        held = model.resident_bytes()[estimate.device]
        assert held <= estimate.held_bytes <= 1.25 * held
        assert most_own_bytes(model.pid) <= estimate.load_bytes
    finally:
        model.unload()


def test_audio_has_no_silence_added_to_its_end(single: WorkerModel) -> None:
    end = joined(say(single))[-2_000:]
    assert np.abs(end).max() > 0


def test_a_sentence_comes_in_pieces_and_the_first_is_short(single: WorkerModel) -> None:
    chunks = say(single, LONG)
    assert chunks[0].duration_s < 0.6
    assert len(chunks) > 4
    assert {chunk.sample_rate_hz for chunk in chunks} == {22_050}


def test_a_model_of_two_parts_speaks_in_windows_of_sentences(
    loader: WorkerLoader, coqui: Mapping[str, Path]
) -> None:
    model = load(loader, coqui["glow_melgan"])
    three, long = say(model, "One is here. Two is here! Is three here?"), say(model, LONG)
    model.unload()
    assert len(three) >= 3
    assert len(long) > 4
    assert long[0].duration_s < 0.6


def test_cancel_between_sentences_ends_the_speech(single: WorkerModel) -> None:
    cancel = CancelSource()
    stream = single.synthesize(SynthesisRequest(text=f"{TEXT} " * 100), cancel)
    next(stream)
    cancel.cancel()
    assert list(stream) == []
    begun = time.perf_counter()
    assert say(single)
    assert time.perf_counter() - begun < 10.0


def test_rate_is_followed_and_pitch_is_the_models_own(single: WorkerModel) -> None:
    normal, fast = len(joined(say(single))), len(joined(say(single, rate=2.0)))
    assert fast < 0.8 * normal
    assert len(joined(say(single))) == normal
    assert len(joined(say(single, pitch_semitones=5.0))) == normal


def test_speakers_differ_and_the_first_is_the_default(many: WorkerModel) -> None:
    """Each has a pace of their own, which no noise changes."""
    ada, ben, nobody = (len(joined(say(many, speaker=name))) for name in ("Ada", "Ben", None))
    assert ada == nobody != ben


def test_unknown_speaker_then_voice_not_found_with_the_nearest(many: WorkerModel) -> None:
    with pytest.raises(VoiceNotFound) as caught:
        say(many, speaker="Clea")
    assert caught.value.context["nearest"] == "Cleo"
    assert "Cleo" in caught.value.hint
    assert say(many)


def test_languages_by_tag_and_an_unknown_one_refused(many: WorkerModel) -> None:
    for tag in ("en-GB", "de", "fr", "fr-CA"):
        assert joined(say(many, language=LanguageTag(tag))).std() > 0.01
    with pytest.raises(LanguageUnsupported) as caught:
        say(many, language=LanguageTag("ja"))
    assert caught.value.context["reason"] == "the model speaks en, de, fr-FR"


def test_a_text_without_a_letter_of_the_model_then_unsupported_not_noise(single: WorkerModel) -> None:
    with pytest.raises(LanguageUnsupported):
        say(single, "Привет, мир!")
    assert say(single, "😀 ... !") == []


def test_a_payload_then_unsafe_through_the_pipe_and_not_run(loader: WorkerLoader, tmp_path: Path) -> None:
    import pickle

    mark = tmp_path / "made"
    folder = write_model(tmp_path / "bad")
    write_zip(folder / "model.pth", pickle.dumps(Calls(os.mkdir, str(mark)), protocol=2))
    with pytest.raises(UnsafeCheckpoint) as caught:
        load(loader, folder)
    assert caught.value.context["phase"] == "load"
    assert not mark.exists()


def test_two_callers_each_get_their_own_words(single: WorkerModel) -> None:
    alone = len(joined(say(single, "Short."))), len(joined(say(single, LONG)))
    got: dict[str, int] = {}

    def work(text: str) -> None:
        got[text] = len(joined(say(single, text)))

    threads = [threading.Thread(target=work, args=(text,)) for text in ("Short.", LONG)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60.0)
    assert (got["Short."], got[LONG]) == alone


def test_unload_ends_the_process(loader: WorkerLoader, coqui: Mapping[str, Path]) -> None:
    model = load(loader, coqui["vits"])
    pid = model.pid
    model.unload()
    assert not psutil.pid_exists(pid)
