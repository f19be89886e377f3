"""An engine that misbehaves on command. Runs in real workers.

Its light side is `RUDE` in tests/workers/rude_spec.py.

What to do is the first word of the text, or of the option `always`; `load` says what loading does. Moved to
`mps` it hangs, to `cuda:9` it dies, and there is no `cuda:7`.
"""

from __future__ import annotations

import importlib
import os
import re
import sys
import threading
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from alltalk_plugin.domain.audio import AudioChunk
from alltalk_plugin.domain.engines import Cancellable, LoadRequest, SynthesisRequest
from alltalk_plugin.domain.errors import ModelCorrupt, ModelIncompatible
from alltalk_plugin.domain.models import Device

RATE_HZ = 16_000
CHUNK_SAMPLES = 1_600
SECONDS_PER_CHAR = 0.05


def create(request: LoadRequest) -> RudeEngine:
    if request.path is not None and request.path.read_text() == "torn":
        raise ModelCorrupt("the file is torn")
    match request.options.get("load"):
        case "corrupt":
            raise ModelCorrupt("the weights are torn", hint="Fetch them again.", context={"offset": 12})
        case "raise":
            raise KeyError("layer")
        case "memory":
            raise MemoryError
        case "import":
            raise ModuleNotFoundError("No module named 'torch'")
        case str() as command if command.startswith("import "):
            importlib.import_module(command.removeprefix("import "))
        case "abort":
            os.abort()
        case "hang":
            threading.Event().wait()
    ballast = bytes(int(request.options.get("allocate_mb", 0)) * 1_000_000)
    always = str(request.options.get("always", ""))
    return RudeEngine(always, np.frombuffer(ballast, np.uint8) + 1, whole=request.whole)


class RudeEngine:
    def __init__(self, always: str, ballast: npt.NDArray[np.uint8], *, whole: bool) -> None:
        self._always = always
        self._ballast = ballast
        self._device = ""
        self._whole = whole

    def synthesize(self, request: SynthesisRequest, cancel: Cancellable) -> Iterator[AudioChunk]:
        command = self._always or request.text.split(" ")[0]
        match command:
            case "abort":
                os.abort()
            case "exit":
                os._exit(7)
            case "hang":
                threading.Event().wait()
            case "hold":  # backtracks for years without ever letting the interpreter's lock go
                re.match(r"(a+)+$", "a" * 60 + "b")
            case "raise":
                raise ValueError(f"cannot say {request.text!r}")
            case "memory":
                raise MemoryError
            case "nan":
                yield _chunk(np.full(RATE_HZ, np.nan))
                return
            case "silent":
                yield _chunk(np.full(RATE_HZ, 0.5))
                return
            case "short":
                yield _chunk(_tone(0, 100))
                return
            case "where":
                yield _chunk(_tone(0, len(self._device)))
                return
            case "whole":  # two samples for files that were found whole before, one for others
                yield _chunk(_tone(0, 1 + self._whole))
                return
            case "echo":
                print(f"about to say: {request.text}", file=sys.stderr)
                os.abort()
            case "print":
                print("loading shared libraries")
                os.write(1, b"Warning: low-level output\n")
        endless = command == "endless"
        total = round(len(request.text) * SECONDS_PER_CHAR * RATE_HZ)
        place = 0
        while endless or place < total:
            if cancel.cancelled:
                return
            yield _chunk(_tone(place, CHUNK_SAMPLES))
            place += CHUNK_SAMPLES
            if command == "midway":
                os._exit(9)

    def to_device(self, device: Device) -> None:
        match device:
            case "cuda:7":
                raise ModelIncompatible("there is none such", context={"device": device})
            case "cuda:9":
                os.abort()
            case "mps":
                threading.Event().wait()
        self._device = device

    def close(self) -> None:
        del self._ballast


def _tone(place: int, count: int) -> npt.NDArray[np.float64]:
    times_s = np.arange(place, place + count, dtype=np.float64) / RATE_HZ
    tone: npt.NDArray[np.float64] = 0.3 * np.sin(2 * np.pi * 220 * times_s)
    return tone


def _chunk(samples: npt.NDArray[np.float64]) -> AudioChunk:
    return AudioChunk(samples.astype(np.float32), RATE_HZ)
