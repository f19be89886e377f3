from __future__ import annotations

import io
import struct
from collections.abc import Iterator

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from alltalk_plugin.domain.audio import AudioChunk, Samples
from alltalk_plugin.engines.remote.options import WireFormat
from alltalk_plugin.engines.remote.sound import (
    ENCODED_BYTES,
    TooLong,
    TooShort,
    Unreadable,
    heard,
    named_rate,
)

RATE_HZ = 16_000
TONE: Samples = (0.5 * np.sin(np.arange(RATE_HZ) / 25)).astype(np.float32)
PCM = (TONE * 32_768).astype("<i2").tobytes()
UNKNOWN = 0xFFFF_FFFF


def wav(data: bytes, *, size: int | None = None, kind: int = 1, channels: int = 1, bits: int = 16) -> bytes:
    frame = channels * bits // 8
    fields = struct.pack("<HHIIHH", kind, channels, RATE_HZ, RATE_HZ * frame, frame, bits)
    head = b"fmt " + struct.pack("<I", len(fields)) + fields
    listed = b"LIST" + struct.pack("<I", 3) + b"abc\0"  # an odd chunk is padded
    told = len(data) if size is None else size
    return (
        b"RIFF" + struct.pack("<I", told) + b"WAVE" + head + listed + b"data" + struct.pack("<I", told) + data
    )


def hear(
    parts: list[bytes],
    kind: str = "audio/wav",
    *,
    asked: WireFormat = WireFormat.WAV,
    most_s: float = 60.0,
    framed: bool = True,
) -> list[AudioChunk]:
    return list(heard(parts, kind, asked=asked, rate_hz=RATE_HZ, most_s=most_s, framed=framed))


def joined(chunks: list[AudioChunk]) -> Samples:
    return np.concatenate([chunk.samples for chunk in chunks])


def cut(raw: bytes, sizes: list[int]) -> list[bytes]:
    parts, begin = [], 0
    for size in sizes:
        parts.append(raw[begin : begin + size])
        begin += size
    return [*parts, raw[begin:]]


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 3_000), max_size=40),
    whole=st.sampled_from([wav(PCM), wav(PCM, size=UNKNOWN), PCM]),
)
def test_audio_when_cut_anywhere_then_the_same(sizes: list[int], whole: bytes) -> None:
    asked = WireFormat.PCM if whole is PCM else WireFormat.WAV
    np.testing.assert_allclose(joined(hear(cut(whole, sizes), "", asked=asked)), TONE, atol=1e-4)


@settings(max_examples=30, deadline=None)
@given(
    raw=st.binary(max_size=400),
    head=st.sampled_from([b"", b"RIFF\0\0\0\0WAVE", wav(b"")[:40], b"OggS", b"ID3"]),
)
def test_garbage_when_heard_then_unreadable_or_finite_sound(raw: bytes, head: bytes) -> None:
    try:
        chunks = hear([head + raw])
    except (Unreadable, TooLong):
        return
    assert all(np.isfinite(chunk.samples).all() for chunk in chunks)


@pytest.mark.parametrize("size", [0, UNKNOWN, 0x7FFF_FFFF, 2_000_000_000, len(PCM)])
def test_wav_when_its_size_is_a_placeholder_then_read_to_the_end(size: int) -> None:
    assert len(joined(hear([wav(PCM, size=size)]))) == len(TONE)


def test_wav_when_chunks_follow_the_data_then_they_are_no_sound() -> None:
    assert len(joined(hear([wav(PCM, size=len(PCM)) + b"LIST\x02\0\0\0\xff\x7f"]))) == len(TONE)


def test_wav_when_its_header_promises_more_then_too_short_unless_http_says_it_is_whole() -> None:
    promising = wav(PCM, size=len(PCM) + 100)
    with pytest.raises(TooShort):
        hear([promising], framed=False)
    assert len(joined(hear([promising], framed=True))) == len(TONE)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(("kind", "bits"), [(1, 16), (3, 32)])
def test_wav_when_of_another_sample_type_then_mono_floats(channels: int, kind: int, bits: int) -> None:
    frames = np.repeat(TONE, channels)
    data = frames.astype("<f4").tobytes() if kind == 3 else (frames * 32_768).astype("<i2").tobytes()
    chunks = hear([wav(data, kind=kind, bits=bits, channels=channels)])
    assert {chunk.samples.dtype for chunk in chunks} == {np.dtype(np.float32)}
    np.testing.assert_allclose(joined(chunks), TONE, atol=1e-4)


def test_floats_when_beyond_full_scale_then_clipped() -> None:
    loud = joined(hear([wav((TONE * 4).astype("<f4").tobytes(), kind=3, bits=32)]))
    assert np.abs(loud).max() == 1.0


