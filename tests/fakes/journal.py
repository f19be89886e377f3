"""A journal in memory."""

from __future__ import annotations

import dataclasses

from alltalk_plugin.domain.models import SwapRecord


class MemoryJournal:
    """Satisfies `Journal`."""

    def __init__(self, records: tuple[SwapRecord, ...] = ()) -> None:
        self.records = list(records)

    def append(self, record: SwapRecord) -> SwapRecord:
        record = dataclasses.replace(record, seq=len(self.records) + 1)
        self.records.append(record)
        return record

    def since(self, seq: int, limit: int | None = None) -> tuple[SwapRecord, ...]:
        return tuple(record for record in tuple(self.records) if record.seq > seq)[:limit]

    @property
    def last_seq(self) -> int:
        return self.records[-1].seq if self.records else 0

    def prune(self, *, keep_rows: int, before_ts: float) -> int:
        return 0

    def kinds(self, model: str | None = None) -> list[str]:
        """The kinds in order, of one model or of all."""
        return [str(record.kind) for record in tuple(self.records) if model in (None, record.model)]
