from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alltalk_plugin.audio.limiter import LOOK_AHEAD_S, PeakLimiter
from alltalk_plugin.domain.audio import Samples
from tests.audio.sounds import speech, tone

RATE = 24_000


def limited(samples: Samples, ceiling: float, size: int, rate_hz: int = RATE) -> Samples:
    limiter = PeakLimiter(ceiling, rate_hz)
    out = [limiter.feed(samples[at : at + size]) for at in range(0, len(samples), size)]
    return np.concatenate([*out, limiter.finish()])


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    length=st.integers(0, 3_000),
    size=st.integers(1, 1_000),
    ceiling=st.sampled_from([0.11, 0.5, 0.97, 1.0]),
    loudness=st.sampled_from([0.1, 1.0, 9.0]),
)
def test_limiter_never_passes_the_ceiling_and_keeps_the_length(
    seed: int, length: int, size: int, ceiling: float, loudness: float
) -> None:
    noise = np.random.default_rng(seed).uniform(-loudness, loudness, length).astype(np.float32)
    out = limited(noise, ceiling, size)
    assert len(out) == length
    assert float(np.abs(out).max(initial=0.0)) <= ceiling
    np.testing.assert_allclose(out, limited(noise, ceiling, max(1, length)), atol=1e-6)


def test_limiter_leaves_quiet_audio_untouched() -> None:
    quiet = speech(1.0, RATE, level=0.05)
    np.testing.assert_array_equal(limited(quiet, 0.97, 480), quiet)


def test_limiter_turns_the_gain_smoothly_around_a_peak() -> None:
    # A constant with one peak of four times the ceiling shows the gain itself.
    flat = np.full(RATE, 0.5, np.float32)
    flat[RATE // 2] = 4.0
    out = limited(flat, 1.0, 1_000)
    gain = out / flat
    steps = np.abs(np.diff(gain))
    window = round(LOOK_AHEAD_S * RATE)
    assert gain[RATE // 2] <= 0.25
    assert steps.max() <= 1.0 / window
    assert gain[RATE // 2 - 2 * window] == gain[RATE // 2 + 2 * window] == pytest.approx(1.0)


def test_limiter_gives_full_height_to_a_loud_tone_without_clipping_its_tops() -> None:
    loud = tone(0.5, RATE, level=2.0, pitch_hz=200.0)
    out = limited(loud, 0.97, 1_000)
    middle = out[RATE // 10 : -RATE // 10]
    np.testing.assert_allclose(middle, loud[RATE // 10 : -RATE // 10] * 0.97 / 2.0, atol=1e-3)


def test_limiter_holds_back_no_more_than_its_look_ahead() -> None:
    limiter = PeakLimiter(0.97, RATE)
    assert len(limiter.feed(tone(0.1, RATE))) >= 0.1 * RATE - LOOK_AHEAD_S * RATE