def test_opus_when_it_overshoots_then_clipped() -> None:
    square = np.sign(np.sin(np.arange(48_000) / 31)).astype(np.float32)
    file = io.BytesIO()
    soundfile.write(file, square, 48_000, format="OGG", subtype="OPUS")
    assert np.abs(soundfile.read(io.BytesIO(file.getvalue()))[0]).max() > 1.0
    assert np.abs(joined(hear([file.getvalue()]))).max() == 1.0


def test_wav_when_extensible_then_read() -> None:
    file = io.BytesIO()
    soundfile.write(file, TONE, RATE_HZ, format="WAVEX", subtype="PCM_16")
    np.testing.assert_allclose(joined(hear([file.getvalue()])), TONE, atol=1e-4)


@pytest.mark.parametrize(
    "raw",
    [
        wav(PCM, bits=24),
        wav(PCM, kind=6, bits=8),
        wav(PCM)[:30],
        b"RIFF\0\0\0\0WAVEdata\0\0\0\0abc",
        b"RIFF\0\0\0\0WAVEfmt \x04\0\0\0abcd",
        b"RIFF\0\0\0\0WAVE" + b"LIST\xff\xff\xff\x7f" + b"x" * 70_000,
    ],
)
def test_wav_when_broken_or_strange_then_unreadable(raw: bytes) -> None:
    with pytest.raises(Unreadable):
        hear([raw])


@pytest.mark.parametrize("container", ["MP3", "FLAC", "OGG"])
def test_encoded_when_whole_then_decoded_whatever_was_asked_for(container: str) -> None:
    file = io.BytesIO()
    soundfile.write(file, TONE, RATE_HZ, format=container)
    kind = "audio/mpeg" if container == "MP3" else ""
    chunks = hear(cut(file.getvalue(), [1, 2, 500]), kind)
    assert len(joined(chunks)) == pytest.approx(len(TONE), abs=2_400)
    assert {chunk.sample_rate_hz for chunk in chunks} == {RATE_HZ}


@pytest.mark.parametrize(
    ("kind", "asked", "rate_hz"),
    [
        ("audio/wav", WireFormat.PCM, RATE_HZ),  # LocalAI, whatever was asked for
        ("audio/pcm", WireFormat.WAV, 8_000),
        ("application/octet-stream", WireFormat.PCM, 8_000),
    ],
)
def test_answer_when_it_is_not_what_was_asked_for_then_read_as_what_it_is(
    kind: str, asked: WireFormat, rate_hz: int
) -> None:
    raw = wav(PCM) if "wav" in kind else PCM
    chunks = list(heard([raw], kind, asked=asked, rate_hz=8_000, most_s=60.0))
    assert {chunk.sample_rate_hz for chunk in chunks} == {rate_hz}
    assert len(joined(chunks)) == len(TONE)


def test_answer_when_neither_it_nor_its_type_is_audio_then_unreadable() -> None:
    with pytest.raises(Unreadable, match="WAV was asked for"):
        hear([b"hello, I am a teapot"], "application/octet-stream")


@pytest.mark.parametrize(
    ("headers", "rate_hz"),
    [
        ({"content-type": "audio/pcm;rate=22050"}, 22_050),
        ({"content-type": "audio/L16; RATE=16000; channels=1"}, 16_000),
        ({"content-type": "audio/pcm", "x-sample-rate": "44100"}, 44_100),
        ({"content-type": "audio/pcm;rate=1"}, None),
        ({"x-sample-rate": "fast"}, None),
        ({}, None),
    ],
)
def test_rate_when_the_answer_names_it_then_that(headers: dict[str, str], rate_hz: int | None) -> None:
    assert named_rate(headers) == rate_hz


def test_first_piece_when_it_comes_then_passed_on_at_once() -> None:
    taken: list[int] = []

    def parts() -> Iterator[bytes]:
        for index, begin in enumerate(range(0, len(PCM), 400)):
            taken.append(index)
            yield PCM[begin : begin + 400]

    stream = heard(parts(), "", asked=WireFormat.PCM, rate_hz=RATE_HZ, most_s=60.0)
    assert len(next(stream).samples) == 200
    assert taken == [0]
    assert next(stream).duration_s >= 0.2


@pytest.mark.parametrize("asked", [WireFormat.PCM, WireFormat.WAV])
def test_audio_when_longer_than_the_text_can_be_then_stopped(asked: WireFormat) -> None:
    raw = PCM * 3 if asked is WireFormat.PCM else wav(PCM * 3)
    with pytest.raises(TooLong):
        hear([raw], "", asked=asked, most_s=2.0)


def test_encoded_when_longer_than_the_text_can_be_then_stopped() -> None:
    file = io.BytesIO()
    soundfile.write(file, np.tile(TONE, 3), RATE_HZ, format="FLAC")
    with pytest.raises(TooLong):
        hear([file.getvalue()], most_s=2.0)


def test_encoded_when_it_never_ends_then_bounded() -> None:
    part = b"OggS" + b"\0" * 1_000_000
    with pytest.raises(TooLong):
        hear([part] * (ENCODED_BYTES // 1_000_000 + 1))
