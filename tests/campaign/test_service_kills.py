"""The service is killed at random points and started again: the journal holds, the good model serves."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

import alltalk_plugin
from alltalk_plugin import bridge
from alltalk_plugin.swap.journal import SqliteJournal, replay
from tests.campaign.rig import load_seconds, report, seeded, spread, workers_of
from tests.fakes.waiting import until

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(1_800)]

KILLS = 50
SETTINGS = """\
server: {port: 0}
audio: {format: wav}
languages: {candidates: [en]}
swap: {budget_mb: {cpu: 125}, min_interval_s: 0}
models:
  one: {engine: espeak, options: {voice: en-us}}
  two: {engine: espeak, options: {voice: en-gb}}
voices:
  first: {model: one}
  second: {model: two}
"""
"""Room for the floor and one of the two."""
FOLDER = Path(alltalk_plugin.__file__).resolve().parent.parent


class Service:
    """A service process of its own, as `alltalk-plugin serve` makes it."""

    latest: Service | None = None

    def __init__(self, home: Path) -> None:
        self._home = home
        Service.latest = self
        with (home / "output.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "alltalk_plugin", "--home", str(home), "serve"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=FOLDER,
                start_new_session=True,
            )

    def attach(self) -> bridge.Service:
        found: list[bridge.Service] = []

        def answers() -> bool:
            with suppress(bridge.BridgeError):
                found.append(bridge.attach(self._home, timeout_s=2.0))
            return bool(found) and found[0].address.pid == self.process.pid

        until(answers, patience_s=60.0)
        return found[-1]

    def kill(self) -> list[psutil.Process]:
        """End it at once; gives the workers that it leaves behind."""
        workers: list[psutil.Process] = []
        with suppress(psutil.Error):
            workers = workers_of(psutil.Process(self.process.pid))
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(20)
        return workers


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    yield
    if Service.latest is not None and Service.latest.process.poll() is None:
        Service.latest.kill()


def test_service_killed_at_random_points_then_each_boot_finds_journal_and_good_model(tmp_path: Path) -> None:
    choices = seeded("kills of the service")
    settings = tmp_path / "settings.yaml"
    settings.write_text(SETTINGS, encoding="utf-8")
    before = _digest(settings)
    boots: list[float] = []
    serving: list[float] = []
    skipped = 0
    orphans: list[psutil.Process] = []
    for _ in range(KILLS):
        good = _good_model(tmp_path)
        service = Service(tmp_path)
        if choices.random() < 0.2:  # while it starts
            threading.Event().wait(choices.uniform(0.0, 1.2))
            orphans += service.kill()
            skipped += 1
            _check_journal(tmp_path)
            continue
        began = time.perf_counter()
        client = service.attach()
        boots.append(time.perf_counter() - began)
        serving.append(_serves(client, good))
        _keep_busy(client, choices)
        threading.Event().wait(choices.uniform(0.0, 0.8))
        orphans += service.kill()
        _check_journal(tmp_path)
        _gone, alive = psutil.wait_procs(orphans, timeout=10)
        assert alive == [], "a worker outlived its service"
        orphans.clear()
    good = _good_model(tmp_path)
    last = Service(tmp_path)
    client = last.attach()
    serving.append(_serves(client, good))
    last.process.terminate()
    last.process.wait(20)
    records = _check_journal(tmp_path)
    slowest_load = {ref: spread(samples) for ref, samples in load_seconds(records).items()}
    report(
        "50 kills of the service",
        {
            "killed while starting": skipped,
            "boot until it answers, s": spread(boots),
            "good model speaks after the first answer, s": spread(serving),
            "T, s": slowest_load,
            "journal records": len(records),
            "boots in the journal": [record.kind for record in records].count("boot"),
        },
    )
    assert _digest(settings) == before


def _serves(client: bridge.Service, good: str | None) -> float:
    """Seconds until the good model is READY; then it speaks. Without one the floor does."""
    began = time.perf_counter()
    if good is not None:
        until(lambda: _state(client, good) == "ready", patience_s=20.0)
    voice = {"one": "first", "two": "second"}.get(good or "", "default")
    took = time.perf_counter() - began
    answer = client.request(
        "POST", "/api/v1/hosts/plain/output", {"text": "“I am here again.”", "voice": voice}
    )
    assert answer["audio_url"], answer
    return took


def _good_model(home: Path) -> str | None:
    """What the next boot is to bring back, by the journal; asked before it begins, as it writes there too."""
    journal = SqliteJournal(home / "journal.sqlite")
    try:
        return replay(journal.since(0)).wanted
    finally:
        journal.close()


def _state(client: bridge.Service, ref: str) -> str:
    models: list[dict[str, Any]] = client.request("GET", "/api/v1/models")["models"]
    return next(str(model["state"]) for model in models if model["id"] == ref)


def _keep_busy(client: bridge.Service, choices: random.Random) -> None:
    """Some swaps and replies; they are still under way when the kill comes."""
    for _ in range(choices.randint(1, 4)):
        with suppress(bridge.BridgeError):  # 'degraded', 'retry later': answers too
            client.request("POST", "/api/v1/swaps", {"target": choices.choice(["one", "two"]), "force": True})
        if choices.random() < 0.5:
            client.request("POST", "/api/v1/hosts/plain/output", {"text": "“Word by word.” " * 20})
        threading.Event().wait(choices.uniform(0.0, 0.4))


def _check_journal(home: Path) -> Any:
    path = home / "journal.sqlite"
    if not path.exists():
        return ()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    journal = SqliteJournal(path)
    try:
        records = journal.since(0)
    finally:
        journal.close()
    seqs = [record.seq for record in records]
    assert seqs == sorted(set(seqs))
    for end in range(0, len(records), 7):
        replay(records[:end])
    return records


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
