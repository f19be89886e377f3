"""What happened to models, in SQLite beside the settings: survives a kill at any byte, readable meanwhile."""

from __future__ import annotations

import dataclasses
import sqlite3
import time
from contextlib import closing
from dataclasses import fields
from pathlib import Path

from loguru import logger

from alltalk_plugin.domain.models import SwapRecord
from alltalk_plugin.swap.replaying import Fold, ReplayedState, replay

__all__ = ["SCHEMA_VERSION", "ReplayedState", "SqliteJournal", "replay"]

_MIGRATIONS = {
    1: ("ALTER TABLE records ADD COLUMN device TEXT",),  # bytes are those of a device
}
"""Version -> what leads from it to the next."""

SCHEMA_VERSION = 2
"""In the file's `user_version`; a file of a newer version is left untouched."""

PENDING_LIMIT = 2_000
"""Records kept in memory while the file cannot be written; then the oldest are given up."""

_NEVER_PRUNED = 200
"""The newest records stay whatever the limits say, so that the last hours can always be read."""

_COLUMNS = tuple(column.name for column in fields(SwapRecord))
_KINDS = {"seq": "INTEGER PRIMARY KEY", "ts": "REAL NOT NULL", "mono": "REAL NOT NULL", "dur_ms": "REAL"}
_INTEGERS = ("bytes_pred", "bytes_meas", "free_before", "free_after")
_CREATE = "CREATE TABLE IF NOT EXISTS records ({})".format(
    ", ".join(f"{name} {_KINDS.get(name, 'INTEGER' if name in _INTEGERS else 'TEXT')}" for name in _COLUMNS)
)
_INSERT = f"INSERT INTO records ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608  our own names
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM records WHERE seq > ? ORDER BY seq LIMIT ?"  # noqa: S608  our own names
_UP_TO = f"SELECT {', '.join(_COLUMNS)} FROM records WHERE seq <= ? ORDER BY seq"  # noqa: S608  our own names


