"""What happened to models, in SQLite beside the settings: survives a kill at any byte, readable meanwhile."""

from __future__ import annotations

import dataclasses
import sqlite3
import time
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field, fields
from pathlib import Path

from loguru import logger

from alltalk_plugin.domain.models import ModelRef, SwapRecord
from alltalk_plugin.swap.effects import Kind

SCHEMA_VERSION = 1
"""In the file's `user_version`; a file of a newer version is left untouched."""

_COLUMNS = tuple(column.name for column in fields(SwapRecord))
_KINDS = {"seq": "INTEGER PRIMARY KEY", "ts": "REAL NOT NULL", "mono": "REAL NOT NULL", "dur_ms": "REAL"}
_INTEGERS = ("bytes_pred", "bytes_meas", "free_before", "free_after")
_CREATE = "CREATE TABLE IF NOT EXISTS records ({})".format(
    ", ".join(f"{name} {_KINDS.get(name, 'INTEGER' if name in _INTEGERS else 'TEXT')}" for name in _COLUMNS)
)
_INSERT = f"INSERT INTO records ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608  our own names
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM records WHERE seq > ? ORDER BY seq LIMIT ?"  # noqa: S608  our own names


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
            self._pending = pending
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
        stored = tuple(SwapRecord(**dict(zip(_COLUMNS, row, strict=True))) for row in rows)
        last = stored[-1].seq if stored else seq
        found = stored + tuple(record for record in pending if record.seq > last)
        return found if limit is None else found[:limit]

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
    connection.execute(_CREATE)
    connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")


def _row(record: SwapRecord) -> tuple[object, ...]:
    return tuple(getattr(record, name) for name in _COLUMNS)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayedState:
    """What a journal says. `ready` holds (model, revision); `open` transaction -> target; `loading` the
    models of open transactions that were being loaded; `load_s` the last load's seconds, verified."""

    seq: int = 0
    ready: frozenset[tuple[ModelRef, str]] = frozenset()
    loading: frozenset[ModelRef] = frozenset()
    open: Mapping[str, ModelRef] = field(default_factory=dict)
    last_good: ModelRef | None = None
    prev_good: ModelRef | None = None
    degraded: bool = False
    load_s: Mapping[ModelRef, float] = field(default_factory=dict)

    @property
    def wanted(self) -> ModelRef | None:
        """The good model to begin with: never one whose load was running when the last run ended."""
        for ref in (self.last_good, self.prev_good):
            if ref is not None and ref not in self.loading:
                return ref
        return None


def replay(records: Iterable[SwapRecord]) -> ReplayedState:
    """The state after these records, which may end anywhere."""
    seq = 0
    ready: set[tuple[ModelRef, str]] = set()
    loads: dict[tuple[ModelRef, str], str] = {}
    load_ms: dict[ModelRef, float] = {}
    load_s: dict[ModelRef, float] = {}
    opened: dict[str, ModelRef] = {}
    last_good: ModelRef | None = None
    prev_good: ModelRef | None = None
    degraded = False
    for record in records:
        seq = record.seq
        model = record.model
        if record.kind == Kind.BOOT:
            ready, loads, opened, degraded = set(), {}, {}, False
        if model is None:
            continue
        key = (model, record.revision or "")
        match record.kind:
            case Kind.PLAN:
                opened[record.txn] = model
            case Kind.LOAD_START:
                loads[key] = record.txn
            case Kind.LOAD_OK:
                load_ms[model] = record.dur_ms or 0.0
            case Kind.VERIFY:
                loads.pop(key, None)
                ready.add(key)
                load_s[model] = (load_ms.get(model, 0.0) + (record.dur_ms or 0.0)) / 1000.0
            case Kind.LOAD_FAILED:
                loads.pop(key, None)
            case Kind.UNLOAD | Kind.FAULT:
                loads.pop(key, None)
                ready.discard(key)
            case Kind.COMMIT:
                last_good, prev_good, degraded = model, record.prev_good, False
            case Kind.ROLLBACK:
                degraded = False
                if last_good not in {ref for ref, _ in ready}:
                    last_good, prev_good = model, record.prev_good
            case Kind.DEGRADED:
                degraded = True
        if record.kind in (Kind.COMMIT, Kind.ABORT, Kind.ROLLBACK, Kind.DEGRADED):
            opened.pop(record.txn, None)
    return ReplayedState(
        seq=seq,
        ready=frozenset(ready),
        loading=frozenset(model for (model, _), txn in loads.items() if txn in opened),
        open=opened,
        last_good=last_good,
        prev_good=prev_good,
        degraded=degraded,
        load_s=load_s,
    )
