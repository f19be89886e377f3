"""What a remote speech server costs more through its worker than asked directly.

The server is the one of the tests, on loopback: it answers at once, so that what is measured is ours.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection

from alltalk_plugin.domain.cancel import CancelSource
from alltalk_plugin.domain.clock import SystemClock
from alltalk_plugin.domain.engines import SynthesisRequest
from alltalk_plugin.domain.models import ModelKey, ModelProfile, ModelRef, OptionValue
from alltalk_plugin.engines.remote.spec import SPEC
from alltalk_plugin.workers.model import WorkerModel
from alltalk_plugin.workers.supervisor import WorkerLoader
from bench.report import Table
from tests.engines.remote.running import SpeechServer, speech_server

_ROUNDS = 60
_TEXT = "The rain in Spain stays mainly in the plain, says the wind to the windmill."
_MB = 1e6


def measure() -> Table:
    """Rows in milliseconds and MB."""
    table: dict[str, list[float]] = {}

    def note(row: str, value: float) -> None:
        table.setdefault(row, []).append(value)

    with speech_server() as server:
        with _worker(server) as (model, load_ms):
            note("load to loaded, ms", load_ms)
            note("worker, loaded, MB", _resident_mb(model))
            # In turns, so that what else runs on the machine weighs on all alike.
            direct = HTTPConnection("127.0.0.1", server.port)
            for _ in range(_ROUNDS):
                first, whole = _timed(_asked_directly(direct))
                note("first bytes, asked directly, ms", first)
                note("whole answer, asked directly, ms", whole)
                first, whole = _timed(model.synthesize(SynthesisRequest(text=_TEXT), CancelSource()))
                note("first chunk, through the worker, ms", first)
                note("whole answer, through the worker, ms", whole)
            direct.close()
            note(f"worker, after {_ROUNDS} answers, MB", _resident_mb(model))
        with _worker(server, format="mp3") as (model, _):
            list(model.synthesize(SynthesisRequest(text=_TEXT), CancelSource()))
            note("worker, after an answer in MP3, MB", _resident_mb(model))
        with _worker(server, model="stall-late") as (model, _):
            for _ in range(10):
                note("cancel in the middle until free, ms", _cancelled(model))
    return table


@contextmanager
def _worker(server: SpeechServer, **options: OptionValue) -> Iterator[tuple[WorkerModel, float]]:
    loader = WorkerLoader({"remote": SPEC}, clock=SystemClock())
    given: dict[str, OptionValue] = {"base_url": server.url, "model": "fine", **options}
    profile = ModelProfile(ModelRef("far"), "remote", options=given)
    began = time.perf_counter()
    model = loader.load(profile, ModelKey("remote", profile.ref, ""), CancelSource(), lambda _death: None)
    took_ms = (time.perf_counter() - began) * 1000
    try:
        yield model, took_ms
    finally:
        loader.close()


def _asked_directly(connection: HTTPConnection) -> Iterator[bytes]:
    body = json.dumps({"model": "fine", "input": _TEXT, "voice": "alloy", "response_format": "wav"})
    connection.request("POST", "/v1/audio/speech", body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    while part := response.read1(65_536):
        yield part


def _timed(parts: Iterator[object]) -> tuple[float, float]:
    """Until the first and until the last, ms."""
    began = time.perf_counter()
    next(parts)
    first = time.perf_counter() - began
    for _ in parts:
        pass
    return first * 1000, (time.perf_counter() - began) * 1000


def _cancelled(model: WorkerModel) -> float:
    """From cancelling until the worker has taken, and left, a second request."""
    cancel = CancelSource()
    stream = model.synthesize(SynthesisRequest(text=_TEXT), cancel)
    next(stream)
    threading.Event().wait(0.1)
    began = time.perf_counter()
    cancel.cancel()
    list(stream)
    again = CancelSource()
    next(model.synthesize(SynthesisRequest(text=_TEXT), again))
    took_ms = (time.perf_counter() - began) * 1000
    again.cancel()
    return took_ms


def _resident_mb(model: WorkerModel) -> float:
    return sum(model.resident_bytes().values()) / _MB
