"""Every engine, in a real worker: what the rest of the package relies on."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile

from alltalk_plugin.domain.cancel import CancelSource
from alltalk_plugin.domain.clock import SystemClock
from alltalk_plugin.domain.errors import (
    LanguageUnsupported,
    ReferenceUnusable,
    TextTooLong,
    VoiceNotFound,
    WorkerCrashed,
)
from alltalk_plugin.swap.learned import Learned
from alltalk_plugin.workers.model import WorkerModel
from alltalk_plugin.workers.supervisor import WorkerLoader
from tests.contract.engines import CANDIDATES, Candidate
from tests.contract.speaking import (
    ask,
    load,
    profile_of,
    say,
    spoken,
    unlike,
)
from tests.engines.coqui.test_references import speech
from tests.memory import most_own_bytes
from tests.neural import environment_of

pytestmark = pytest.mark.slow

CLOSE = 1.15
"""How far above what a model takes the estimate of one that is held to it may be."""

ENDLESS = 1_200
"""Letters without a space, more than one request may hold: an engine may say that they are too many."""


@pytest.fixture(scope="module", params=CANDIDATES, ids=lambda candidate: candidate.name)
def candidate(request: pytest.FixtureRequest) -> Iterator[Candidate]:
    chosen = request.param
    assert isinstance(chosen, Candidate)
    path = chosen.checkpoint(request) if chosen.checkpoint else None
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


@pytest.fixture(scope="module")
def whole(model: WorkerModel, candidate: Candidate) -> int:
    """How many samples the candidate's text takes."""
    return len(spoken(model, ask(candidate)))


def test_load_then_verify_passes(model: WorkerModel) -> None:
    model.verify(CancelSource())


def test_a_second_load_speaks_in_time_and_is_estimated_and_leaves_nothing_behind(
    loader: WorkerLoader, model: WorkerModel, candidate: Candidate
) -> None:
    begun_s = time.perf_counter()
    second = load(loader, candidate)
    loading_bytes = most_own_bytes(second.pid)
    next(second.synthesize(ask(candidate), CancelSource()))
    took_s = time.perf_counter() - begun_s
    for speaker in candidate.speakers:
        say(second, ask(candidate, speaker=speaker))
    estimate = candidate.spec.estimate(profile_of(candidate))
    held_bytes = second.resident_bytes()[estimate.device]
    if candidate.close:  # the longest sentences are what the estimate is for
        longest = f"{' and '.join([candidate.text.rstrip('.')] * 6)[:198]}."
        say(second, ask(candidate, " ".join([longest] * 5)))
    most_bytes = most_own_bytes(second.pid)
    # What admission counts with from now on.
    learned = Learned().with_load("", took_s, held_bytes).peak_bytes("")
    predicted_bytes = max(estimate.load_bytes, learned)
    worker = psutil.Process(second.pid)
    tree = [worker, *worker.children(recursive=True)]
    second.unload()

    assert took_s < candidate.start_s
    assert loading_bytes <= estimate.load_bytes
    assert held_bytes <= estimate.held_bytes <= estimate.load_bytes
    if candidate.close:
        assert most_bytes <= predicted_bytes <= CLOSE * most_bytes
    assert not any(process.is_running() for process in tree)
    assert model.alive


def test_audio_is_float32_mono_in_range_at_one_rate(model: WorkerModel, candidate: Candidate) -> None:
    chunks = say(model, ask(candidate))
    samples = np.concatenate([chunk.samples for chunk in chunks])
    assert {chunk.samples.dtype for chunk in chunks} == {np.dtype(np.float32)}
    assert {chunk.samples.ndim for chunk in chunks} == {1}
    assert len({chunk.sample_rate_hz for chunk in chunks}) == 1
    assert np.abs(samples).max() <= 1.0  # which no NaN is
    assert samples.std() > 0.01
    assert 0.5 < len(samples) / chunks[0].sample_rate_hz < 15.0


def test_every_speaker_speaks(model: WorkerModel, candidate: Candidate) -> None:
    for speaker in candidate.speakers:
        assert spoken(model, ask(candidate, speaker=speaker)).std() > 0.01, speaker


