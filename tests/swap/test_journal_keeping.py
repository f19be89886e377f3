"""How long the journal keeps what, and how it comes from one schema to the next."""

from __future__ import annotations

import dataclasses
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from alltalk_plugin.domain.models import ModelRef, SwapRecord
from alltalk_plugin.swap import journal as journal_module
from alltalk_plugin.swap.effects import PINNED, UNPIN, Kind
from alltalk_plugin.swap.journal import PENDING_LIMIT, SCHEMA_VERSION, SqliteJournal, replay
from alltalk_plugin.swap.replaying import Fold
from tests.swap.rig import Rig

VERSION_1 = """
CREATE TABLE records (seq INTEGER PRIMARY KEY, ts REAL NOT NULL, mono REAL NOT NULL, txn TEXT, kind TEXT,
  model TEXT, revision TEXT, arm TEXT, cause TEXT, bytes_pred INTEGER, bytes_meas INTEGER,
  free_before INTEGER, free_after INTEGER, dur_ms REAL, error TEXT, settings_hash TEXT, prev_good TEXT);
INSERT INTO records (seq, ts, mono, txn, kind, model, revision, dur_ms, prev_good) VALUES
  (1, 1.0, 1.0, 't1', 'plan', 'a', 'r1', NULL, NULL),
  (2, 1.0, 1.0, 't1', 'load_start', 'a', 'r1', NULL, NULL),
  (3, 1.0, 1.0, 't1', 'load_ok', 'a', 'r1', 1500, NULL),
  (4, 1.0, 1.0, 't1', 'verify', 'a', 'r1', 500, NULL),
  (5, 1.0, 1.0, 't1', 'commit', 'a', 'r1', 2000, 'b');
"""
"""What the first schema wrote."""


def told(kind: Kind, model: str = "a", *, ts: float = 1.0, **rest: object) -> SwapRecord:
    known = {"seq": 0, "mono": 1.0, "txn": "t", "revision": "r1", **rest}
    return SwapRecord(ts=ts, kind=kind, model=ModelRef(model), **known)  # type: ignore[arg-type]  # as given


def old_file(path: Path, version: int) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(VERSION_1)
        connection.execute(f"PRAGMA user_version={version}")


@pytest.mark.parametrize("version", [1, 0])  # 0: killed before the number was written
def test_file_of_the_first_schema_is_read_and_written_on(tmp_path: Path, version: int) -> None:
    path = tmp_path / "journal.sqlite"
    old_file(path, version)
    journal = SqliteJournal(path)
    state = replay(journal.since(0))
    assert (state.last_good, state.prev_good, state.learned[ModelRef("a")].load_s) == ("a", "b", (2.0,))
    written = journal.append(told(Kind.LEAK, device="cuda:0"))
    assert written.seq == 6 and journal.since(5) == (written,) and journal.last_error is None
    journal.close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)


def test_failed_migration_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "journal.sqlite"
    old_file(path, 1)
    steps = {1: ("ALTER TABLE records ADD COLUMN device TEXT", "ALTER TABLE nowhere ADD COLUMN x")}
    monkeypatch.setattr(journal_module, "_MIGRATIONS", steps)
    journal = SqliteJournal(path)
    assert journal.last_error is not None and "nowhere" in journal.last_error
    journal.close()
    monkeypatch.undo()
    again = SqliteJournal(path)
    assert again.last_error is None and len(again.since(0)) == 5
    again.close()


