"""From journal records back to the state they tell, and which of them it rests on. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from alltalk_plugin.domain.models import ModelRef, SwapRecord
from alltalk_plugin.swap.effects import UNPIN, Kind
from alltalk_plugin.swap.learned import KEPT, NOTHING, Learned

_Key = tuple[ModelRef, str]
_ENDS = (Kind.COMMIT, Kind.ABORT, Kind.ROLLBACK, Kind.DEGRADED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayedState:
    """What a journal says. `ready` holds (model, revision); `open` transaction -> target; `loading` the
    models of open transactions that were being loaded; `pins` what a person chose against the settings."""

    seq: int = 0
    ready: frozenset[tuple[ModelRef, str]] = frozenset()
    loading: frozenset[ModelRef] = frozenset()
    open: Mapping[str, ModelRef] = field(default_factory=dict)
    last_good: ModelRef | None = None
    prev_good: ModelRef | None = None
    degraded: bool = False
    learned: Mapping[ModelRef, Learned] = field(default_factory=dict)
    pins: Mapping[ModelRef, bool] = field(default_factory=dict)

    @property
    def wanted(self) -> ModelRef | None:
        """The good model to begin with: never one whose load was running when the last run ended."""
        for ref in (self.last_good, self.prev_good):
            if ref is not None and ref not in self.loading:
                return ref
        return None


def replay(records: Iterable[SwapRecord]) -> ReplayedState:
    """The state after these records, which may end anywhere."""
    fold = Fold()
    for record in records:
        fold.take(record)
    return fold.state()


class Fold:
    """Takes records one by one; remembers for each fact the record it rests on."""

    def __init__(self) -> None:
        self._seq = 0
        self._boot: int | None = None
        self._ready: dict[_Key, int] = {}
        self._gone: dict[_Key, int] = {}
        self._loads: dict[_Key, tuple[str, int]] = {}
        self._load_ok: dict[_Key, tuple[float, int]] = {}
        self._open: dict[str, tuple[ModelRef, int]] = {}
        self._good: tuple[ModelRef, ModelRef | None, int] | None = None
        self._degraded: int | None = None
        self._pins: dict[ModelRef, tuple[bool, int]] = {}
        self._learned: dict[ModelRef, Learned] = {}
        self._lessons: dict[ModelRef, deque[tuple[int, ...]]] = {}

    def take(self, record: SwapRecord) -> None:
        self._seq, model = record.seq, record.model
        if record.kind == Kind.BOOT:
            self._ready, self._loads, self._open = {}, {}, {}
            self._gone, self._degraded, self._boot = {}, None, record.seq
        if model is None:
            return
        key = (model, record.revision or "")
        match record.kind:
            case Kind.PLAN:
                self._open[record.txn] = (model, record.seq)
            case Kind.LOAD_START:
                self._loads[key] = (record.txn, record.seq)
            case Kind.LOAD_OK:
                self._load_ok[key] = (record.dur_ms or 0.0, record.seq)
            case Kind.VERIFY:
                self._verified(record, key)
            case Kind.LOAD_FAILED:
                self._loads.pop(key, None)
            case Kind.UNLOAD | Kind.FAULT:
                self._loads.pop(key, None)
                if self._ready.pop(key, None) is not None:
                    self._gone[key] = record.seq
            case Kind.FREED if record.bytes_meas:
                self._learned[model] = self._learned.get(model, NOTHING).with_size(key[1], record.bytes_meas)
                self._lesson(model, record.seq)
            case Kind.COMMIT:
                self._good, self._degraded = (model, record.prev_good, record.seq), None
            case Kind.ROLLBACK:
                self._degraded = None
                if self._good is None or self._good[0] not in {ref for ref, _ in self._ready}:
                    self._good = (model, record.prev_good, record.seq)
            case Kind.DEGRADED:
                self._degraded = record.seq
            case Kind.PIN:
                self._pins[model] = (record.cause != UNPIN, record.seq)
        if record.kind in _ENDS:
            self._open.pop(record.txn, None)

    def state(self) -> ReplayedState:
        last_good, prev_good, _ = self._good or (None, None, 0)
        return ReplayedState(
            seq=self._seq,
            ready=frozenset(self._ready),
            loading=frozenset(model for (model, _), (txn, _) in self._loads.items() if txn in self._open),
            open={txn: model for txn, (model, _) in self._open.items()},
            last_good=last_good,
            prev_good=prev_good,
            degraded=self._degraded is not None,
            learned=dict(self._learned),
            pins={model: pinned for model, (pinned, _) in self._pins.items()},
        )

    def needed(self) -> frozenset[int]:
        """The records that the state, and every later one, rests on: replaying these alone, then whatever
        followed, gives what replaying all gives."""
        seqs = {seq for seq in (self._boot, self._degraded, self._good and self._good[2]) if seq is not None}
        seqs.update(self._ready.values(), self._gone.values())
        seqs.update(seq for _, seq in self._loads.values())
        seqs.update(seq for key, (_, seq) in self._load_ok.items() if key in self._loads)
        seqs.update(seq for _, seq in self._open.values())
        seqs.update(seq for _, seq in self._pins.values())
        for lessons in self._lessons.values():
            seqs.update(seq for lesson in lessons for seq in lesson)
        return frozenset(seqs)

    def _verified(self, record: SwapRecord, key: _Key) -> None:
        model, revision = key
        self._loads.pop(key, None)
        self._gone.pop(key, None)
        self._ready[key] = record.seq
        load_ms, load_seq = self._load_ok.get(key, (0.0, record.seq))
        seconds = (load_ms + (record.dur_ms or 0.0)) / 1000.0
        before = self._learned.get(model, NOTHING)
        self._learned[model] = before.with_load(revision, seconds, record.bytes_meas)
        self._lesson(model, load_seq, record.seq)

    def _lesson(self, model: ModelRef, *seqs: int) -> None:
        # Each load is followed by at most one release, so that this many records hold all that is kept.
        self._lessons.setdefault(model, deque(maxlen=2 * KEPT)).append(seqs)