def test_words_come_in_reading_order(model: WorkerModel, candidate: Candidate) -> None:
    for first, second in (candidate.words, candidate.words[::-1]):
        parts = [spoken(model, ask(candidate, text)) for text in (first, second)]
        together = spoken(model, ask(candidate, f"{first} {second}"))
        if candidate.hears is not None:
            alone = "".join(candidate.hears(part) for part in parts)
            assert candidate.hears(together).replace(" ", "") == alone.replace(" ", "")
        cut = round(len(together) * len(parts[0]) / (len(parts[0]) + len(parts[1])))
        if not candidate.one_tone:
            assert unlike(together[:cut], parts[0]) < unlike(together[:cut], parts[1])
            assert unlike(together[cut:], parts[1]) < unlike(together[cut:], parts[0])


def test_every_sentence_is_spoken_once(model: WorkerModel, candidate: Candidate, whole: int) -> None:
    three = len(spoken(model, ask(candidate, f"{candidate.text} {candidate.text} {candidate.text}")))
    assert 2.5 < three / whole < 3.5


def test_first_chunk_of_a_long_text_comes_long_before_the_last(
    model: WorkerModel, candidate: Candidate
) -> None:
    begun_s = time.perf_counter()
    came_s = [
        time.perf_counter() - begun_s
        for _chunk in model.synthesize(ask(candidate, f"{candidate.text} " * 8), CancelSource())
    ]
    assert len(came_s) >= 3
    assert came_s[0] < max(0.6 * came_s[-1], 0.2)


def test_rate_makes_speech_shorter_where_it_is_followed(
    model: WorkerModel, candidate: Candidate, whole: int
) -> None:
    fast = len(spoken(model, ask(candidate, rate=1.6)))
    assert fast < 0.8 * whole if candidate.follows_rate else 0.8 * whole < fast < 1.2 * whole


def test_cancel_after_the_first_chunk_ends_at_once_and_the_next_request_is_whole(
    model: WorkerModel, candidate: Candidate, whole: int
) -> None:
    cancel = CancelSource()
    stream = model.synthesize(ask(candidate, f"{candidate.text} " * 200), cancel)
    next(stream)
    begun_s = time.perf_counter()
    cancel.cancel()
    assert list(stream) == []
    ended_s = time.perf_counter() - begun_s
    again = len(spoken(model, ask(candidate)))
    assert time.perf_counter() - begun_s < candidate.stop_s
    assert ended_s < 0.5  # whoever asked never waits for the engine
    assert abs(again - whole) < 0.2 * whole


def test_cancel_before_the_first_chunk_then_no_audio(model: WorkerModel, candidate: Candidate) -> None:
    cancel = CancelSource()
    cancel.cancel()
    assert list(model.synthesize(ask(candidate), cancel)) == []
    assert say(model, ask(candidate))


def test_unknown_speaker_then_voice_not_found_and_the_model_lives(
    model: WorkerModel, candidate: Candidate
) -> None:
    for speaker in ("nobody-of-that-name", "../../etc/passwd", "en-us+nobody"):
        with pytest.raises(VoiceNotFound) as caught:
            say(model, ask(candidate, speaker=speaker))
        assert caught.value.context["voice"] == speaker
        assert caught.value.hint
    assert say(model, ask(candidate))


def test_misspelt_speaker_then_the_nearest_is_named(model: WorkerModel, candidate: Candidate) -> None:
    wrong, right = candidate.nearest or ("nobody-of-that-name", None)
    with pytest.raises(VoiceNotFound) as caught:
        say(model, ask(candidate, speaker=wrong))
    assert caught.value.context.get("nearest") == right
    assert right is None or right in caught.value.hint


def test_foreign_language_then_unsupported_with_a_reason(model: WorkerModel, candidate: Candidate) -> None:
    with pytest.raises(LanguageUnsupported) as caught:
        say(model, ask(candidate, language=candidate.foreign))
    assert caught.value.context["reason"]
    assert caught.value.context["model"] == "contract"
    assert say(model, ask(candidate))


