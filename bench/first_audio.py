"""From the call of the host API to the first audio byte of a five-sentence reply, worker warm and cold.

Warm: the service has spoken before. Cold: the service process is started anew for every sample and asked
the moment it answers, so the worker and the language detector are still loading.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from alltalk_plugin import bridge
from bench.report import Table

_SAMPLES = 20
_REPLY = (
    "*She looks up from sample {number}.* “You came back after all.” “I kept your chair by the window.” "
    "*The rain has not stopped since noon.* “Stay until it does.”"
)


def measure() -> Table:
    """Rows in milliseconds, 20 samples each."""
    table: dict[str, list[float]] = {
        "service start until it answers, ms": [],
        "first audio byte, worker cold, ms": [],
        "output answered, worker warm, ms": [],
        "first audio byte, worker warm, ms": [],
    }
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "settings.yaml").write_text("server: {port: 0}\n", encoding="utf-8")
        for number in range(_SAMPLES):
            process, service, start_ms = _start(home)
            try:
                table["service start until it answers, ms"].append(start_ms)
                table["first audio byte, worker cold, ms"].append(_first_byte_ms(service, number)[1])
                if number == _SAMPLES - 1:
                    _warm(service, table)
            finally:
                process.terminate()
                process.wait(timeout=20)
    return table


def _start(home: Path) -> tuple[subprocess.Popen[bytes], bridge.Service, float]:
    began = time.perf_counter()
    process = bridge.start(home, interpreter=sys.executable)
    while True:
        try:
            service = bridge.attach(home)
        except bridge.BridgeError:
            time.sleep(0.005)
        else:
            return process, service, (time.perf_counter() - began) * 1000


def _warm(service: bridge.Service, table: dict[str, list[float]]) -> None:
    _first_byte_ms(service, -1)
    for number in range(_SAMPLES):
        answered_ms, first_ms = _first_byte_ms(service, 1000 + number)
        table["output answered, worker warm, ms"].append(answered_ms)
        table["first audio byte, worker warm, ms"].append(first_ms)


def _first_byte_ms(service: bridge.Service, number: int) -> tuple[float, float]:
    """Milliseconds until the host has its answer, and until the first byte that is sound, not header."""
    body = {"text": _REPLY.format(number=number), "character": "Aria", "chat_id": f"bench-{number}"}
    began = time.perf_counter()
    answer = service.request("POST", "/api/v1/hosts/plain/output", body)
    answered_ms = (time.perf_counter() - began) * 1000
    with service.stream("GET", urlsplit(answer["audio_url"]).path) as audio:
        blocks = iter(audio)
        first = next(blocks)
        first_ms = (time.perf_counter() - began) * 1000
        if len(first) <= 44:  # a WAV header alone is no sound
            raise SystemExit("the first block holds no audio")
        for _block in blocks:
            pass
    return answered_ms, first_ms
