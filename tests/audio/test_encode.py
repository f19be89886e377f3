from __future__ import annotations

import io
import math
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from alltalk_plugin.audio.encode import (
    MEDIA_TYPES,
    OPUS_RATES_HZ,
    UNKNOWN_SIZE,
    _Sink,
    open_encoder,
    pcm16,
    wav_header,
)
from alltalk_plugin.domain.audio import AudioFormat, Samples
from alltalk_plugin.domain.errors import FormatUnsupported
from tests.audio.sounds import speech

FORMATS = tuple(AudioFormat)
LOSSLESS = (AudioFormat.WAV, AudioFormat.FLAC)


def encoded(
    audio_format: AudioFormat, samples: Samples, rate_hz: int, *, size: int = 1_400
) -> tuple[bytes, bytes]:
    """The bytes as a reader of the growing stream gets them, and as they are stored in the end."""
    encoder = open_encoder(audio_format, rate_hz)
    streamed = b"".join(encoder.encode(samples[at : at + size]) for at in range(0, len(samples), size))
    ending = encoder.finish()
    streamed += ending.tail
    stored = bytearray(streamed)
    for patch in ending.patches:
        assert patch.offset + len(patch.replacement) <= len(stored)
        stored[patch.offset : patch.offset + len(patch.replacement)] = patch.replacement
    return streamed, bytes(stored)


def decoded(stored: bytes) -> tuple[Samples, int]:
    samples, rate_hz = soundfile.read(io.BytesIO(stored), dtype="float32")
    return samples, rate_hz


def rms(samples: Samples) -> float:
    return math.sqrt(float(np.square(samples.astype(np.float64)).mean()))


@pytest.mark.parametrize("rate_hz", [16_000, 24_000, 48_000])
@pytest.mark.parametrize("audio_format", FORMATS)
def test_format_decodes_to_what_was_written(audio_format: AudioFormat, rate_hz: int) -> None:
    samples = speech(3.0, rate_hz)
    _, stored = encoded(audio_format, samples, rate_hz)
    back, back_rate_hz = decoded(stored)
    assert back_rate_hz == rate_hz
    assert len(back) / rate_hz == pytest.approx(3.0, abs=0.005)
    assert 20 * math.log10(rms(back) / rms(samples)) == pytest.approx(0.0, abs=1.0)
    if audio_format in LOSSLESS:
        np.testing.assert_array_equal(pcm16(back), pcm16(samples))


def test_wav_without_a_sample_is_still_a_file() -> None:
    assert len(decoded(encoded(AudioFormat.WAV, np.zeros(0, np.float32), 24_000)[1])[0]) == 0


@pytest.mark.parametrize("audio_format", FORMATS)
def test_only_the_head_differs_between_streamed_and_stored(audio_format: AudioFormat) -> None:
    streamed, stored = encoded(audio_format, speech(2.0, 24_000), 24_000)
    head = {AudioFormat.WAV: 44, AudioFormat.FLAC: 42, AudioFormat.MP3: 192}.get(audio_format, 0)
    assert len(streamed) == len(stored)
    assert streamed[head:] == stored[head:]


@pytest.mark.parametrize("audio_format", FORMATS)
def test_chunking_does_not_change_the_stored_audio(audio_format: AudioFormat) -> None:
    samples = speech(1.5, 24_000)
    one, _ = decoded(encoded(audio_format, samples, 24_000, size=24_000)[1])
    many, _ = decoded(encoded(audio_format, samples, 24_000, size=333)[1])
    np.testing.assert_allclose(one, many, atol=0.005)  # Vorbis chooses its first block by what it sees


def starts_to_sound(prefix: bytes) -> bool:
    try:
        with soundfile.SoundFile(io.BytesIO(prefix)) as file:
            return len(file.read(100)) == 100
    except soundfile.LibsndfileError:
        return False


