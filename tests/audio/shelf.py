"""A store in a folder, with what tests of it need."""

from __future__ import annotations

import os
from pathlib import Path

from alltalk_plugin.audio.store import FolderStore
from alltalk_plugin.domain.audio import AudioChunk, AudioFormat, AudioId
from alltalk_plugin.domain.ports import SpoolReader
from alltalk_plugin.settings.schema import AudioSettings
from tests.audio.sounds import speech
from tests.fakes.clock import FakeClock
from tests.fakes.store import FailingDisk

RATE = 24_000
NOW = 0.0
"""A timeout for reads that must not wait."""

LONG_S = 30.0
"""For reads that must not time out; nothing waits that long unless it is broken."""


class Shelf:
    """A store in a folder, on a disk that can fail."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.disk = FailingDisk()
        self.clock = FakeClock()
        self.settings = AudioSettings()
        self.max_stream_bytes = 10_000_000
        self.store = self.reopened()

    def reopened(self) -> FolderStore:
        """A store as the next start of the service makes it."""
        return FolderStore(
            self.folder,
            lambda: self.settings,
            self.clock,
            open_file=self.disk.open,
            max_stream_bytes=self.max_stream_bytes,
        )

    def files(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir()) if self.folder.exists() else []

    def stored(
        self, *, seconds: float = 0.5, age_days: float = 0.0, audio_format: AudioFormat = AudioFormat.WAV
    ) -> AudioId:
        """A complete stream of that age."""
        writer = self.store.create(audio_format, RATE)
        writer.write(AudioChunk(speech(seconds, RATE), RATE))
        writer.finish()
        at_s = self.clock.time() - age_days * 86_400
        os.utime(self.store.get(writer.audio_id).path, (at_s, at_s))
        return writer.audio_id


def read_to_end(reader: SpoolReader, size: int = 1_000) -> bytes:
    gathered = b""
    while piece := reader.read(size, LONG_S):
        gathered += piece
    assert piece == b"", "timed out"
    return gathered


def speech_chunk(seconds: float = 0.2) -> AudioChunk:
    return AudioChunk(speech(seconds, RATE), RATE)
