from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import soundfile

from alltalk_plugin.audio.measure import envelope, peak, read_audio, rms_dbfs
from alltalk_plugin.domain.errors import AudioError
from tests.audio.sounds import tone

NOTHING = np.zeros(0, np.float32)


def test_levels_of_a_tone_are_those_of_its_amplitude() -> None:
    samples = tone(1.0, 24_000, level=0.5)
    assert peak(samples) == pytest.approx(0.5, abs=1e-3)
    assert rms_dbfs(samples) == pytest.approx(20 * math.log10(0.5 / math.sqrt(2)), abs=0.01)


@pytest.mark.parametrize("samples", [NOTHING, np.zeros(9, np.float32)])
def test_silence_has_no_level(samples: np.ndarray[tuple[int], np.dtype[np.float32]]) -> None:
    assert rms_dbfs(samples) == -math.inf
    assert peak(samples) == 0.0


def test_envelope_has_the_extremes_of_each_stretch() -> None:
    samples = np.array([1, -1, 0.5, 0.25, -3, 2], np.float32)
    assert envelope(samples, 3).tolist() == [[-1, 1], [0.25, 0.5], [-3, 2]]
    assert envelope(samples[:1], 3).tolist() == [[1, 1]] * 3
    assert envelope(NOTHING, 2).tolist() == [[0, 0], [0, 0]]


def test_file_is_read_as_mono(tmp_path: Path) -> None:
    path = tmp_path / "stereo.wav"
    left = tone(0.5, 16_000)
    soundfile.write(path, np.stack((left, -left / 2), axis=1), 16_000, subtype="FLOAT")
    chunk = read_audio(path)
    assert chunk.sample_rate_hz == 16_000
    assert chunk.duration_s == 0.5
    np.testing.assert_allclose(chunk.samples, left / 4, atol=1e-6)


@pytest.mark.parametrize("name", ["missing.wav", "text.wav"])
def test_file_that_is_no_audio_is_an_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "text.wav").write_text("not audio")
    with pytest.raises(AudioError, match=name):
        read_audio(tmp_path / name)