@pytest.mark.parametrize(
    ("audio_format", "latest_s"),
    [
        (AudioFormat.WAV, 0.1),
        (AudioFormat.MP3, 0.2),
        (AudioFormat.FLAC, 0.2),
        (AudioFormat.OPUS, 1.2),
        (AudioFormat.OGG, 2.5),
    ],
)
def test_growing_stream_can_be_heard_after_its_known_delay(
    audio_format: AudioFormat, latest_s: float
) -> None:
    encoder = open_encoder(audio_format, 24_000)
    prefix = b""
    for block in np.array_split(speech(latest_s, 24_000), round(latest_s / 0.1)):
        prefix += encoder.encode(block)
    assert starts_to_sound(prefix)
    encoder.finish()


def test_wav_header_is_streamed_with_unknown_sizes_and_stored_with_true_ones() -> None:
    streamed, stored = encoded(AudioFormat.WAV, speech(1.0, 24_000), 24_000)
    assert streamed[:44] == wav_header(24_000)
    assert struct.unpack_from("<I", streamed, 4) == struct.unpack_from("<I", streamed, 40) == (UNKNOWN_SIZE,)
    assert struct.unpack_from("<I", stored, 4) == (len(stored) - 8,)
    assert struct.unpack_from("<I", stored, 40) == (48_000,)
    assert struct.unpack_from("<4s4sIHHIIHH", stored, 8) == (
        b"WAVE",
        b"fmt ",
        16,
        1,
        1,
        24_000,
        48_000,
        2,
        16,
    )


@pytest.mark.parametrize(
    ("sample", "whole"),
    [
        (0.0, 0),
        (1.0, 32767),
        (-1.0, -32767),
        (2.0, 32767),
        (-2.0, -32767),
        (1.6 / 32767, 2),
        (-1.6 / 32767, -2),
    ],
)
def test_pcm16_rounds_to_the_nearest_and_stops_at_full_scale(sample: float, whole: int) -> None:
    assert pcm16(np.array([sample], np.float32)).tolist() == [whole]


@pytest.mark.parametrize("rate_hz", [11_025, 22_050, 44_100])
def test_opus_refuses_rates_it_does_not_have(rate_hz: int) -> None:
    with pytest.raises(FormatUnsupported) as raised:
        open_encoder(AudioFormat.OPUS, rate_hz)
    assert all(str(rate) in raised.value.hint for rate in OPUS_RATES_HZ)


def test_rate_that_the_library_refuses_is_a_format_error() -> None:
    with pytest.raises(FormatUnsupported):
        open_encoder(AudioFormat.MP3, 12_345)


@pytest.fixture
def without_libsndfile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pure wheel: soundfile is there, its import fails because the library is not."""
    (tmp_path / "soundfile.py").write_text("raise OSError('sndfile library not found')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "soundfile")


@pytest.mark.usefixtures("without_libsndfile")
def test_wav_works_without_libsndfile_and_the_others_say_so() -> None:
    assert encoded(AudioFormat.WAV, speech(0.1, 24_000), 24_000)[1]
    with pytest.raises(FormatUnsupported, match="libsndfile") as raised:
        open_encoder(AudioFormat.MP3, 24_000)
    assert "wav" in raised.value.hint


def test_every_format_has_a_media_type() -> None:
    assert set(MEDIA_TYPES) == set(AudioFormat)


@given(
    st.lists(
        st.one_of(
            st.binary(max_size=9), st.floats(0, 1).map(lambda part: ("seek", part)), st.just(("take", 0.0))
        )
    )
)
def test_sink_with_its_patches_equals_a_file(steps: list[bytes | tuple[str, float]]) -> None:
    sink, file, taken = _Sink(), io.BytesIO(), bytearray()
    for step in steps:
        match step:
            case bytes():
                assert sink.write(step) == file.write(step)
            case ("seek", part):
                place = round(part * len(file.getvalue()))
                assert sink.seek(place) == file.seek(place)
            case _:
                taken += sink.take()
        assert sink.tell() == file.tell()
    taken += sink.take()
    for patch in sink.patches():
        taken[patch.offset : patch.offset + len(patch.replacement)] = patch.replacement
    assert bytes(taken) == file.getvalue()
