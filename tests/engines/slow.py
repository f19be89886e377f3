"""An engine that costs what neural ones cost, without them. Runs in real workers.

A busy import (as long as the environment says), memory that is really touched, loads with phases, and faults
on demand. Its light side is `SLOW` in tests/engines/slow_spec.py, where the options are explained.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from alltalk_plugin.domain.audio import AudioChunk
from alltalk_plugin.domain.engines import Cancellable, LoadRequest, SynthesisRequest
from alltalk_plugin.domain.errors import (
    ModelCorrupt,
    ModelIncompatible,
    ModelNotFound,
    ModelTimeout,
    OutOfMemory,
    SelfTestFailed,
    UnsafeCheckpoint,
)
from alltalk_plugin.domain.models import OptionValue

RATE_HZ = 16_000
SECONDS_PER_CHAR = 0.05
CHUNK_SAMPLES = 1_600
MB = 1_000_000


def busy(seconds: float) -> None:
    """Work for so much of a core's time, as imports and checkpoint readers do."""
    ends = time.thread_time() + seconds
    total = 0
    while time.thread_time() < ends:
        total += sum(range(1_000))


busy(float(os.environ.get("SLOW_ENGINE_IMPORT_S", "0")))
_IMPORT_BALLAST = np.ones(int(float(os.environ.get("SLOW_ENGINE_IMPORT_MB", "0"))) * MB, np.uint8)
if "SLOW_ENGINE_IMPORTED" in os.environ:  # a folder where each process says that its import is over
    Path(os.environ["SLOW_ENGINE_IMPORTED"], str(os.getpid())).touch()


def create(request: LoadRequest) -> SlowEngine:
    options = request.options
    fault = _fault_now(options)
    at = float(options.get("fault_at", 0.5))
    load_s = float(options.get("load_s", 0.0))
    busy(load_s * at)
    touched = [np.ones(int(float(options.get("touch_mb", 0)) * MB * at), np.uint8)]
    if "reached" in options:
        Path(str(options["reached"])).touch()
    if fault.startswith("load_"):
        _fail(fault.removeprefix("load_"))
    busy(load_s * (1.0 - at))
    touched.append(np.ones(int(float(options.get("touch_mb", 0)) * MB * (1.0 - at)), np.uint8))
    return SlowEngine(fault, float(options.get("speak_s", 0.0)), touched)


def _fault_now(options: Mapping[str, OptionValue]) -> str:
    """The fault of this load: what the file says that `fault_file` names, else `fault`."""
    file = options.get("fault_file")
    if file and Path(str(file)).exists():
        return Path(str(file)).read_text(encoding="utf-8").strip()
    return str(options.get("fault", ""))


def _fail(kind: str) -> None:
    errors = {
        "not_found": ModelNotFound,
        "corrupt": ModelCorrupt,
        "incompatible": ModelIncompatible,
        "unsafe_checkpoint": UnsafeCheckpoint,
        "oom": OutOfMemory,
        "timeout": ModelTimeout,
        "selftest_failed": SelfTestFailed,
    }
    match kind:
        case "crash":
            os.abort()
        case "hang":
            threading.Event().wait()
        case _:
            raise errors[kind](f"asked to fail with {kind}")


class SlowEngine:
    """Speaks a tone. The first word of a text, or the load's fault, says what goes wrong."""

    def __init__(self, fault: str, speak_s: float, touched: list[npt.NDArray[np.uint8]]) -> None:
        self._fault = fault
        self._speak_s = speak_s
        self._touched = touched

    def synthesize(self, request: SynthesisRequest, cancel: Cancellable) -> Iterator[AudioChunk]:
        command = self._fault.removeprefix("verify_") or request.text.split(" ")[0]
        match command:
            case "crash":
                os.abort()
            case "hang":
                threading.Event().wait()
            case "oom":
                raise MemoryError
            case "corrupt":
                raise ModelCorrupt("a layer is torn")
            case "nan":
                yield AudioChunk(np.full(RATE_HZ, np.nan, np.float32), RATE_HZ)
                return
            case "silence":
                yield AudioChunk(np.zeros(RATE_HZ, np.float32), RATE_HZ)
                return
        busy(self._speak_s)
        total = round(len(request.text) * SECONDS_PER_CHAR * RATE_HZ)
        for place in range(0, total, CHUNK_SAMPLES):
            if cancel.cancelled:
                return
            times_s = np.arange(place, min(place + CHUNK_SAMPLES, total), dtype=np.float32) / RATE_HZ
            yield AudioChunk((0.3 * np.sin(2 * np.pi * 220 * times_s)).astype(np.float32), RATE_HZ)

    def close(self) -> None:
        match self._fault:
            case "unload_crash":
                os.abort()
            case "unload_hang":
                threading.Event().wait()
        self._touched.clear()
