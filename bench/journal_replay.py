"""Reading and replaying a journal of 10,000 events (target: under 500 ms), and writing one event."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from alltalk_plugin.domain.models import ModelRef, SwapRecord
from alltalk_plugin.swap.effects import Kind
from alltalk_plugin.swap.journal import SqliteJournal, replay
from bench.report import Table

_EVENTS = 10_000
_ROUNDS = 7
_SWAP = (
    Kind.PLAN,
    Kind.DRAIN,
    Kind.UNLOAD,
    Kind.FREED,
    Kind.RESERVE,
    Kind.LOAD_START,
    Kind.LOAD_OK,
    Kind.VERIFY,
    Kind.COMMIT,
)


def measure() -> Table:
    """Rows in milliseconds."""
    table: dict[str, list[float]] = {"read and replay 10,000 events, ms": [], "append one event, ms": []}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.sqlite"
        journal = SqliteJournal(path)
        for number in range(_EVENTS):
            began = time.perf_counter()
            journal.append(_event(number))
            table["append one event, ms"].append((time.perf_counter() - began) * 1000)
        journal.close()
        for _ in range(_ROUNDS):
            began = time.perf_counter()
            reader = SqliteJournal(path)
            state = replay(reader.since(0))
            table["read and replay 10,000 events, ms"].append((time.perf_counter() - began) * 1000)
            reader.close()
            if state.seq != _EVENTS:
                raise SystemExit("the journal lost events")
    return table


def _event(number: int) -> SwapRecord:
    """Swaps between two models, one record after the other."""
    swap, step = divmod(number, len(_SWAP))
    kind = _SWAP[step]
    coming, leaving = ("a", "b") if swap % 2 else ("b", "a")
    model = ModelRef(leaving if kind in (Kind.DRAIN, Kind.UNLOAD, Kind.FREED) else coming)
    return SwapRecord(
        seq=0,
        ts=1.0,
        mono=1.0,
        txn=f"t{swap}",
        kind=kind,
        model=model,
        revision="r1",
        cause="api",
        dur_ms=1.0,
    )
