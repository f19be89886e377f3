"""Encoded streams by id, in one folder."""

from __future__ import annotations

import re
import secrets
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from loguru import logger

from alltalk_plugin.audio.encode import open_encoder
from alltalk_plugin.audio.files import OpenFile, open_unbuffered
from alltalk_plugin.audio.leftovers import settle_leftovers
from alltalk_plugin.audio.spool import Spool, marker_of
from alltalk_plugin.audio.writer import Writer
from alltalk_plugin.domain.audio import AudioFormat, AudioId
from alltalk_plugin.domain.errors import AudioNotFound, StoreFailed
from alltalk_plugin.domain.ports import Clock
from alltalk_plugin.settings.schema import AudioSettings

MAX_STREAM_BYTES = 2_000_000_000
"""The longest text a request may have (200 000 characters) is about 4 hours, 1.3 GB as WAV at 48 kHz. An
engine that never stops must not fill the disk; a WAV cannot pass 4 GiB anyway."""

_ID = re.compile(r"[0-9a-f]{32}")
_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class _Stored:
    path: Path
    size_bytes: int
    modified_s: float


class FolderStore:
    """Satisfies `AudioStore`. Thread-safe. `folder` is made with the first stream.

    Only one process may use a folder: at construction every stream that has not ended counts as left
    behind by a killed service.
    """

    def __init__(
        self,
        folder: Path,
        settings: Callable[[], AudioSettings],
        clock: Clock,
        *,
        open_file: OpenFile = open_unbuffered,
        max_stream_bytes: int = MAX_STREAM_BYTES,
    ) -> None:
        self._folder = folder
        self._settings = settings
        self._clock = clock
        self._open_file = open_file
        self._max_stream_bytes = max_stream_bytes
        self._lock = threading.Lock()
        self._spools: dict[str, Spool] = {}
        self._holds: Counter[str] = Counter()
        settle_leftovers(folder, open_file)

    def create(self, audio_format: AudioFormat, sample_rate_hz: int) -> Writer:
        """See `AudioStore`."""
        encoder = open_encoder(audio_format, sample_rate_hz)
        path = self._folder / f"{secrets.token_hex(16)}.{audio_format}"
        spool = Spool(path, self._open_file)
        try:
            writer = Writer(
                spool,
                encoder,
                sample_rate_hz=sample_rate_hz,
                open_file=self._open_file,
                max_bytes=self._max_stream_bytes,
            )
        except StoreFailed:
            with suppress(OSError):
                path.unlink(missing_ok=True)
                marker_of(path).unlink(missing_ok=True)
            raise
        with self._lock:
            self._spools[spool.audio_id] = spool
        return writer

    def get(self, audio_id: str) -> Spool:
        """See `AudioStore`. Anything but 32 lower-case hex digits never reaches the file system."""
        if not _ID.fullmatch(audio_id):
            raise AudioNotFound("that is not the id of an audio stream")
        with self._lock:
            spool = self._spools.get(audio_id) or self._on_disk(audio_id)
            if spool is None:
                raise AudioNotFound("there is no audio with that id", context={"audio_id": audio_id})
            self._spools[audio_id] = spool
            return spool

    def hold(self, audio_id: AudioId) -> None:
        """See `AudioStore`."""
        with self._lock:
            self._holds[audio_id] += 1

    def release(self, audio_id: AudioId) -> None:
        """See `AudioStore`. Without a hold nothing happens."""
        with self._lock:
            self._holds -= Counter({audio_id: 1})

    def sweep(self) -> int:
        """See `AudioStore`. Reads the folder; some milliseconds for a thousand streams."""
        settings = self._settings()
        now_s = self._clock.time()
        stored = sorted(self._listing(), key=lambda stream: stream.modified_s)
        total_bytes = sum(stream.size_bytes for stream in stored)
        gone = 0
        for stream in stored:
            too_old = bool(settings.keep_days) and now_s - stream.modified_s > settings.keep_days * _DAY_S
            too_much = bool(settings.keep_mb) and total_bytes > settings.keep_mb * 1_000_000
            if (too_old or too_much) and self._delete(stream.path):
                gone += 1
                total_bytes -= stream.size_bytes
        if gone:
            logger.info("audio swept", streams=gone, kept=len(stored) - gone, kept_bytes=total_bytes)
        return gone

    def _on_disk(self, audio_id: str) -> Spool | None:
        for audio_format in AudioFormat:
            path = self._folder / f"{audio_id}.{audio_format}"
            with suppress(OSError):
                return Spool(path, self._open_file, size_bytes=path.stat().st_size)
        return None

    def _listing(self) -> list[_Stored]:
        found = []
        extensions = {f".{audio_format}" for audio_format in AudioFormat}
        with suppress(OSError):  # no folder, or taken away while it is read: nothing more to sweep
            for path in self._folder.iterdir():
                if path.suffix in extensions and _ID.fullmatch(path.stem):
                    with suppress(OSError):
                        status = path.stat()
                        found.append(_Stored(path, status.st_size, status.st_mtime))
        return found

    def _delete(self, path: Path) -> bool:
        with self._lock:
            spool = self._spools.get(path.stem)
            if self._holds[path.stem] or (spool is not None and not spool.idle):
                return False
            self._spools.pop(path.stem, None)
            try:
                path.unlink()
                marker_of(path).unlink(missing_ok=True)
            except OSError as error:
                logger.warning("audio not deleted", path=str(path), errno=error.errno)
                return False
            return True
