"""One reply over HTTP: our service beside the servers that Coqui and Piper bring, on the same checkpoints."""

from __future__ import annotations

import json
import socket
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from alltalk_plugin import bridge
from alltalk_plugin.audio.encode import WAV_HEADER_BYTES
from alltalk_plugin.environments.places import EngineFolder
from bench.neural.models import piper, vits_pair
from bench.neural.partner import own_server
from bench.report import Table
from tests.neural import HOME

ROUNDS = 10
SENTENCES = "The {0} rain had been falling since morning. She shut the {0} door and waited. Nobody {0} came."
WORDS = ["amber", "brown", "cold", "deep", "early", "faint", "grey", "heavy", "icy", "jolly", "kind"]
"""One for each round, in every sentence, so that nobody's cache helps."""

Timed = tuple[float, float]
"""Milliseconds until the first byte of audio, and until the last."""


def measure() -> Table:
    """Milliseconds, alternating in one run."""
    vits, voice = vits_pair()[0], piper()
    coqui_port, piper_port = _free_port(), _free_port()
    coqui = f"http://127.0.0.1:{coqui_port}"
    piper_url = f"http://127.0.0.1:{piper_port}"
    arguments = ["--model_path", str(vits / "model.pth"), "--config_path", str(vits / "config.json")]
    with (
        own_server("coqui", "TTS.server.server", [*arguments, "--port", str(coqui_port)], coqui),
        own_server(
            "piper",
            "piper.http_server",
            ["-m", str(voice), "--host", "127.0.0.1", "--port", str(piper_port)],
            f"{piper_url}/voices",
        ),
        _service(vits, voice) as service,
    ):
        return {
            **_pair(
                "VITS of 141 MB",
                "tts-server",
                lambda text: _ours(service, "coqui", text),
                lambda text: _fetched(f"{coqui}/api/tts?text={urllib.parse.quote(text)}", None),
            ),
            **_pair(
                "tiny Piper voice",
                "Piper's HTTP server",
                lambda text: _ours(service, "piper", text),
                lambda text: _fetched(f"{piper_url}/synthesize", {"text": text}),
            ),
        }


def _pair(model: str, other: str, ours: Callable[[str], Timed], theirs: Callable[[str], Timed]) -> Table:
    mine: list[Timed] = []
    others: list[Timed] = []
    for word in WORDS[: ROUNDS + 1]:
        text = SENTENCES.format(word)
        mine.append(ours(text))
        others.append(theirs(text))
    mine, others = mine[1:], others[1:]
    return {
        f"{model}, ours, first audio, ms": [first for first, _ in mine],
        f"{model}, {other}, first audio, ms": [first for first, _ in others],
        f"{model}, ours, whole, ms": [whole for _, whole in mine],
        f"{model}, {other}, whole, ms": [whole for _, whole in others],
        f"{model}, whole, ours / {other}": [one[1] / two[1] for one, two in zip(mine, others, strict=True)],
    }


def _ours(service: bridge.Service, voice: str, text: str) -> Timed:
    body = {"text": text, "voice": voice, "language": "en", "format": "wav", "stream": True}
    began = time.perf_counter()
    first_ms, got_bytes = 0.0, 0
    with service.stream("POST", "/api/v1/speak", body, timeout_s=120.0) as answer:
        for block in answer:
            got_bytes += len(block)
            if not first_ms and got_bytes > WAV_HEADER_BYTES:  # which comes before any audio is made
                first_ms = (time.perf_counter() - began) * 1000
    return first_ms, (time.perf_counter() - began) * 1000


def _fetched(address: str, body: dict[str, str] | None) -> Timed:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, data, {"Content-Type": "application/json"})  # noqa: S310  # loopback
    began = time.perf_counter()
    with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310  # as above
        answer.read(WAV_HEADER_BYTES + 2)
        first_ms = (time.perf_counter() - began) * 1000
        while answer.read(65_536):
            pass
    return first_ms, (time.perf_counter() - began) * 1000


@contextmanager
def _service(vits: Path, voice: Path) -> Iterator[bridge.Service]:
    """A service whose data folder has the engines that the tests use, both models loaded."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "engines").mkdir()
        for engine in ("coqui", "piper"):
            EngineFolder(home, engine).root.symlink_to(EngineFolder(HOME, engine).root)
        (home / "settings.yaml").write_text(
            f"models:\n  coqui: {{engine: coqui, path: '{vits}'}}\n"
            f"  piper: {{engine: piper, path: '{voice}'}}\n"
            "voices:\n  coqui: {model: coqui}\n  piper: {model: piper}\nserver: {port: 0}\n",
            encoding="utf-8",
        )
        process = bridge.start(home, interpreter=sys.executable)
        try:
            yield bridge.attach_or_start(home, interpreter=sys.executable, deadline_s=60.0)
        finally:
            process.terminate()
            process.wait(timeout=30)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
