"""Speech that was made a moment ago: a continued or repeated reply costs its new sentences only."""

from __future__ import annotations

import threading
from collections import OrderedDict

from alltalk_plugin.domain.audio import AudioChunk
from alltalk_plugin.domain.engines import SynthesisRequest
from alltalk_plugin.domain.models import ModelKey

_Key = tuple[ModelKey, SynthesisRequest]


class UtteranceCache:
    """Whole utterances by exactly what was asked of exactly which model. Thread-safe, least used goes first.

    Keys hold the model's revision, so a changed checkpoint or option never answers with old sound.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._lock = threading.Lock()
        self._entries: OrderedDict[_Key, tuple[AudioChunk, ...]] = OrderedDict()
        self._bytes = 0

    def get(self, model: ModelKey, request: SynthesisRequest) -> tuple[AudioChunk, ...] | None:
        with self._lock:
            found = self._entries.get((model, request))
            if found is not None:
                self._entries.move_to_end((model, request))
            return found

    def put(self, model: ModelKey, request: SynthesisRequest, chunks: tuple[AudioChunk, ...]) -> None:
        size = _size_bytes(chunks)
        if size > self._limit_bytes:
            return
        with self._lock:
            self._bytes -= _size_bytes(self._entries.pop((model, request), ()))
            self._entries[model, request] = chunks
            self._bytes += size
            while self._bytes > self._limit_bytes:
                _, oldest = self._entries.popitem(last=False)
                self._bytes -= _size_bytes(oldest)


def _size_bytes(chunks: tuple[AudioChunk, ...]) -> int:
    return sum(chunk.samples.nbytes for chunk in chunks)
