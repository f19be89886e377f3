"""An audio store in memory, and a disk that fails when told to."""

from __future__ import annotations

import errno
import os
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

from alltalk_plugin.audio.files import Mode, RawFile, open_unbuffered
from alltalk_plugin.domain.audio import AudioChunk, AudioFormat, AudioId, Samples
from alltalk_plugin.domain.errors import AlltalkError, AudioNotFound


class MemoryStream:
    """Samples as they were written; its bytes are 16-bit PCM whatever the format. Thread-safe."""

    def __init__(self, audio_id: AudioId, audio_format: AudioFormat, sample_rate_hz: int) -> None:
        self.audio_id = audio_id
        self.audio_format = audio_format
        self.sample_rate_hz = sample_rate_hz
        self.media_type = "audio/L16"
        self.path = Path(f"/nowhere/{audio_id}.{audio_format}")
        self.error: AlltalkError | None = None
        self.complete = False
        self.readers = 0
        self.changed = threading.Condition()
        self.encoded = b""
        self.chunks: list[AudioChunk] = []
        self._on_last_gone: list[Callable[[], None]] = []

    @property
    def samples(self) -> Samples:
        return np.concatenate([np.zeros(0, np.float32), *(chunk.samples for chunk in self.chunks)])

    @property
    def size_bytes(self) -> int:
        return len(self.encoded)

    @property
    def etag(self) -> str | None:
        return f'"{self.audio_id}-{self.size_bytes:x}"' if self.complete else None

    def open(self, offset: int = 0) -> MemoryReader:
        with self.changed:
            self.readers += 1
        return MemoryReader(self, offset)

    def on_last_reader_gone(self, callback: Callable[[], None]) -> Callable[[], None]:
        self._on_last_gone.append(callback)
        return lambda: self._on_last_gone.remove(callback)

    def reader_closed(self) -> None:
        with self.changed:
            self.readers -= 1
            callbacks = [] if self.readers else list(self._on_last_gone)
        for callback in callbacks:
            callback()


class MemoryReader:
    """Satisfies `SpoolReader`."""

    def __init__(self, stream: MemoryStream, offset: int) -> None:
        self._stream = stream
        self._place = offset
        self._closed = False

    def read(self, size: int, timeout_s: float) -> bytes | None:
        stream = self._stream
        with stream.changed:
            stream.changed.wait_for(
                lambda: stream.complete or self._closed or stream.size_bytes > self._place, timeout_s
            )
            if self._closed:
                return b""
            piece = stream.encoded[self._place : self._place + size]
            if not piece and stream.error is not None:
                raise stream.error
            if not piece and not stream.complete:
                return None
        self._place += len(piece)
        return piece

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            with self._stream.changed:
                self._stream.changed.notify_all()
            self._stream.reader_closed()


class MemoryWriter:
    """Satisfies `SpoolWriter`. `fail_with` makes every further write fail."""

    def __init__(self, stream: MemoryStream) -> None:
        self.audio_id = stream.audio_id
        self.stream = stream
        self.fail_with: AlltalkError | None = None

    def write(self, chunk: AudioChunk) -> None:
        if self.fail_with is not None:
            self.abort(self.fail_with)
            raise self.fail_with
        assert chunk.sample_rate_hz == self.stream.sample_rate_hz
        assert not self.stream.complete
        with self.stream.changed:
            self.stream.chunks.append(chunk)
            self.stream.encoded += np.rint(chunk.samples * 32767).astype("<i2").tobytes()
            self.stream.changed.notify_all()

    def finish(self) -> None:
        if self.fail_with is not None:
            self.abort(self.fail_with)
            raise self.fail_with
        self._end(None)

    def abort(self, error: AlltalkError) -> None:
        if not self.stream.complete:
            self._end(error)

    def _end(self, error: AlltalkError | None) -> None:
        with self.stream.changed:
            self.stream.error, self.stream.complete = error, True
            self.stream.changed.notify_all()


class MemoryStore:
    """Satisfies `AudioStore`. Ids count up; nothing is ever swept but what `doomed` names."""

    def __init__(self) -> None:
        self.streams: dict[str, MemoryStream] = {}
        self.writers: dict[str, MemoryWriter] = {}
        self.held: Counter[str] = Counter()
        self.doomed: set[str] = set()
        self.fail_create: AlltalkError | None = None
        self._lock = threading.Lock()

    def create(self, audio_format: AudioFormat, sample_rate_hz: int) -> MemoryWriter:
        if self.fail_create is not None:
            raise self.fail_create
        with self._lock:
            audio_id = AudioId(f"{len(self.streams) + 1:032x}")
            stream = self.streams[audio_id] = MemoryStream(audio_id, audio_format, sample_rate_hz)
            writer = self.writers[audio_id] = MemoryWriter(stream)
        return writer

    def get(self, audio_id: str) -> MemoryStream:
        with self._lock:
            if audio_id not in self.streams:
                raise AudioNotFound("there is no audio with that id", context={"audio_id": audio_id})
            return self.streams[audio_id]

    def hold(self, audio_id: AudioId) -> None:
        self.held[audio_id] += 1

    def release(self, audio_id: AudioId) -> None:
        self.held -= Counter({audio_id: 1})

    def sweep(self) -> int:
        with self._lock:
            gone = [
                audio_id for audio_id in self.streams if audio_id in self.doomed and not self.held[audio_id]
            ]
            for audio_id in gone:
                del self.streams[audio_id]
        return len(gone)


class FailingDisk:
    """A real disk that can be told to fail; pass `open` to the store.

    `space_bytes` is what may still be written (None: no limit); a write that does not fit takes what fits,
    then fails with ENOSPC, as a real one. `refuse` fails every opening for writing with that errno,
    `broken` every read with EIO.
    """

    def __init__(self) -> None:
        self.space_bytes: int | None = None
        self.refuse: int | None = None
        self.broken = False
        self.opened: list[Path] = []
        self._files: list[RawFile] = []

    def open(self, path: Path, mode: Mode) -> RawFile:
        self.opened.append(path)
        if self.refuse is not None and mode != "rb":
            raise OSError(self.refuse, os.strerror(self.refuse), str(path))
        file = open_unbuffered(path, mode)
        self._files.append(file)
        return _FailingFile(self, file)

    def close_all(self) -> None:
        """What the end of the process does to open files."""
        for file in self._files:
            file.close()


class _FailingFile:
    def __init__(self, disk: FailingDisk, file: RawFile) -> None:
        self._disk = disk
        self._file = file
        self.seek = file.seek
        self.truncate = file.truncate
        self.close = file.close

    def write(self, b: bytes, /) -> int | None:
        space = self._disk.space_bytes
        if space is None:
            return self._file.write(b)
        if space <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = self._file.write(b[:space])
        self._disk.space_bytes = space - (written or 0)
        return written

    def read(self, size: int = -1, /) -> bytes | None:
        if self._disk.broken:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return self._file.read(size)
