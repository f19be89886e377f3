"""eSpeak without our text filter, to show what the filter is for. Runs in real workers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import espeakng_loader
import numpy as np

from alltalk_plugin.domain.audio import AudioChunk
from alltalk_plugin.domain.engines import Cancellable, LoadRequest, SynthesisRequest
from alltalk_plugin.engines.espeak_data import data_folder, read_data
from alltalk_plugin.engines.espeak_library import EspeakLibrary, Pcm


def create(request: LoadRequest) -> UnfilteredEngine:
    return UnfilteredEngine(data_folder(request.path))


class UnfilteredEngine:
    def __init__(self, folder: Path) -> None:
        self._library = EspeakLibrary(Path(espeakng_loader.get_library_path()), folder)
        self._data = read_data(folder)

    def synthesize(self, request: SynthesisRequest, cancel: Cancellable) -> Iterator[AudioChunk]:
        voice, variant = self._data.speaker(request.speaker)
        assert voice is not None
        self._library.set_voice(voice.identifier, variant)
        pieces: list[Pcm] = []

        def take(pcm: Pcm) -> bool:
            pieces.append(pcm)
            return True

        self._library.speak(request.text, take)
        for piece in pieces:
            yield AudioChunk(piece.astype(np.float32) / 32_768.0, self._library.sample_rate_hz)

    def close(self) -> None:
        self._library.close()
