"""One encoded stream in a growing file, and the readers that follow it.

On disk a stream is `<id>.<format>`, and `<id>.growing` beside it until it has ended. A marker instead of a
rename at the end: a file cannot be renamed under its readers on Windows.
"""

from __future__ import annotations

import copy
import errno
import threading
from collections.abc import Callable
from pathlib import Path

from alltalk_plugin.audio.encode import MEDIA_TYPES
from alltalk_plugin.audio.files import OpenFile, RawFile, store_failed
from alltalk_plugin.domain.audio import AudioFormat, AudioId
from alltalk_plugin.domain.errors import AlltalkError, AudioNotFound


def marker_of(path: Path) -> Path:
    """The file whose presence says that the stream has not ended."""
    return path.with_suffix(".growing")


class Spool:
    """A stream and who reads it; `AudioStream` to the outside. Thread-safe.

    `size_bytes` None makes a growing one, a number one that lies complete on disk.
    """

    def __init__(self, path: Path, open_file: OpenFile, *, size_bytes: int | None = None) -> None:
        self.path = path
        self.audio_id = AudioId(path.stem)
        self.audio_format = AudioFormat(path.suffix[1:])
        self.media_type = MEDIA_TYPES[self.audio_format]
        self._open_file = open_file
        self._changed = threading.Condition()
        self._size_bytes = size_bytes or 0
        self._complete = size_bytes is not None
        self._error: AlltalkError | None = None
        self._readers = 0
        self._on_last_gone: list[Callable[[], None]] = []

    @property
    def complete(self) -> bool:
        with self._changed:
            return self._complete

    @property
    def error(self) -> AlltalkError | None:
        with self._changed:
            return self._error

    @property
    def size_bytes(self) -> int:
        with self._changed:
            return self._size_bytes

    @property
    def etag(self) -> str | None:
        with self._changed:
            return f'"{self.audio_id}-{self._size_bytes:x}"' if self._complete else None

    @property
    def readers(self) -> int:
        with self._changed:
            return self._readers

    def open(self, offset: int = 0) -> Reader:
        """A reader that begins at `offset`, which may lie ahead. Raises: AudioNotFound."""
        with self._changed:
            self._readers += 1
        try:
            file = self._open_file(self.path, "rb")
        except OSError as error:
            self.reader_closed()
            raise AudioNotFound(
                f"the audio's file cannot be opened: {error.strerror or error}",
                context={"audio_id": self.audio_id, "errno": error.errno},
            ) from error
        return Reader(self, file, offset)

    def on_last_reader_gone(self, callback: Callable[[], None]) -> Callable[[], None]:
        """See `AudioStream`. The callback may look at `readers`: another may have come since."""
        with self._changed:
            self._on_last_gone.append(callback)
        return lambda: self._forget(callback)

    def _forget(self, callback: Callable[[], None]) -> None:
        with self._changed:
            if callback in self._on_last_gone:
                self._on_last_gone.remove(callback)

    def grown(self, by_bytes: int) -> None:
        """The writer's word that so many bytes more lie in the file."""
        with self._changed:
            self._size_bytes += by_bytes
            self._changed.notify_all()

    def ended(self, error: AlltalkError | None) -> None:
        """The writer's word that no byte will follow."""
        with self._changed:
            self._complete, self._error = True, error
            self._changed.notify_all()

    def await_bytes(self, place: int, timeout_s: float, given_up: Callable[[], bool]) -> int | None:
        """How many bytes there are from `place`; 0 at the end, None when none came in time.

        Raises: the producer's error, once everything before it was read.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: self._complete or self._size_bytes > place or given_up(), timeout=timeout_s
            )
            there = max(0, self._size_bytes - place)
            if there or given_up():
                return there
            if self._error is not None:
                # A copy for each: one exception raised in many threads would mix their tracebacks.
                raise copy.copy(self._error) from self._error
            return 0 if self._complete else None

    def wake(self) -> None:
        """Let every waiting reader look again."""
        with self._changed:
            self._changed.notify_all()

    def reader_closed(self) -> None:
        """One reader less; tells who wants to know when it was the last."""
        with self._changed:
            self._readers -= 1
            callbacks = list(self._on_last_gone) if not self._readers else []
        for callback in callbacks:
            callback()

    @property
    def idle(self) -> bool:
        """Nobody writes or reads it now, so it may be deleted.

        Who opens it in between keeps reading on POSIX, and makes the deletion fail on Windows.
        """
        with self._changed:
            return self._complete and not self._readers


class Reader:
    """One follower of a spool. `read` by one thread at a time, others wait; `close` by any."""

    def __init__(self, spool: Spool, file: RawFile, offset: int) -> None:
        self._spool = spool
        self._file = file
        self._place = offset
        self._reading = threading.Lock()
        self._closing = threading.Lock()
        self._closed = False

    def read(self, size: int, timeout_s: float) -> bytes | None:
        """See `SpoolReader`. After `close`, in another thread too: b"" at once.

        Raises: StoreFailed when the disk fails.
        """
        with self._reading:
            there = self._spool.await_bytes(self._place, timeout_s, lambda: self._closed)
            if there is None:
                return None
            if self._closed or not there:
                return b""
            try:
                self._file.seek(self._place)
                piece = self._file.read(min(size, there))
            except OSError as error:
                raise store_failed(self._spool.path, error) from error
            if not piece:
                raise store_failed(self._spool.path, OSError(errno.EIO, "it is shorter than it was"))
            self._place += len(piece)
            return piece

    def close(self) -> None:
        """Idempotent. A `read` that waits returns."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
        self._spool.wake()
        with self._reading:
            self._file.close()
        self._spool.reader_closed()