def test_unreadable_script_then_unsupported_and_never_filler(
    model: WorkerModel, candidate: Candidate
) -> None:
    with pytest.raises(LanguageUnsupported):
        say(model, ask(candidate, candidate.unreadable))
    assert say(model, ask(candidate))


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
        "hello " * 5 + "\ud800 \ufffe \u202e world",
        "e\u0301" * 50,
        "?!?!?!?!,,,,;;;; ok",
    ],
)
def test_odd_text_is_spoken(model: WorkerModel, candidate: Candidate, text: str) -> None:
    assert spoken(model, ask(candidate, text)).std() > 0.005


def test_a_word_without_end_is_spoken_or_too_long(model: WorkerModel, candidate: Candidate) -> None:
    assert spoken(model, ask(candidate, "a" * candidate.longest_word)).std() > 0.005
    if candidate.longest_word < ENDLESS:
        for endless in ("a" * ENDLESS, "1234567890" * 12):
            with pytest.raises(TextTooLong):
                say(model, ask(candidate, endless))
    else:
        assert spoken(model, ask(candidate, "1234567890" * 12)).std() > 0.005
    assert say(model, ask(candidate))


def test_text_after_a_nul_is_spoken_too(model: WorkerModel, candidate: Candidate, whole: int) -> None:
    both = spoken(model, ask(candidate, f"{candidate.text} \0 {candidate.text}"))
    assert len(both) > 1.6 * whole


def test_very_long_text_streams_and_can_be_left_in_the_middle(
    model: WorkerModel, candidate: Candidate
) -> None:
    before = model.resident_bytes()
    stream = model.synthesize(ask(candidate, f"{candidate.text} " * 2_000), CancelSource())
    heard_s = 0.0
    while heard_s < 5.0:
        heard_s += next(stream).duration_s
    stream.close()  # type: ignore[attr-defined]  # the port promises an iterator; ours is a generator
    assert say(model, ask(candidate))
    grown = sum(model.resident_bytes().values()) - sum(before.values())
    assert grown < 50_000_000


def test_concurrent_callers_each_get_their_own_words(
    model: WorkerModel, candidate: Candidate, whole: int
) -> None:
    together: dict[int, int] = {}

    def work(times: int) -> None:
        together[times] = len(spoken(model, ask(candidate, f"{candidate.text} " * times)))

    threads = [threading.Thread(target=work, args=(times,)) for times in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60.0)
    for times in (1, 2, 3):
        assert abs(together[times] - times * whole) < 0.4 * whole


def test_reference_audio_is_followed_where_the_model_clones_and_hurts_nobody_else(
    model: WorkerModel, candidate: Candidate, tmp_path: Path
) -> None:
    recording, silence = tmp_path / "voice.wav", tmp_path / "silence.wav"
    soundfile.write(recording, speech(4.0, rate_hz=22_050), 22_050, subtype="FLOAT")
    soundfile.write(silence, np.zeros(90_000), 22_050)
    clones = candidate.spec.describe(profile_of(candidate)).clones
    own = spoken(model, ask(candidate))
    for path in (silence, tmp_path / "missing.wav"):
        try:
            said = spoken(model, ask(candidate, reference_audio=(path,)))
            assert not clones
            assert said.std() > 0.01
        except ReferenceUnusable as error:
            assert error.context["path"] == str(path)
            assert error.context["reason"]
    if clones:
        cloned = spoken(model, ask(candidate, reference_audio=(recording,)))
        assert cloned.std() > 0.01
        assert not np.array_equal(cloned, own)
    assert say(model, ask(candidate))


def test_worker_that_is_killed_while_it_speaks_then_its_caller_is_told_and_the_other_speaks(
    loader: WorkerLoader, model: WorkerModel, candidate: Candidate
) -> None:
    died = threading.Event()
    other = load(loader, candidate, lambda _death: died.set())
    stream = other.synthesize(ask(candidate, f"{candidate.text} " * 200), CancelSource())
    next(stream)
    psutil.Process(other.pid).kill()
    with pytest.raises(WorkerCrashed) as caught:
        list(stream)
    assert caught.value.context["model"] == "contract"
    assert died.wait(10.0)
    assert not other.alive
    with pytest.raises(WorkerCrashed):
        say(other, ask(candidate))
    assert say(model, ask(candidate))
