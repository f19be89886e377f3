"""From the bytes of an answer, however they are cut, to audio."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

import numpy as np

from alltalk_plugin.domain.audio import AudioChunk, Samples
from alltalk_plugin.engines.remote.options import RATES_HZ, WireFormat

CHUNK_S = 0.2
"""After the first, pieces are gathered to this: fewer frames to the service, and still quick to stop."""
ENCODED_BYTES = 32_000_000
"""Most that is kept of an answer which can only be decoded as a whole: 13 minutes of MP3 at 320 kbit/s."""
_UNKNOWN_BYTES = 0x7000_0000
"""Sizes from here on stand for "not known": OpenAI and Kokoro-FastAPI write 0xFFFFFFFF, ElevenLabs
0x7FFFFFFF, Pocket TTS 2,000,000,000. libsndfile writes 0 where it cannot go back."""
_HEADER_BYTES = 65_536
_INT16, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_BLOCK_FRAMES = 16_384


class TooLong(Exception):
    """More audio than the text can have."""


class TooShort(Exception):
    """Less audio than its own header promised."""


class Unreadable(Exception):
    """The answer is no audio that can be read here."""


class Decoder(Protocol):
    """Takes bytes in any pieces. `rate_hz` is known once the first samples are out, `missing_bytes` at the
    end: so much less came than the audio said of itself."""

    rate_hz: int
    missing_bytes: int

    def feed(self, part: bytes) -> Samples: ...

    def finish(self) -> Samples:
        """The rest. Raises: Unreadable."""
        ...


class PcmDecoder:
    """Raw samples: 16-bit integers or 32-bit floats, little-endian, channels interleaved."""

    def __init__(self, rate_hz: int, *, channels: int = 1, floats: bool = False) -> None:
        self.rate_hz = rate_hz
        self.missing_bytes = 0
        self._channels = channels
        self._floats = floats
        self._frame_bytes = channels * (4 if floats else 2)
        self._rest = b""

    def feed(self, part: bytes) -> Samples:
        held = self._rest + part
        whole = len(held) - len(held) % self._frame_bytes
        self._rest = held[whole:]
        raw = held[:whole]
        if self._floats:
            samples = np.frombuffer(raw, "<f4").clip(-1.0, 1.0).astype(np.float32, copy=False)
        else:
            samples = np.frombuffer(raw, "<i2").astype(np.float32) / 32_768.0
        if self._channels > 1:
            return _mono(samples.reshape(-1, self._channels))
        return samples

    def finish(self) -> Samples:
        return np.zeros(0, np.float32)  # half a sample at the end is dropped


def _mono(frames: Samples) -> Samples:
    mixed: Samples = frames.mean(axis=1, dtype=np.float32)
    return mixed


class WavDecoder:
    """RIFF WAVE as it comes; sizes that nobody could know yet are tolerated."""

    def __init__(self) -> None:
        self.rate_hz = 0
        self.missing_bytes = 0
        self._head = b""
        self._pcm: PcmDecoder | None = None
        self._left: int | None = None

    def feed(self, part: bytes) -> Samples:
        if self._pcm is not None:
            return self._sound(self._pcm, part)
        self._head += part
        found = self._read_head()
        if found is None:
            if len(self._head) > _HEADER_BYTES:
                raise Unreadable("its WAV has no data")
            return np.zeros(0, np.float32)
        self._pcm, body = found
        self.rate_hz, self._head = self._pcm.rate_hz, b""
        return self._sound(self._pcm, body)

    def _sound(self, pcm: PcmDecoder, part: bytes) -> Samples:
        if self._left is not None:
            part = part[: self._left]  # what follows the data (LIST, id3) is no sound
            self._left -= len(part)
        return pcm.feed(part)

    def finish(self) -> Samples:
        if self._pcm is None:
            raise Unreadable("its WAV ends within its header")
        self.missing_bytes = self._left or 0
        return self._pcm.finish()

    def _read_head(self) -> tuple[PcmDecoder, bytes] | None:
        """The format, and what is here of the data; None while the header is not whole."""
        at = 12
        pcm: PcmDecoder | None = None
        while len(self._head) >= at + 8:
            name, size = struct.unpack_from("<4sI", self._head, at)
            if name == b"data":
                if pcm is None:
                    raise Unreadable("its WAV has data before its format")
                self._left = size if 0 < size < _UNKNOWN_BYTES else None
                return pcm, self._head[at + 8 :]
            if name == b"fmt ":
                if len(self._head) < at + 8 + size:
                    return None
                pcm = _pcm_of(self._head[at + 8 : at + 8 + size])
            at += 8 + size + size % 2
        return None


def _pcm_of(fields: bytes) -> PcmDecoder:
    if len(fields) < 16:
        raise Unreadable("its WAV header is too short")
    kind, channels, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", fields)
    if kind == _EXTENSIBLE and len(fields) >= 26:
        (kind,) = struct.unpack_from("<H", fields, 24)
    if (kind, bits) not in ((_INT16, 16), (_FLOAT, 32)) or not 1 <= channels <= 8:
        raise Unreadable(f"its WAV has {bits} bits of kind {kind} on {channels} channels")
    if not RATES_HZ[0] <= rate_hz <= RATES_HZ[1]:
        raise Unreadable(f"its WAV says {rate_hz} Hz")
    return PcmDecoder(rate_hz, channels=channels, floats=kind == _FLOAT)


class FileDecoder:
    """MP3, FLAC and Ogg, decoded when they are whole: libsndfile reads files, not streams."""

    def __init__(self, most_s: float) -> None:
        self.rate_hz = 0
        self.missing_bytes = 0
        self._most_s = most_s
        self._file = io.BytesIO()

    def feed(self, part: bytes) -> Samples:
        self._file.write(part)
        if self._file.tell() > ENCODED_BYTES:
            raise TooLong
        return np.zeros(0, np.float32)

    def finish(self) -> Samples:
        import soundfile  # only who asks for these formats pays for it

        self._file.seek(0)
        try:
            with soundfile.SoundFile(self._file) as sound:
                self.rate_hz = int(sound.samplerate)
                blocks = []
                frames = 0
                while len(block := sound.read(_BLOCK_FRAMES, dtype="float32", always_2d=True)):
                    frames += len(block)
                    if frames > self._most_s * self.rate_hz:
                        raise TooLong
                    blocks.append(_mono(block).clip(-1.0, 1.0))  # Opus overshoots
        except soundfile.LibsndfileError as error:
            raise Unreadable(f"its audio cannot be decoded ({error.error_string})") from error
        return np.concatenate(blocks) if blocks else np.zeros(0, np.float32)


def decoder_for(head: bytes, content_type: str, *, asked: WireFormat, rate_hz: int, most_s: float) -> Decoder:
    """What reads an answer that begins with `head` (four bytes or more); `content_type` in lower case.

    The bytes win over what was asked for: LocalAI and others answer any request with WAV.
    """
    if head.startswith(b"RIFF"):
        return WavDecoder()
    if head.startswith((b"OggS", b"fLaC", b"ID3")) or "mpeg" in content_type or "mp3" in content_type:
        return FileDecoder(most_s)
    if asked is WireFormat.PCM or "pcm" in content_type or "l16" in content_type:
        return PcmDecoder(rate_hz)
    if asked is WireFormat.WAV:
        raise Unreadable(f"it sent {content_type or 'something'} where WAV was asked for")
    return FileDecoder(most_s)


def named_rate(headers: Mapping[str, str]) -> int | None:
    """The rate of raw pcm, where the answer names it: `audio/pcm;rate=22050` as openedai-speech says it, or
    `X-Sample-Rate` as SGLang does."""
    found = re.search(r"rate\s*=\s*(\d+)", headers.get("content-type", "").lower())
    told = found[1] if found else headers.get("x-sample-rate", "")
    rate_hz = int(told) if told.isdecimal() else 0
    return rate_hz if RATES_HZ[0] <= rate_hz <= RATES_HZ[1] else None


def heard(
    parts: Iterable[bytes],
    content_type: str,
    *,
    asked: WireFormat,
    rate_hz: int,
    most_s: float,
    framed: bool = True,
) -> Iterator[AudioChunk]:
    """The audio in `parts`, the first piece at once.

    `framed`: HTTP says where the answer ends, so that it came whole whatever its own header promises.

    Raises: TooLong, TooShort, Unreadable, and what `parts` raises.
    """
    decoder: Decoder | None = None
    head = b""
    waiting: list[Samples] = []
    waiting_s, heard_s = 0.0, 0.0
    wanted_s = 0.0
    for part in parts:
        if decoder is not None:
            samples = decoder.feed(part)
        else:
            head += part
            if len(head) < 4:
                continue
            decoder = decoder_for(head, content_type, asked=asked, rate_hz=rate_hz, most_s=most_s)
            samples = decoder.feed(head)
        if not len(samples):
            continue
        waiting.append(samples)
        waiting_s += len(samples) / decoder.rate_hz
        heard_s += len(samples) / decoder.rate_hz
        if heard_s > most_s:
            raise TooLong
        if waiting_s > wanted_s:
            yield AudioChunk(np.concatenate(waiting), decoder.rate_hz)
            waiting, waiting_s, wanted_s = [], 0.0, CHUNK_S
    if decoder is not None:
        waiting.append(decoder.finish())
        if decoder.missing_bytes and not framed:
            raise TooShort
        rest = np.concatenate(waiting)
        if len(rest):
            yield AudioChunk(rest, decoder.rate_hz)