class SqliteJournal:
    """Satisfies `Journal`. `append` and `close`: one thread; `since` and `last_error`: any.

    A journal that cannot be written never stops speech: `append` does not raise, `last_error` says what
    is wrong, records wait in memory and are written as soon as it works again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._pending: tuple[SwapRecord, ...] = ()
        self.last_error: str | None = None
        self._seq = 0
        try:
            self._connection = self._open()
            self._seq = self._last_seq(self._connection)
        except (sqlite3.Error, OSError) as error:
            self._note(error)

    def append(self, record: SwapRecord) -> SwapRecord:
        """Write; gives the record back with its `seq`. A write survives the death of this process."""
        self._seq += 1
        record = dataclasses.replace(record, seq=self._seq)
        pending = (*self._pending, record)
        try:
            if self._connection is None:
                self._connection = self._open()
                pending = self._renumbered(self._connection, pending)
            with self._connection:
                self._connection.execute("BEGIN")
                self._connection.executemany(_INSERT, [_row(waiting) for waiting in pending])
        except (sqlite3.Error, OSError) as error:
            self._pending = pending[-PENDING_LIMIT:]
            self._note(error)
        else:
            self._pending = ()
            if self.last_error is not None:
                logger.info("the journal can be written again", path=str(self._path), records=len(pending))
                self.last_error = None
        return pending[-1]

    def since(self, seq: int, limit: int | None = None) -> tuple[SwapRecord, ...]:
        """Records after `seq`, oldest first; those that wait to be written too."""
        pending = self._pending
        try:
            with closing(
                sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True)
            ) as connection:
                rows = connection.execute(_SELECT, (seq, -1 if limit is None else limit)).fetchall()
        except (sqlite3.Error, OSError):
            rows = []  # `last_error` says so already, or nothing was ever written
        stored = tuple(_record(row) for row in rows)
        last = stored[-1].seq if stored else seq
        found = stored + tuple(record for record in pending if record.seq > last)
        return found if limit is None else found[:limit]

    @property
    def last_seq(self) -> int:
        """The number of the latest record; 0 when there is none. Any thread."""
        return self._seq

    def prune(self, *, keep_rows: int, before_ts: float) -> int:
        """Delete what is older than `before_ts` or beyond the newest `keep_rows` (0: no limit), but for what
        a replay needs; gives how many records went. Any thread; 0 when the file cannot be written."""
        try:
            with closing(sqlite3.connect(self._path, isolation_level=None)) as connection:
                return _pruned(connection, keep_rows, before_ts)
        except (sqlite3.Error, OSError) as error:
            logger.warning("the journal cannot be pruned", error=str(error), path=str(self._path))
            return 0

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return self._connect()
        except sqlite3.OperationalError:
            raise  # locked, full, read-only, too new: the file itself is good
        except sqlite3.DatabaseError as error:
            aside = f".damaged-{time.time_ns()}"
            for part in ("", "-wal", "-shm"):  # an old log would be played into the new file
                file = self._path.with_name(self._path.name + part)
                if file.exists():
                    file.rename(file.with_name(file.name + aside))
            logger.error(
                "the journal was damaged and begins anew", error=str(error), path=str(self._path), aside=aside
            )
            return self._connect()

    def _connect(self) -> sqlite3.Connection:
        # The swap owner's thread writes, another one made this object and closes it.
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        try:
            _prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _last_seq(self, connection: sqlite3.Connection) -> int:
        return int(connection.execute("SELECT COALESCE(MAX(seq), 0) FROM records").fetchone()[0])

    def _renumbered(
        self, connection: sqlite3.Connection, pending: tuple[SwapRecord, ...]
    ) -> tuple[SwapRecord, ...]:
        """Records made before the file could be read, placed behind what it holds."""
        last = self._last_seq(connection)
        if pending[0].seq > last:
            return pending
        self._seq = last + len(pending)
        return tuple(dataclasses.replace(record, seq=last + n) for n, record in enumerate(pending, 1))

    def _note(self, error: Exception) -> None:
        if self.last_error is None:
            logger.error("the journal cannot be written", error=str(error), path=str(self._path))
        self.last_error = str(error)


def _prepare(connection: sqlite3.Connection) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        raise sqlite3.OperationalError(f"written by a newer version (schema {version})")
    connection.execute("PRAGMA journal_mode=WAL")
    # NORMAL: every committed record survives the death of the process; the last ones may be lost when
    # the machine loses power, and the file stays consistent.
    connection.execute("PRAGMA synchronous=NORMAL")
    if version == SCHEMA_VERSION:
        return
    with connection:  # a kill in the middle leaves the old version, whole
        connection.execute("BEGIN IMMEDIATE")
        if version == 0 and connection.execute("SELECT 1 FROM sqlite_master WHERE name='records'").fetchone():
            version = 1  # version 1 wrote its number last, and may have been killed before
        if version == 0:
            connection.execute(_CREATE)
        else:
            for step in range(version, SCHEMA_VERSION):
                for statement in _MIGRATIONS[step]:
                    connection.execute(statement)
            logger.info("the journal was brought to a new schema", before=version, after=SCHEMA_VERSION)
        connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")


def _pruned(connection: sqlite3.Connection, keep_rows: int, before_ts: float) -> int:
    last = connection.execute("SELECT COALESCE(MAX(seq), 0) FROM records").fetchone()[0]
    beyond = 0
    if keep_rows:
        offset = (max(keep_rows, _NEVER_PRUNED) - 1,)
        newest = "SELECT seq FROM records ORDER BY seq DESC LIMIT 1 OFFSET ?"
        beyond = (connection.execute(newest, offset).fetchone() or (0,))[0] - 1
    old = connection.execute(
        "SELECT COALESCE(MAX(seq), 0) FROM records WHERE ts < ?", (before_ts,)
    ).fetchone()[0]
    cut = min(max(beyond, old), last - _NEVER_PRUNED)
    if cut <= 0:
        return 0
    fold, seen = Fold(), []
    for row in connection.execute(_UP_TO, (cut,)):
        record = _record(row)
        fold.take(record)
        seen.append(record.seq)
    needed = fold.needed()
    gone = [(seq,) for seq in seen if seq not in needed]
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("DELETE FROM records WHERE seq = ?", gone)
    return len(gone)


def _record(row: tuple[object, ...]) -> SwapRecord:
    return SwapRecord(**dict(zip(_COLUMNS, row, strict=True)))  # type: ignore[arg-type]  # as they were stored


def _row(record: SwapRecord) -> tuple[object, ...]:
    return tuple(getattr(record, name) for name in _COLUMNS)
