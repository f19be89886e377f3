"""The producing end of a stream."""

from __future__ import annotations

import errno
from contextlib import suppress

import numpy as np
from loguru import logger

from alltalk_plugin.audio.encode import StreamEncoder
from alltalk_plugin.audio.files import OpenFile, store_failed, write_all
from alltalk_plugin.audio.spool import Spool, marker_of
from alltalk_plugin.domain.audio import AudioChunk
from alltalk_plugin.domain.errors import AlltalkError, StoreFailed


class Writer:
    """Encodes into a spool. One thread; satisfies `SpoolWriter`.

    A disk that fails ends the stream by itself: its readers get what is there and then the same error.
    Making one raises StoreFailed when the files cannot be made or the header not written.
    """

    def __init__(
        self,
        spool: Spool,
        encoder: StreamEncoder,
        *,
        sample_rate_hz: int,
        open_file: OpenFile,
        max_bytes: int,
    ) -> None:
        self.audio_id = spool.audio_id
        self._spool = spool
        self._encoder = encoder
        self._sample_rate_hz = sample_rate_hz
        self._max_bytes = max_bytes
        self._heard = False
        try:
            spool.path.parent.mkdir(parents=True, exist_ok=True)
            # The marker first: a file without one counts as complete at the next start.
            open_file(marker_of(spool.path), "x+b").close()
            self._file = open_file(spool.path, "x+b")
        except OSError as error:
            raise store_failed(spool.path, error) from error
        self._append(encoder.encode(np.zeros(0, np.float32)))

    def write(self, chunk: AudioChunk) -> None:
        """See `SpoolWriter`."""
        if chunk.sample_rate_hz != self._sample_rate_hz:
            raise ValueError(f"{chunk.sample_rate_hz} Hz in a stream of {self._sample_rate_hz} Hz")
        self._refuse_when_ended()
        self._append(self._encoder.encode(chunk.samples))
        self._heard = self._heard or bool(len(chunk.samples))

    def finish(self) -> None:
        """See `SpoolWriter`."""
        self._refuse_when_ended()
        self._complete()
        self._remove_marker()
        self._spool.ended(None)

    def abort(self, error: AlltalkError) -> None:
        """See `SpoolWriter`. Nothing to do for a stream that has ended."""
        if self._spool.complete:
            return
        with suppress(StoreFailed):  # readers are to hear why the work stopped, not what came on top
            self._complete()
            if self._heard:
                self._remove_marker()  # else the next start deletes the empty stream
        self._spool.ended(error)

    def _complete(self) -> None:
        ending = self._encoder.finish()
        self._append(ending.tail)
        if not self._spool.path.exists():
            # POSIX goes on writing into a file that was deleted.
            missing = FileNotFoundError(errno.ENOENT, "the file was removed")
            raise self._failed(missing) from missing
        try:
            for patch in ending.patches:
                self._file.seek(patch.offset)
                write_all(self._file, patch.replacement)
            self._file.close()
        except OSError as error:
            raise self._failed(error) from error

    def _append(self, piece: bytes) -> None:
        if not piece:
            return
        if self._spool.size_bytes + len(piece) > self._max_bytes:
            too_big = OSError(errno.EFBIG, f"a stream may have {self._max_bytes} bytes")
            raise self._failed(too_big) from too_big
        try:
            write_all(self._file, piece)
        except OSError as error:
            raise self._failed(error) from error
        self._spool.grown(len(piece))

    def _failed(self, error: OSError) -> StoreFailed:
        """Ends the stream. The marker stays, so that the next start mends what can be mended."""
        failure = store_failed(self._spool.path, error)
        with suppress(OSError):
            self._file.truncate(self._spool.size_bytes)
        with suppress(OSError):
            self._file.close()
        self._spool.ended(failure)
        logger.warning("audio not written", path=str(self._spool.path), errno=error.errno)
        return failure

    def _refuse_when_ended(self) -> None:
        if self._spool.error is not None:
            raise self._spool.error
        if self._spool.complete:
            raise ValueError("the stream has ended")

    def _remove_marker(self) -> None:
        try:
            marker_of(self._spool.path).unlink(missing_ok=True)
        except OSError as error:
            # The audio is all there; the next start looks at it once more and removes the marker then.
            logger.warning("marker not removed", path=str(self._spool.path), errno=error.errno)
