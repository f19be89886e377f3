"""A process in an engine's environment that works on order, and programs that it brings along."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.report import OUT
from tests.neural import interpreter

DIRECT = Path(__file__).with_name("direct.py")
SERVED = Path(__file__).with_name("served.py")
FLASK = OUT / "flask"
"""What the engines' own servers need besides the engine."""


class Partner:
    """`direct.py`, which has imported the library once."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [str(interpreter("coqui")), str(DIRECT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def ask(self, do: str, **rest: str) -> dict[str, float]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps({"do": do, **rest}), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"the library could not {do}: run {DIRECT} by hand")
        answer: dict[str, float] = json.loads(line)
        return answer

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


def cold_process_ms(do: str, **rest: str) -> float:
    """A process from its start to its end with the work done: interpreter, imports, load, speech."""
    began = time.perf_counter()
    order = json.dumps({"do": do, **rest})
    subprocess.run(
        [str(interpreter("coqui")), str(DIRECT), order],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return (time.perf_counter() - began) * 1000


@contextmanager
def own_server(engine: str, module: str, arguments: Sequence[str], probe: str) -> Iterator[None]:
    """An engine's own HTTP server, until left; it is there once something answers at `probe`."""
    if not (FLASK / "flask").is_dir():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(FLASK), "flask"]
        subprocess.run(pip, check=True)
    process = subprocess.Popen(
        [str(interpreter(engine)), str(SERVED), str(FLASK), module, *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _await(probe, process)
        yield
    finally:
        process.kill()
        process.wait()


def _await(address: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise SystemExit(f"the server ended with exit code {process.returncode}")
        try:
            with urllib.request.urlopen(address, timeout=60):  # noqa: S310  # loopback
                return
        except urllib.error.HTTPError:
            return  # whatever it thinks of the question, it is there
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"nothing answers at {address}")
