from __future__ import annotations

import numpy as np
import pytest

from alltalk_plugin.audio.trim import SilenceTrimmer
from alltalk_plugin.domain.audio import Samples
from tests.audio.sounds import silence, tone

RATE = 22_050


def trimmed(samples: Samples, size: int) -> Samples:
    trimmer = SilenceTrimmer(RATE)
    out = [trimmer.feed(samples[at : at + size]) for at in range(0, len(samples), size)]
    return np.concatenate([*out, trimmer.finish()])


@pytest.mark.parametrize("size", [1_000_000, 1_200, 97])
@pytest.mark.parametrize(
    ("before_s", "after_s", "kept_before_s", "kept_after_s"),
    [(0.0, 0.0, 0.0, 0.0), (0.03, 0.02, 0.03, 0.02), (0.5, 0.45, 0.06, 0.06)],
)
def test_trim_keeps_a_little_silence_at_each_end_however_it_is_chunked(
    size: int, before_s: float, after_s: float, kept_before_s: float, kept_after_s: float
) -> None:
    words = np.concatenate((tone(0.2, RATE), silence(0.4, RATE), tone(0.2, RATE)))
    words[[0, -1]] = 0.3  # a sine begins at zero, which is silence
    out = trimmed(np.concatenate((silence(before_s, RATE), words, silence(after_s, RATE))), size)
    assert len(out) == pytest.approx(len(words) + (kept_before_s + kept_after_s) * RATE, abs=1)
    start = round(kept_before_s * RATE)
    np.testing.assert_array_equal(out[start : start + len(words)], words)


def test_trim_gives_nothing_when_all_is_silence() -> None:
    assert len(trimmed(silence(2.0, RATE), 500)) == 0


def test_trim_lets_speech_pass_without_waiting_for_more() -> None:
    loud = np.full(1_000, 0.2, np.float32)
    assert len(SilenceTrimmer(RATE).feed(loud)) == len(loud)
