"""Audio that a host wants a copy of: kept beyond retention until the host says that it has it."""

from __future__ import annotations

import contextlib
import json
import threading
from pathlib import Path

from loguru import logger

from alltalk_plugin.domain.audio import AudioId
from alltalk_plugin.domain.errors import AudioNotFound
from alltalk_plugin.domain.ports import AudioStore

OWED_FILE = "owed-audio.json"
_OWED_MOST = 1_000
"""A host that never comes back must not keep the disk full: its oldest go first."""


class Keeping:
    """Which host still has to fetch what, across restarts of the service. Thread-safe.

    A list that cannot be read or written costs old chats their copies, never a reply: it is logged.
    """

    def __init__(self, file: Path, store: AudioStore) -> None:
        self._file = file
        self._store = store
        self._lock = threading.Lock()
        self._owed: dict[str, list[AudioId]] = {}
        for host, audio_ids in _read(file).items():
            for audio_id in audio_ids:
                with contextlib.suppress(AudioNotFound):
                    self._hold(host, AudioId(store.get(audio_id).audio_id))

    def owe(self, host: str, audio_id: AudioId) -> None:
        """`host` will fetch this audio; keep it until it has."""
        with self._lock:
            self._hold(host, audio_id)
            self._write()

    def kept(self, host: str, audio_id: str) -> bool:
        """`host` has its copy; False when nothing of that name was owed to it."""
        with self._lock:
            owed = self._owed.get(host, [])
            if audio_id not in owed:
                return False
            owed.remove(AudioId(audio_id))
            self._store.release(AudioId(audio_id))
            self._write()
        return True

    def missing(self, host: str) -> tuple[str, ...]:
        """File names (`id.format`) that `host` never confirmed, oldest first."""
        with self._lock:
            owed = tuple(self._owed.get(host, ()))
        names = []
        for audio_id in owed:
            with contextlib.suppress(AudioNotFound):
                names.append(f"{audio_id}.{self._store.get(audio_id).audio_format}")
        return tuple(names)

    def _hold(self, host: str, audio_id: AudioId) -> None:
        owed = self._owed.setdefault(host, [])
        owed.append(audio_id)
        self._store.hold(audio_id)
        while len(owed) > _OWED_MOST:
            self._store.release(owed.pop(0))

    def _write(self) -> None:
        partial = self._file.with_suffix(".partial")
        try:
            partial.write_text(json.dumps(self._owed), encoding="utf-8")
            partial.replace(self._file)
        except OSError as error:
            logger.warning("list of audio for hosts not written", path=str(self._file), reason=str(error))


def _read(file: Path) -> dict[str, list[str]]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        return {str(host): [str(audio_id) for audio_id in ids] for host, ids in found.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        logger.warning("list of audio for hosts not read", path=str(file), reason=str(error))
        return {}