def test_records_that_cannot_be_written_are_kept_up_to_a_limit(tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("in the way")
    journal = SqliteJournal(tmp_path / "folder" / "journal.sqlite")
    for number in range(PENDING_LIMIT + 50):
        journal.append(told(Kind.PLAN, txn=f"t{number}"))
    kept = journal.since(0)
    assert len(kept) == PENDING_LIMIT and kept[-1].txn == f"t{PENDING_LIMIT + 49}"
    (tmp_path / "folder").unlink()
    journal.append(told(Kind.PLAN, txn="last"))
    assert journal.last_error is None and journal.since(0)[-1].txn == "last"
    journal.close()


SWAP = (Kind.PLAN, Kind.RESERVE, Kind.LOAD_START, Kind.LOAD_OK, Kind.VERIFY, Kind.COMMIT)


def long_history(journal: SqliteJournal) -> None:
    """Two models take turns for 200 swaps; one was pinned and one unpinned long ago."""
    journal.append(told(Kind.BOOT))
    journal.append(told(Kind.PIN, "pinned", cause=PINNED))
    journal.append(told(Kind.PIN, "unpinned", cause=UNPIN))
    for number in range(200):
        coming, leaving = ("a", "b") if number % 2 else ("b", "a")
        ts, txn = float(number), f"t{number}"
        for kind in (Kind.DRAIN, Kind.UNLOAD, Kind.FREED):
            journal.append(told(kind, leaving, ts=ts, txn=txn, bytes_meas=100 + number))
        for kind in SWAP:
            rest = {"dur_ms": float(number), "bytes_meas": number, "prev_good": leaving}
            journal.append(told(kind, coming, ts=ts, txn=txn, **rest))


@pytest.mark.parametrize(
    ("keep_rows", "before_ts", "goes"),
    [(0, 0.0, False), (10_000, 0.0, False), (300, 0.0, True), (0, 150.0, True), (1, 1e9, True)],
)
def test_pruning_keeps_what_a_replay_needs(
    tmp_path: Path, keep_rows: int, before_ts: float, goes: bool
) -> None:
    journal = SqliteJournal(tmp_path / "journal.sqlite")
    long_history(journal)
    before, rows = replay(journal.since(0)), len(journal.since(0))
    pruned = journal.prune(keep_rows=keep_rows, before_ts=before_ts)
    assert bool(pruned) is goes
    assert len(journal.since(0)) == rows - pruned
    assert replay(journal.since(0)) == before
    assert before.pins == {"pinned": True, "unpinned": False}
    assert journal.append(told(Kind.PLAN)).seq == rows + 1
    journal.close()


def test_pruning_a_journal_that_is_not_there_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    journal = SqliteJournal(tmp_path / "file" / "journal.sqlite")
    assert journal.prune(keep_rows=1, before_ts=1e9) == 0


def test_service_prunes_by_its_settings_when_it_starts(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal.sqlite")
    long_history(journal)
    rows, before = len(journal.since(0)), replay(journal.since(0))
    rig = Rig(journal, journal_keep_days=0, journal_keep_rows=300)
    rig.service.start()
    rig.service.close()  # when it returns, everything was told and tidied
    after = journal.since(0)
    assert len(after) < rows / 3
    assert replay(after).pins == before.pins
    journal.close()


def test_pruned_history_goes_on_like_the_whole_one() -> None:
    """Whatever came before the cut and whatever follows it."""
    history: list[SwapRecord] = []
    kinds = (*SWAP, Kind.DRAIN, Kind.UNLOAD, Kind.FREED, Kind.LOAD_FAILED, Kind.FAULT, Kind.ROLLBACK)
    more = (Kind.DEGRADED, Kind.ABORT, Kind.BOOT, Kind.PIN)
    for number in range(600):
        kind = (kinds + more)[(number * 7 + number // 11) % len(kinds + more)]
        record = told(
            kind,
            "abc"[number % 3],
            txn=f"t{number // 5}",
            revision=f"r{number // 150}",
            dur_ms=float(number),
            bytes_meas=number,
            prev_good="abc"[(number + 1) % 3],
        )
        history.append(dataclasses.replace(record, seq=number + 1))
    for cut in range(0, 600, 13):
        fold = Fold()
        for record in history[:cut]:
            fold.take(record)
        needed = fold.needed()
        kept = [record for record in history[:cut] if record.seq in needed]
        for end in (cut, cut + 1, cut + 20, 600):
            assert replay(kept + history[cut:end]) == dataclasses.replace(
                replay(history[:end]), seq=(kept + history[cut:end] or [told(Kind.PLAN)])[-1].seq
            )
