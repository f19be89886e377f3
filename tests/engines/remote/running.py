"""The speech server of the tests as a process, and what tests ask of it."""

from __future__ import annotations

import base64
import io
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.engines.remote.speech_server import RATE_HZ

SERVER = Path(__file__).with_name("speech_server.py")
ENCODED_S = 2.0


@dataclass(frozen=True, slots=True)
class SpeechServer:
    """A running server."""

    port: int
    scheme: str = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def behave(self, fault: str = "") -> None:
        """From now on every model behaves like that; "" as its name says. Forgets what it was sent."""
        self._control("faults", json.dumps({"fault": fault}).encode())

    @property
    def requests(self) -> list[dict[str, Any]]:
        """What it was sent since `behave`."""
        return list(self._control("requests")["requests"])

    @property
    def connections(self) -> int:
        """How often anybody connected, this question included."""
        return int(self._control("requests")["connections"])

    def _control(self, name: str, body: bytes | None = None) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.url}/control/{name}", body, timeout=10) as answer:  # noqa: S310  # our own address
            told: dict[str, Any] = json.load(answer)
        return told


@contextmanager
def speech_server(certificate: Path | None = None) -> Iterator[SpeechServer]:
    """Start one, with TLS if it has a certificate; it ends with the block."""
    process = subprocess.Popen(
        [sys.executable, str(SERVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        told = {"encoded": _encoded(), "certificate": certificate and str(certificate)}
        process.stdin.write(json.dumps(told) + "\n")
        process.stdin.flush()
        try:
            yield SpeechServer(int(process.stdout.readline()), "https" if certificate else "http")
        finally:
            process.kill()


def _encoded() -> dict[str, str]:
    at = np.arange(int(ENCODED_S * RATE_HZ)) / RATE_HZ
    tone = 0.3 * np.sin(2 * np.pi * 100 * at)
    found = {}
    for name, container, subtype in (("mp3", "MP3", None), ("flac", "FLAC", None), ("opus", "OGG", "OPUS")):
        file = io.BytesIO()
        soundfile.write(file, tone, RATE_HZ, format=container, subtype=subtype)
        found[name] = base64.b64encode(file.getvalue()).decode()
    return found


@pytest.fixture(scope="module")
def running() -> Iterator[SpeechServer]:
    with speech_server() as server:
        yield server


@pytest.fixture
def server(running: SpeechServer) -> SpeechServer:
    running.behave()
    return running
