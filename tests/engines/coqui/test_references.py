from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from alltalk_plugin.domain.errors import ReferenceUnusable
from alltalk_plugin.engines.coqui.references import (
    KEPT_S,
    MOST_READ_S,
    check_reference,
    clipped_share,
    judged,
    read_reference,
    trimmed,
)

RATE_HZ = 16_000
Signal = npt.NDArray[np.float32]


def speech(seconds: float, *, level: float = 0.3, rate_hz: int = RATE_HZ) -> Signal:
    """Noise that swells and fades four times a second, as syllables do."""
    rng = np.random.default_rng(1)
    times = np.arange(round(seconds * rate_hz)) / rate_hz
    swell = 0.6 + 0.4 * np.sin(2 * np.pi * 4 * times)
    return (level * swell * rng.uniform(-1, 1, len(times))).astype(np.float32)


def silence(seconds: float, *, level: float = 0.0) -> Signal:
    rng = np.random.default_rng(2)
    return (level * rng.uniform(-1, 1, round(seconds * RATE_HZ))).astype(np.float32)


def written(folder: Path, samples: Signal, name: str = "voice.wav", rate_hz: int = RATE_HZ) -> Path:
    path = folder / name
    soundfile.write(path, samples, rate_hz, subtype="FLOAT" if name.endswith("wav") else None)
    return path


def test_reference_when_it_is_good_then_its_silence_is_cut_and_nothing_is_said(tmp_path: Path) -> None:
    samples = np.concatenate((silence(2, level=0.001), speech(5), silence(1, level=0.001)))
    report = check_reference(written(tmp_path, samples))
    assert report.duration_s == pytest.approx(8)
    assert report.trimmed_s == pytest.approx(5 + 2 * KEPT_S, abs=0.05)
    assert 0.25 < report.peak <= 0.3
    assert -20 < report.level_dbfs < -14
    assert report.warnings == ()


@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        (silence(4), "silent"),
        (silence(4, level=0.002), "silent"),
        (np.zeros(0, np.float32), "silent"),
        (speech(0.8), "0.8 s of sound, 1 s are the least"),
        (np.concatenate((silence(5), speech(0.5), silence(5))), "0.7 s of sound"),
        (np.sign(speech(4)) * np.float32(0.5), "clipped: 100%"),
        (np.clip(speech(4) * 30, -1, 1), "clipped"),
        (np.where(np.arange(4 * RATE_HZ) == 9, np.float32(np.nan), speech(4)), "not finite"),
        (np.stack((speech(4), -speech(4)), axis=1), "channels cancel each other"),
    ],
    ids=["digital", "noise", "empty", "short", "mostly silence", "square", "overdriven", "nan", "antiphase"],
)
def test_reference_when_it_cannot_be_cloned_from_then_path_and_reason_are_said(
    tmp_path: Path, samples: Signal, reason: str
) -> None:
    path = written(tmp_path, samples)
    with pytest.raises(ReferenceUnusable) as caught:
        check_reference(path)
    assert reason in str(caught.value.context["reason"])
    assert caught.value.context["path"] == str(path)
    assert "voice.wav" in caught.value.message
    assert caught.value.code == "reference_unusable"


def test_reference_when_it_is_missing_or_a_folder_then_unusable(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.wav", tmp_path):
        with pytest.raises(ReferenceUnusable, match="no such file"):
            check_reference(path)


@pytest.mark.parametrize("content", [b"", b"RIFF", b"this is a text and no sound at all" * 100])
def test_reference_when_it_is_no_audio_then_unusable(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "voice.wav"
    path.write_bytes(content)
    with pytest.raises(ReferenceUnusable, match="no audio that can be read"):
        check_reference(path)


@pytest.mark.parametrize(
    ("samples", "warning"),
    [
        (speech(2), "2.0 s are short"),
        (speech(40), "only the first 30 s"),
        (np.clip(speech(5) * 5, -1, 1), "distorted"),
        (speech(5, level=0.02), "quiet"),
    ],
    ids=["short", "long", "distorted", "quiet"],
)
def test_reference_when_it_could_be_better_then_it_is_usable_with_a_warning(
    tmp_path: Path, samples: Signal, warning: str
) -> None:
    report = check_reference(written(tmp_path, samples))
    assert len(report.warnings) == 1
    assert warning in report.warnings[0]


@pytest.mark.parametrize(
    ("name", "rate_hz"), [("voice.flac", 44_100), ("voice.ogg", 48_000), ("v.mp3", 24_000)]
)
def test_reference_in_any_format_then_it_keeps_its_rate(tmp_path: Path, name: str, rate_hz: int) -> None:
    reference = read_reference(written(tmp_path, speech(4, rate_hz=rate_hz), name, rate_hz))
    assert reference.sample_rate_hz == rate_hz
    assert len(reference.samples) / rate_hz == pytest.approx(4, abs=0.15)
    assert reference.samples.dtype == np.float32


def test_reference_when_it_is_stereo_then_both_channels_are_mixed(tmp_path: Path) -> None:
    left = speech(4)
    reference = read_reference(written(tmp_path, np.stack((left, np.zeros_like(left)), axis=1)))
    assert reference.samples.ndim == 1
    assert reference.samples[8_000:9_000] == pytest.approx(left[8_000:9_000] / 2)


def test_reference_when_it_is_an_audio_book_then_the_beginning_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, np.tile(speech(10, rate_hz=4_000), 15), rate_hz=4_000)
    reference = read_reference(path)
    assert len(reference.samples) == MOST_READ_S * 4_000
    assert reference.report.duration_s == pytest.approx(150)


def test_speech_at_full_height_when_clean_then_nothing_counts_as_clipped() -> None:
    clean = speech(4) / np.abs(speech(4)).max()
    assert clipped_share(clean) < 0.002
    assert clipped_share(np.zeros(10, np.float32)) == 0.0


@settings(max_examples=50)
@given(before=st.floats(0, 1), spoken=st.floats(0.1, 2), after=st.floats(0, 1))
def test_trimmed_speech_is_whole_and_little_else_is_left(before: float, spoken: float, after: float) -> None:
    inside = speech(spoken, level=0.5)
    cut = trimmed(np.concatenate((silence(before), inside, silence(after))), RATE_HZ)
    assert len(inside) <= len(cut) <= len(inside) + round((2 * KEPT_S + 0.05) * RATE_HZ)
    assert float(np.square(cut).sum()) == pytest.approx(float(np.square(inside).sum()), rel=1e-3)


@settings(max_examples=50)
@given(st.lists(st.floats(-2, 2, width=32), max_size=3_000), st.integers(1, 2), st.integers(50, 48_000))
def test_any_samples_are_judged_or_refused(values: list[float], channels: int, rate_hz: int) -> None:
    samples = np.array(values[: len(values) // channels * channels], np.float32).reshape(-1, channels)
    try:
        reference = judged(samples, rate_hz, path=Path("x.wav"), duration_s=1.0)
    except ReferenceUnusable as error:
        assert error.context["reason"]
    else:
        assert len(reference.samples) <= len(samples)
