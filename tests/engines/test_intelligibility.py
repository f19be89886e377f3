"""Whether a machine that was trained on people understands what eSpeak says: a choice among twenty sentences.

Chance is 0.05. Free dictation would measure the recogniser's small language model instead (0.62 wrong words
on the same audio). The two controls show that the test can fail.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest
import soxr
from pocketsphinx import Decoder

from alltalk_plugin.domain.cancel import CancelSource
from alltalk_plugin.domain.clock import SystemClock
from alltalk_plugin.domain.engines import SynthesisRequest
from alltalk_plugin.engines.espeak_spec import SPEC
from alltalk_plugin.workers.model import WorkerModel
from alltalk_plugin.workers.supervisor import WorkerLoader
from tests.workers.rude_spec import load

pytestmark = pytest.mark.slow

RATE_HZ = 16_000
PAD_S = 0.2
NOISE_RMS = 8.0  # of 32,768: the recogniser's level tracking fails on digital silence
SENTENCES = (
    "the weather is very nice this morning",
    "please close the window before you leave",
    "my brother bought a new car last week",
    "we should meet again on friday evening",
    "the children are playing in the garden",
    "she opened the old book and began to read",
    "there is nothing left to eat in the house",
    "he walked slowly along the empty street",
    "can you tell me where the station is",
    "the river was frozen for most of the winter",
    "i forgot to bring my umbrella with me",
    "they live in a small town near the sea",
    "the doctor asked him several questions",
    "a black cat was sleeping on the chair",
    "you have to turn left at the next corner",
    "our teacher told us a story about dragons",
    "the train to london leaves in ten minutes",
    "someone is knocking at the kitchen door",
    "the king gave half of his gold to the poor",
    "it was too dark to see the mountain",
)
GRAMMAR = "#JSGF V1.0;\ngrammar choice;\npublic <choice> = " + " | ".join(SENTENCES) + ";\n"


@pytest.fixture(scope="module")
def espeak() -> Iterator[WorkerModel]:
    loader = WorkerLoader({SPEC.name: SPEC}, clock=SystemClock())
    model = load(loader, engine="espeak")
    assert isinstance(model, WorkerModel)
    yield model
    loader.close()


@pytest.fixture(scope="module")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> Decoder:
    grammar = tmp_path_factory.mktemp("grammar") / "choice.jsgf"
    grammar.write_text(GRAMMAR)
    # Wide beams: with the default ones some utterances come back empty.
    return Decoder(lm=None, jsgf=str(grammar), beam=1e-100, wbeam=1e-80, pbeam=1e-100, loglevel="FATAL")


def spoken(model: WorkerModel, request: SynthesisRequest, noise: np.random.Generator) -> bytes:
    """16-bit audio at 16 kHz, padded, with a little noise."""
    chunks = list(model.synthesize(request, CancelSource()))
    samples = np.concatenate([chunk.samples for chunk in chunks])
    at_16_khz: npt.NDArray[np.float32] = soxr.resample(samples, chunks[0].sample_rate_hz, RATE_HZ)
    padded = np.pad(at_16_khz.astype(np.float64) * 32_767, round(PAD_S * RATE_HZ))
    noisy = padded + noise.normal(0, NOISE_RMS, len(padded))
    return np.clip(noisy, -32_768, 32_767).astype("<i2").tobytes()


def share_understood(model: WorkerModel, decoder: Decoder, *, speaker: str, rate: float = 1.0) -> float:
    noise = np.random.default_rng(7)
    right = 0
    for sentence in SENTENCES:
        request = SynthesisRequest(text=sentence, speaker=speaker, rate=rate)
        decoder.start_utt()
        decoder.process_raw(spoken(model, request, noise), no_search=False, full_utt=True)
        decoder.end_utt()
        heard = decoder.hyp()
        right += heard is not None and heard.hypstr == sentence
    return right / len(SENTENCES)


def test_english_is_understood(espeak: WorkerModel, decoder: Decoder) -> None:
    share = share_understood(espeak, decoder, speaker="en-us")
    print(f"en-us at 175 words a minute: {share:.2f}")
    assert share >= 0.70


def test_english_read_by_a_german_voice_is_not(espeak: WorkerModel, decoder: Decoder) -> None:
    share = share_understood(espeak, decoder, speaker="de")
    print(f"German voice: {share:.2f}")
    assert share <= 0.20


def test_english_at_450_words_a_minute_is_not(espeak: WorkerModel, decoder: Decoder) -> None:
    share = share_understood(espeak, decoder, speaker="en-us", rate=450 / 175)
    print(f"en-us at 450 words a minute: {share:.2f}")
    assert share <= 0.20
