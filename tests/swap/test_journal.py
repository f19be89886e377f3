from __future__ import annotations

import dataclasses
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from alltalk_plugin.domain.models import ModelRef, SwapRecord
from alltalk_plugin.swap.effects import Kind
from alltalk_plugin.swap.journal import SCHEMA_VERSION, SqliteJournal, replay


def record(kind: str = "plan", *, model: str | None = "a", txn: str = "t1") -> SwapRecord:
    return SwapRecord(
        seq=0,
        ts=1.5,
        mono=2.5,
        txn=txn,
        kind=kind,
        model=ModelRef(model) if model else None,
        revision="r1",
        cause="api",
        bytes_pred=2**40,
        dur_ms=0.5,
        error="corrupt: \N{SNOWMAN}",
    )


def test_records_come_back_as_they_were_with_growing_numbers(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "new" / "journal.sqlite")
    written = [journal.append(record(model=model)) for model in ("a", "b", "c")]
    assert [one.seq for one in written] == [1, 2, 3]
    assert dataclasses.replace(written[0], seq=0) == record(model="a")
    assert journal.since(0) == tuple(written)
    assert journal.since(1, limit=1) == (written[1],)
    journal.close()
    again = SqliteJournal(tmp_path / "new" / "journal.sqlite")
    assert again.append(record()).seq == 4
    again.close()


def test_torn_tail_of_the_log_loses_at_most_the_last_records(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal.sqlite")
    for number in range(20):
        journal.append(record(txn=f"t{number}"))
    wal = (tmp_path / "journal.sqlite-wal").read_bytes()
    for step, cut in enumerate(range(0, len(wal), len(wal) // 13)):
        torn = tmp_path / str(step)
        torn.mkdir()
        shutil.copy(tmp_path / "journal.sqlite", torn / "journal.sqlite")
        (torn / "journal.sqlite-wal").write_bytes(wal[:cut])
        after = SqliteJournal(torn / "journal.sqlite")
        found = after.since(0)
        assert [one.txn for one in found] == [f"t{number}" for number in range(len(found))]
        assert after.append(record()).seq == len(found) + 1 and after.last_error is None
        after.close()
    journal.close()


@pytest.mark.slow
def test_records_survive_the_kill_of_the_writer(tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from tests.swap.test_journal import record\n"
        "from alltalk_plugin.swap.journal import SqliteJournal\n"
        "journal = SqliteJournal(Path(sys.argv[1]))\n"
        "for _ in range(50): journal.append(record())\n"
        "os.kill(os.getpid(), 9)\n"
    )
    path = tmp_path / "journal.sqlite"
    subprocess.run([sys.executable, "-c", script, str(path)], check=False, timeout=60, cwd=Path.cwd())
    journal = SqliteJournal(path)
    assert len(journal.since(0)) == 50
    journal.close()


def test_unwritable_journal_keeps_its_records_and_writes_them_later(tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("in the way")
    journal = SqliteJournal(tmp_path / "folder" / "journal.sqlite")
    problem = journal.last_error
    assert problem
    first = journal.append(record(txn="t1"))
    assert journal.since(0) == (first,)
    (tmp_path / "folder").unlink()
    journal.append(record(txn="t2"))
    assert journal.last_error is None
    journal.close()
    again = SqliteJournal(tmp_path / "folder" / "journal.sqlite")
    assert [one.txn for one in again.since(0)] == ["t1", "t2"]
    again.close()


def test_damaged_journal_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    path.write_bytes(b"this is no database, " * 500)
    journal = SqliteJournal(path)
    assert journal.append(record()).seq == 1 and journal.last_error is None
    assert [file.name.split("-")[0] for file in tmp_path.glob("*.damaged*")] == ["journal.sqlite.damaged"]
    journal.close()


def test_journal_of_a_newer_version_is_left_untouched(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    connection.close()
    before = path.read_bytes()
    journal = SqliteJournal(path)
    journal.append(record())
    assert journal.last_error is not None and "newer version" in journal.last_error
    journal.close()
    assert path.read_bytes() == before


def test_replay_of_nothing_is_the_empty_state() -> None:
    state = replay(())
    assert (state.wanted, state.ready, dict(state.open)) == (None, frozenset(), {})


def test_replay_never_wants_the_model_whose_load_ended_the_run() -> None:
    told = [record(Kind.PLAN), record(Kind.LOAD_START), record(Kind.VERIFY), record(Kind.COMMIT)]
    assert replay(told).wanted == "a"
    crashed = [*told, record(Kind.UNLOAD), record(Kind.PLAN, txn="t2"), record(Kind.LOAD_START, txn="t2")]
    assert replay(crashed).loading == {"a"}
    assert replay(crashed).wanted is None
    closed = [*crashed, record(Kind.ABORT, txn="t2")]
    assert replay(closed).wanted == "a"
