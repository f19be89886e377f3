"""Every engine, in a real worker: what the rest of the package relies on."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import psutil
import pytest

from alltalk_plugin.domain.audio import AudioChunk, Samples
from alltalk_plugin.domain.cancel import CancelSource
from alltalk_plugin.domain.clock import SystemClock
from alltalk_plugin.domain.engines import SynthesisRequest
from alltalk_plugin.domain.errors import LanguageUnsupported, VoiceNotFound
from alltalk_plugin.domain.models import ModelKey, ModelProfile, ModelRef
from alltalk_plugin.workers.model import WorkerModel
from alltalk_plugin.workers.supervisor import WorkerLoader
from tests.contract.engines import CANDIDATES, Candidate
from tests.neural import environment_of

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=CANDIDATES, ids=lambda candidate: candidate.spec.name)
def candidate(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Candidate]:
    chosen = request.param
    assert isinstance(chosen, Candidate)
    path = chosen.write(tmp_path_factory.mktemp(chosen.spec.name)) if chosen.write else None
    with chosen.beside() as options:
        yield replace(chosen, options={**chosen.options, **options}, path=path)


@pytest.fixture(scope="module")
def loader() -> Iterator[WorkerLoader]:
    engines = {one.spec.name: one.spec for one in CANDIDATES}
    loader = WorkerLoader(engines, clock=SystemClock(), environment_of=environment_of)
    yield loader
    loader.close()


@pytest.fixture(scope="module")
def model(loader: WorkerLoader, candidate: Candidate) -> Iterator[WorkerModel]:
    model = load(loader, candidate)
    yield model
    model.unload()


def profile_of(candidate: Candidate) -> ModelProfile:
    return ModelProfile(
        ModelRef("contract"), candidate.spec.name, path=candidate.path, options=candidate.options
    )


def load(loader: WorkerLoader, candidate: Candidate) -> WorkerModel:
    profile = profile_of(candidate)
    key = ModelKey(candidate.spec.name, profile.ref, candidate.spec.revision(profile))
    return loader.load(profile, key, CancelSource(), lambda _death: None)


def ask(candidate: Candidate, text: str | None = None) -> SynthesisRequest:
    return SynthesisRequest(text=candidate.text if text is None else text, language=candidate.language)


def say(model: WorkerModel, request: SynthesisRequest) -> list[AudioChunk]:
    return list(model.synthesize(request, CancelSource()))


def joined(chunks: list[AudioChunk]) -> Samples:
    return np.concatenate([chunk.samples for chunk in chunks])


def test_load_then_verify_passes(model: WorkerModel) -> None:
    model.verify(CancelSource())


def test_first_audio_of_a_cold_model_comes_in_time(loader: WorkerLoader, candidate: Candidate) -> None:
    begun = time.perf_counter()
    model = load(loader, candidate)
    next(model.synthesize(ask(candidate), CancelSource()))
    took_s = time.perf_counter() - begun
    model.unload()
    assert took_s < candidate.start_s


def test_audio_is_float32_mono_in_range_at_one_rate(model: WorkerModel, candidate: Candidate) -> None:
    chunks = say(model, ask(candidate))
    samples = joined(chunks)
    assert {chunk.samples.dtype for chunk in chunks} == {np.dtype(np.float32)}
    assert {chunk.samples.ndim for chunk in chunks} == {1}
    assert len({chunk.sample_rate_hz for chunk in chunks}) == 1
    assert np.abs(samples).max() <= 1.0
    assert samples.std() > 0.01
    assert 1.0 < len(samples) / chunks[0].sample_rate_hz < 15.0


def test_every_speaker_speaks(model: WorkerModel, candidate: Candidate) -> None:
    for speaker in candidate.speakers:
        assert joined(say(model, replace(ask(candidate), speaker=speaker))).std() > 0.01, speaker


def test_chunks_come_in_reading_order(model: WorkerModel, candidate: Candidate) -> None:
    # Loud speech after a long quiet beginning must stay at the end, whatever the chunking.
    two = joined(say(model, ask(candidate, f"{candidate.text} {candidate.text} {candidate.text}")))
    one = joined(say(model, ask(candidate)))
    assert 2.0 < len(two) / len(one) < 4.0


def test_rate_makes_speech_shorter(model: WorkerModel, candidate: Candidate) -> None:
    normal = len(joined(say(model, ask(candidate))))
    fast = len(joined(say(model, replace(ask(candidate), rate=1.6))))
    assert fast < 0.8 * normal


def test_estimate_is_an_upper_bound_after_all_speakers_spoke(
    model: WorkerModel, candidate: Candidate
) -> None:
    for speaker in candidate.speakers:
        say(model, replace(ask(candidate), speaker=speaker))
    estimate = candidate.spec.estimate(profile_of(candidate))
    assert model.resident_bytes()[estimate.device] <= estimate.held_bytes <= estimate.load_bytes


def test_cancel_after_the_first_chunk_ends_at_once_and_the_next_request_is_whole(
    model: WorkerModel, candidate: Candidate
) -> None:
    whole = len(joined(say(model, ask(candidate))))
    cancel = CancelSource()
    stream = model.synthesize(ask(candidate, candidate.text * 200), cancel)
    next(stream)
    begun = time.perf_counter()
    cancel.cancel()
    assert list(stream) == []
    again = len(joined(say(model, ask(candidate))))
    assert time.perf_counter() - begun < candidate.stop_s
    assert abs(again - whole) < 0.2 * whole


def test_unknown_speaker_then_voice_not_found_and_the_model_lives(
    model: WorkerModel, candidate: Candidate
) -> None:
    for speaker in ("nobody-of-that-name", "../../etc/passwd", "en-us+nobody"):
        with pytest.raises(VoiceNotFound):
            say(model, replace(ask(candidate), speaker=speaker))
    assert say(model, ask(candidate))


def test_foreign_language_then_unsupported_with_a_reason(model: WorkerModel, candidate: Candidate) -> None:
    with pytest.raises(LanguageUnsupported) as caught:
        say(model, replace(ask(candidate), language=candidate.foreign))
    assert caught.value.context["reason"]
    assert caught.value.context["model"] == "contract"


def test_unreadable_script_then_unsupported_and_never_filler(
    model: WorkerModel, candidate: Candidate
) -> None:
    with pytest.raises(LanguageUnsupported):
        say(model, ask(candidate, candidate.unreadable))


@pytest.mark.parametrize("text", ["", " ", "...", "\0", "“”—!?", "😀🚼", "\n\n", "\ud800", "*", "\u0301"])
def test_text_with_nothing_to_say_then_no_audio_and_no_error(
    model: WorkerModel, candidate: Candidate, text: str
) -> None:
    assert say(model, ask(candidate, text)) == []


@pytest.mark.parametrize(
    "text",
    [
        "before\0after",
        "<speak><prosody rate='x-slow'>hello",
        "[[h@l'oU]]",
        "a" * 3_000,
        "1234567890" * 30,
        "hello " * 5 + "\ud800 \ufffe \u202e world",
        "e\u0301" * 50,
        "?!?!?!?!,,,,;;;; ok",
    ],
)
def test_odd_text_is_spoken(model: WorkerModel, candidate: Candidate, text: str) -> None:
    assert joined(say(model, ask(candidate, text))).std() > 0.005


def test_text_after_a_nul_is_spoken_too(model: WorkerModel, candidate: Candidate) -> None:
    whole = joined(say(model, ask(candidate, f"{candidate.text} \0 {candidate.text}")))
    assert len(whole) > 1.6 * len(joined(say(model, ask(candidate))))


def test_very_long_text_streams_and_can_be_left_in_the_middle(
    model: WorkerModel, candidate: Candidate
) -> None:
    before = model.resident_bytes()
    stream = model.synthesize(ask(candidate, candidate.text * 2_000), CancelSource())
    first_s = sum(next(stream).duration_s for _ in range(50))
    stream.close()  # type: ignore[attr-defined]  # the port promises an iterator; ours is a generator
    assert first_s > 5.0
    assert say(model, ask(candidate))
    grown = sum(model.resident_bytes().values()) - sum(before.values())
    assert grown < 50_000_000


def test_concurrent_callers_each_get_their_own_words(model: WorkerModel, candidate: Candidate) -> None:
    texts = [candidate.text * count for count in (1, 2, 3, 4)]
    alone = [len(joined(say(model, ask(candidate, text)))) for text in texts]
    together: dict[int, int] = {}

    def work(index: int) -> None:
        together[index] = len(joined(say(model, ask(candidate, texts[index]))))

    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(texts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60.0)
    for index, length in enumerate(alone):
        assert abs(together[index] - length) < 0.2 * length


def test_unload_returns_the_memory(loader: WorkerLoader, candidate: Candidate) -> None:
    model = load(loader, candidate)
    say(model, ask(candidate))
    pid = model.pid
    model.unload()
    assert not psutil.pid_exists(pid)


def test_crash_of_one_worker_leaves_the_other_speaking(
    loader: WorkerLoader, model: WorkerModel, candidate: Candidate
) -> None:
    died = threading.Event()
    profile = profile_of(candidate)
    key = ModelKey(candidate.spec.name, profile.ref, "")
    other = loader.load(profile, key, CancelSource(), lambda _death: died.set())
    psutil.Process(other.pid).kill()
    assert died.wait(10.0)
    assert not other.alive
    assert say(model, ask(candidate))
