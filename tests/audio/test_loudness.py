from __future__ import annotations

import threading

import numpy as np
import pytest

from alltalk_plugin.audio.loudness import MAX_GAIN_DB, Leveler, SpeechLevel, SpeechMeter
from alltalk_plugin.domain.audio import Samples
from tests.audio.sounds import silence, speech, tone

RATE = 24_000


def level_of(samples: Samples, rate_hz: int = RATE, size: int = 1_000) -> SpeechLevel | None:
    meter = SpeechMeter(rate_hz)
    for at in range(0, len(samples), size):
        meter.feed(samples[at : at + size])
    return meter.level()


@pytest.mark.parametrize("rate_hz", [8_000, 22_050, 48_000])
def test_meter_measures_the_level_of_a_tone(rate_hz: int) -> None:
    level = level_of(tone(1.0, rate_hz, level=0.2), rate_hz)
    assert level is not None
    assert level.mean_square == pytest.approx(0.02, rel=0.01)
    assert level.seconds == pytest.approx(1.0, abs=0.03)


def test_meter_does_not_count_pauses() -> None:
    words = tone(0.5, RATE)
    alone = level_of(words)
    padded = level_of(np.concatenate((silence(1.0, RATE), words, silence(2.0, RATE), words)))
    assert alone is not None
    assert padded is not None
    assert padded.mean_square == pytest.approx(alone.mean_square, rel=0.02)
    assert padded.seconds == pytest.approx(1.0, abs=0.05)


def test_meter_does_not_count_the_noise_between_words() -> None:
    hiss = np.random.default_rng(1).normal(0, 0.003, RATE).astype(np.float32)
    words = tone(0.5, RATE)
    alone, noisy = level_of(words), level_of(np.concatenate((hiss, words, hiss)))
    assert alone is not None
    assert noisy is not None
    assert noisy.mean_square == pytest.approx(alone.mean_square, rel=0.1)


@pytest.mark.parametrize("samples", [silence(2.0, RATE), tone(0.05, RATE), silence(0.0, RATE)])
def test_meter_says_nothing_without_enough_speech(samples: Samples) -> None:
    assert level_of(samples) is None


@pytest.mark.parametrize(
    ("rms", "gain_db"), [(0.1, 0.0), (0.05, 6.02), (0.2, -6.02), (1e-3, MAX_GAIN_DB), (1.0, -MAX_GAIN_DB)]
)
def test_leveler_gain_reaches_the_target_within_its_bounds(rms: float, gain_db: float) -> None:
    leveler = Leveler(-20.0, 0.97)
    assert leveler.gain_db("ann") is None
    leveler.learn("ann", SpeechLevel(rms**2, 1.0))
    assert leveler.gain_db("ann") == pytest.approx(gain_db, abs=0.01)
    assert leveler.gain_db("bob") is None


def test_leveler_refines_with_every_segment_by_how_much_was_said() -> None:
    leveler = Leveler(-20.0, 0.97)
    leveler.learn("ann", SpeechLevel(0.04, 1.0))
    leveler.learn("ann", SpeechLevel(0.01, 3.0))
    mean_square = (0.04 + 3 * 0.01) / 4
    assert leveler.gain_db("ann") == pytest.approx(-20.0 - 10 * np.log10(mean_square))


def test_leveler_forgets_how_a_voice_was_when_it_changes() -> None:
    leveler = Leveler(-20.0, 0.97)
    leveler.learn("ann", SpeechLevel(0.04, 10_000.0))
    for _ in range(12):
        leveler.learn("ann", SpeechLevel(0.01, 10.0))
    assert leveler.gain_db("ann") == pytest.approx(0.0, abs=0.5)


def test_leveler_loses_nothing_when_many_threads_teach_it() -> None:
    leveler = Leveler(-20.0, 0.97)
    start = threading.Barrier(4)

    def teach(voice: str) -> None:
        start.wait()
        for _ in range(500):
            leveler.learn(voice, SpeechLevel(0.04, 0.01))
            leveler.learn("all", SpeechLevel(0.01, 0.001))

    threads = [threading.Thread(target=teach, args=(f"voice {n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert leveler._levels["all"].seconds == pytest.approx(2.0)
    assert leveler.gain_db("voice 3") == pytest.approx(-6.02, abs=0.01)


def test_speech_of_these_tests_has_pauses() -> None:
    frames = np.abs(speech(2.0, RATE)).reshape(-1, RATE // 50).max(axis=1)
    assert frames.min() < frames.max() / 5
