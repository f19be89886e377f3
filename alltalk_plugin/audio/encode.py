"""Turns samples into the bytes of a container while they come.

An encoder only ever appends. What a container wants to write back into its head at the end (lengths,
checksums, MP3's info frame) is handed over as patches of the same length: a reader that has streamed the
head keeps a valid stream, and a byte offset means the same for ever.

Seconds of audio before a decoder gets the first sample (libsndfile 1.2.2, 24 kHz, blocks of 0.1 s,
2026-11-22): WAV and MP3 one block, FLAC 0.2 (blocks of 4096), Ogg Opus 1.1 (pages of a second; the
library's switch for shorter ones is not reachable through soundfile), Ogg Vorbis 0.8 to 2.3 (pages of
4 kB, so by the bit rate). With an engine that is much faster than real time this is a few ms of waiting.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from alltalk_plugin.domain.audio import AudioFormat, Samples
from alltalk_plugin.domain.errors import ContextValue, FormatUnsupported

MEDIA_TYPES = {
    AudioFormat.WAV: "audio/wav",
    AudioFormat.FLAC: "audio/flac",
    AudioFormat.MP3: "audio/mpeg",
    AudioFormat.OPUS: "audio/ogg; codecs=opus",
    AudioFormat.OGG: "audio/ogg; codecs=vorbis",
}

WAV_HEADER_BYTES = 44
UNKNOWN_SIZE = 0xFFFFFFFF
"""What a streamed WAV says about its length; players take it as 'until the end'."""

OPUS_RATES_HZ = (8_000, 12_000, 16_000, 24_000, 48_000)

_SUBTYPES = {
    AudioFormat.FLAC: ("FLAC", "PCM_16"),
    AudioFormat.MP3: ("MP3", "MPEG_LAYER_III"),
    AudioFormat.OPUS: ("OGG", "OPUS"),
    AudioFormat.OGG: ("OGG", "VORBIS"),
}


@dataclass(frozen=True, slots=True)
class Patch:
    """Bytes to write over what lies at `offset`; never reaches past the end."""

    offset: int
    replacement: bytes


@dataclass(frozen=True, slots=True)
class Ending:
    """The last bytes of a container, and what to correct in the earlier ones."""

    tail: bytes
    patches: tuple[Patch, ...]


class StreamEncoder(Protocol):
    """One container being written. One thread."""

    def encode(self, samples: Samples) -> bytes:
        """The bytes that are certain now; may be empty.

        The header comes before the first audio: in WAV with the first call, elsewhere with the first samples.
        """
        ...

    def finish(self) -> Ending:
        """Called once, last."""
        ...


def open_encoder(audio_format: AudioFormat, sample_rate_hz: int) -> StreamEncoder:
    """An encoder for one mono stream.

    Raises: FormatUnsupported when the format cannot hold that rate, or libsndfile is missing or too old.
    """
    if audio_format is AudioFormat.WAV:
        return _WavEncoder(sample_rate_hz)
    if audio_format is AudioFormat.OPUS and sample_rate_hz not in OPUS_RATES_HZ:
        raise FormatUnsupported(
            f"Opus cannot hold {sample_rate_hz} Hz",
            hint=f"Set audio.sample_rate_hz to one of {', '.join(map(str, OPUS_RATES_HZ))}.",
            context={"audio_format": audio_format.value, "sample_rate_hz": sample_rate_hz},
        )
    return _SndfileEncoder(audio_format, sample_rate_hz)


def pcm16(samples: Samples) -> npt.NDArray[np.int16]:
    """Rounded, without dither: 16 bits are far below the noise of any engine, and the same samples must
    give the same bytes."""
    whole: npt.NDArray[np.int16] = np.rint(np.clip(samples, -1.0, 1.0) * np.float32(32767)).astype("<i2")
    return whole


def wav_header(sample_rate_hz: int) -> bytes:
    """The 44 bytes before mono 16-bit samples whose number is not known yet."""
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", UNKNOWN_SIZE, b"WAVE", b"fmt ", 16, 1, 1, sample_rate_hz, sample_rate_hz * 2, 2, 16),
        *(b"data", UNKNOWN_SIZE),
    )


def wav_size_patches(size_bytes: int) -> tuple[Patch, ...]:
    """What turns the streamed header into the proper one of a file of that size."""
    samples_bytes = max(0, size_bytes - WAV_HEADER_BYTES) // 2 * 2
    riff = struct.pack("<I", min(UNKNOWN_SIZE, samples_bytes + WAV_HEADER_BYTES - 8))
    return Patch(4, riff), Patch(40, struct.pack("<I", min(UNKNOWN_SIZE, samples_bytes)))


class _WavEncoder:
    """Header and PCM by hand: libsndfile writes sizes that are wrong while the stream grows."""

    def __init__(self, sample_rate_hz: int) -> None:
        self._header = wav_header(sample_rate_hz)
        self._size_bytes = 0

    def encode(self, samples: Samples) -> bytes:
        encoded = self._header + pcm16(samples).tobytes()
        self._header = b""
        self._size_bytes += len(encoded)
        return encoded

    def finish(self) -> Ending:
        tail = self._header
        self._header = b""
        return Ending(tail, wav_size_patches(self._size_bytes + len(tail)))


class _SndfileEncoder:
    """FLAC, MP3 and Ogg by libsndfile, which writes into a sink in memory."""

    def __init__(self, audio_format: AudioFormat, sample_rate_hz: int) -> None:
        container, subtype = _SUBTYPES[audio_format]
        context: dict[str, ContextValue] = {
            "audio_format": audio_format.value,
            "sample_rate_hz": sample_rate_hz,
        }
        try:
            import soundfile
        except (ImportError, OSError) as error:  # OSError: the package is there, its library is not
            raise FormatUnsupported(
                f"{audio_format.value} needs libsndfile, which cannot be loaded: {error}",
                hint="Set audio.format to wav, or install soundfile from a wheel that brings its library.",
                context=context,
            ) from error
        self._sink = _Sink()
        try:
            self._file = soundfile.SoundFile(
                self._sink, "w", samplerate=sample_rate_hz, channels=1, format=container, subtype=subtype
            )
        except soundfile.LibsndfileError as error:
            raise FormatUnsupported(
                f"libsndfile cannot write {audio_format.value} at {sample_rate_hz} Hz: {error}",
                context=context,
            ) from error
        # Integers where the codec stores integers, so that FLAC and WAV hold the same samples.
        self._as_pcm16 = subtype == "PCM_16"

    def encode(self, samples: Samples) -> bytes:
        if len(samples):
            self._file.write(pcm16(samples) if self._as_pcm16 else np.clip(samples, -1.0, 1.0))
        return self._sink.take()

    def finish(self) -> Ending:
        self._file.close()
        return Ending(self._sink.take(), self._sink.patches())


class _Sink:
    """A file for libsndfile that keeps only what nobody took yet.

    FLAC and MP3 seek back into their head when they close (measured: FLAC bytes 12 to 42, MP3 the first
    frame); what is written into bytes that were taken becomes a patch. soundfile calls this from C, where
    an exception would only be printed: nothing in here may fail.
    """

    def __init__(self) -> None:
        self._pending = bytearray()
        self._taken = 0
        self._place = 0
        self._patches: list[Patch] = []

    def take(self) -> bytes:
        pending = bytes(self._pending)
        self._taken += len(pending)
        self._pending.clear()
        return pending

    def patches(self) -> tuple[Patch, ...]:
        return tuple(self._patches)

    def write(self, piece: bytes) -> int:
        behind = max(0, min(len(piece), self._taken - self._place))
        if behind:
            self._patches.append(Patch(self._place, bytes(piece[:behind])))
        at = self._place + behind - self._taken
        self._pending[at : at + len(piece) - behind] = piece[behind:]
        self._place += len(piece)
        return len(piece)

    def seek(self, offset: int, whence: int = 0) -> int:
        start = (0, self._place, self._taken + len(self._pending))[whence]
        self._place = start + offset
        return self._place

    def tell(self) -> int:
        return self._place
