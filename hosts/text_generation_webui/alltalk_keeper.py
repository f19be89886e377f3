"""Finished audio is copied into the host's own folder, so that old chats play without the service."""

from __future__ import annotations

import queue
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

_READERS = 2  # one long reply does not hold up the next
_SILENCE_S = 120.0  # between two pieces of a stream; a model may have to be loaded first
_ANSWER_S = 10.0
_TRIES = 3  # the first may follow a growing stream; the second gets the finished file
_STALE_S = 3600.0


class Keeper:
    """Fetches each audio file once, in threads of its own. Thread-safe; `keep` does not block.

    What fails is tried again after the next one that works, or when the service asks for it at hello.
    """

    def __init__(
        self,
        bridge: Any,
        *,
        folder: Callable[[], Path],
        service: Callable[[], Any],
        kept_path: str,
        conditions: Any,
    ) -> None:
        self._bridge = bridge
        self._folder = folder
        self._service = service
        self._kept_path = kept_path
        self._conditions = conditions
        self._wanted: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._busy: set[str] = set()
        self._later: set[str] = set()
        self._uncopied: set[str] = set()
        self._started = False
        self._closed = False

    def keep(self, names: Iterable[str], *, copied: bool = True) -> None:
        """Copy these and tell the service; not `copied`: only tell it, so that it forgets them in time."""
        with self._lock:
            fresh = [name for name in names if name not in self._busy]
            self._uncopied.update(() if copied else fresh)
            self._busy.update(fresh)
            first, self._started = not self._started and bool(fresh), self._started or bool(fresh)
        for name in fresh:
            self._wanted.put(name)
        if first:
            for number in range(_READERS):
                threading.Thread(target=self._work, name=f"alltalk-keep-{number}", daemon=True).start()

    def close(self) -> None:
        """No more after the pieces that are being fetched."""
        self._closed = True
        for _ in range(_READERS):
            self._wanted.put(None)

    def _work(self) -> None:
        self._sweep()
        while True:
            name = self._wanted.get()
            if name is None or self._closed:
                return
            try:
                done = self._one(name)
            except Exception as error:  # noqa: BLE001 - a thread of the host's process: it has to live on
                self._trouble(type(error).__name__, repr(error))
                done = False
            with self._lock:
                self._busy.discard(name)
                again = set(self._later) if done else set()
                self._later.difference_update(again)
                if not done:
                    self._later.add(name)
            self.keep(again)

    def _one(self, name: str) -> bool:
        service = self._service()
        if service is None:
            return False
        try:
            target = self._folder() / name
            if name not in self._uncopied and not (target.is_file() and target.stat().st_size):
                self._fetch(service, name, target)
            service.request("POST", self._kept_path, {"audio_file": name}, timeout_s=_ANSWER_S)
        except self._bridge.BridgeError as error:
            if error.status == 404:  # the service gave it up: asking again will not help
                return True
            if error.status is not None:  # else the service is gone, which is said where it is looked for
                self._trouble(error.code, error.message)
            return False
        except OSError as error:
            self._trouble(f"errno {error.errno}", str(error))
            return False
        if name in self._uncopied:
            self._uncopied.discard(name)
        else:
            self._conditions.good("keeping", "alltalk-plugin: audio is copied into the host's folder again")
        return True

    def _fetch(self, service: Any, name: str, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f"{name}.{uuid.uuid4().hex[:8]}.part")
        path = "/api/v1/audio/" + name.partition(".")[0]
        try:
            for _ in range(_TRIES):
                with service.stream("GET", path, timeout_s=_SILENCE_S) as stream, partial.open("wb") as file:
                    # Without a length it still grew. Its head is completed at the end (how long it is, where
                    # to seek), so what came is thrown away and the finished file fetched.
                    whole = stream.headers.get("Content-Length") is not None
                    for piece in stream:
                        file.write(piece)
                if whole:
                    break
            partial.replace(target)
        finally:
            if partial.exists():
                partial.unlink()

    def _sweep(self) -> None:
        """Pieces that a host which was ended left behind."""
        try:
            for partial in self._folder().glob("*.part"):
                if time.time() - partial.stat().st_mtime > _STALE_S:
                    partial.unlink()
        except OSError:
            pass  # another reader, or nothing there: no harm

    def _trouble(self, kind: str, reason: str) -> None:
        if self._closed:
            return
        line = f"alltalk-plugin: audio cannot be copied into the host's folder, it plays live only: {reason}"
        self._conditions.bad("keeping", kind, line)
