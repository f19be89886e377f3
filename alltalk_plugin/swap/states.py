"""Everything the swap core knows, as one value: models, wishes, transactions. One thread: the core's."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum

from alltalk_plugin.domain.errors import AlltalkError, ContextValue
from alltalk_plugin.domain.models import (
    Device,
    ModelKey,
    ModelRef,
    ModelState,
    ModelStatus,
    SwapMode,
    SwapRecord,
)
from alltalk_plugin.settings.schema import SwapSettings
from alltalk_plugin.swap.effects import Effect, Emit, Kind, Load, ModelFacts
from alltalk_plugin.swap.learned import Eta, Learned

_S = ModelState
LAWFUL: dict[ModelState, frozenset[ModelState]] = {
    _S.COLD: frozenset({_S.RESERVED}),
    _S.RESERVED: frozenset({_S.LOADING, _S.COLD, _S.FAILED}),
    _S.LOADING: frozenset({_S.VERIFYING, _S.FAILED, _S.UNLOADING}),
    _S.VERIFYING: frozenset({_S.READY, _S.FAILED, _S.UNLOADING}),
    _S.READY: frozenset({_S.DRAINING, _S.FAILED}),
    _S.DRAINING: frozenset({_S.READY, _S.UNLOADING, _S.FAILED}),
    _S.UNLOADING: frozenset({_S.COLD}),
    _S.FAILED: frozenset({_S.RESERVED, _S.COLD}),
}
"""The moves of `ModelState`'s docstring, as a table."""

ARRIVING = frozenset({_S.RESERVED, _S.LOADING, _S.VERIFYING})
"""States whose bytes may still grow."""


@dataclass(slots=True, eq=False)
class Slot:
    """One (model, revision) and where it stands.

    `load` is its latest attempt (number 0: none yet), `since` when its last load or unload began, `txn`
    for what, `leaving` why it drains. `reserved_bytes` were set aside for its load. `resident_bytes` is
    measured and known from READY on. `abandoned` is why a load that still runs no longer counts.
    """

    facts: ModelFacts
    state: ModelState = ModelState.COLD
    load: Load = field(init=False)
    txn: str = ""
    leases: set[int] = field(default_factory=set)
    last_used: float = -math.inf
    since: float = 0.0
    load_ms: float = 0.0
    leaving: str = ""
    reserved_bytes: int = 0
    resident_bytes: int | None = None
    failures: int = 0
    retry_at: float = -math.inf
    crashed_at: float = -math.inf
    last_error: AlltalkError | None = None
    abandoned: AlltalkError | None = None

    def __post_init__(self) -> None:
        self.load = Load(self.facts.key, 0)

    @property
    def key(self) -> ModelKey:
        return self.facts.key

    @property
    def device(self) -> Device:
        return self.facts.estimate.device

    @property
    def bytes(self) -> int:
        """What this model counts for now: the peak until it is READY, then what it holds, until seen free."""
        if self.state in (ModelState.COLD, ModelState.FAILED):
            return 0
        if self.resident_bytes is None:
            return self.reserved_bytes
        return max(self.facts.estimate.held_bytes, self.resident_bytes)


@dataclass(slots=True, eq=False, kw_only=True)
class Wish:
    """Somebody waits for a model: a lease (`ticket` False) or a swap.

    `deadline` bounds the whole wait, `start_by` the wait for its transaction to begin, `patience_until`
    is when it stops letting others go first. `force` passes by interval and back-off, `cut` also by speech
    that runs. A person's choice is `held` back until `hold_until`. `upcoming` is what its dialogue needs
    next.
    """

    id: int
    facts: ModelFacts
    cause: str
    deadline: float
    start_by: float
    patience_until: float
    ticket: bool = False
    force: bool = False
    cut: bool = False
    mode: SwapMode = SwapMode.AUTO
    overtaken: int = 0
    held: bool = False
    hold_until: float = -math.inf
    upcoming: tuple[ModelRef, ...] = ()


class Phase(StrEnum):
    """Where a transaction stands; each moves to the next, or to RESTORE when the target fails."""

    DRAIN = "drain"
    DROP = "drop"
    LOAD = "load"
    RESTORE = "restore"


@dataclass(slots=True, eq=False, kw_only=True)
class Txn:
    """A swap under way. `dropped` were unloaded for it; `restoring` is the one that comes back. `cuts`: it
    does not wait for speech that runs."""

    id: str
    target: ModelFacts
    cause: str
    mode: SwapMode
    victims: tuple[ModelKey, ...]
    drain_until: float
    started: float
    phase: Phase = Phase.DRAIN
    dropped: tuple[ModelFacts, ...] = ()
    restoring: ModelFacts | None = None
    error: AlltalkError | None = None
    cancelled: bool = False
    cuts: bool = False
    tickets: list[int] = field(default_factory=list)

    @property
    def loading(self) -> ModelKey:
        """The model this transaction is bringing in."""
        return (self.restoring or self.target).key

    @property
    def exclusive(self) -> bool:
        """Whether it takes somebody's place; then nothing else may begin until it ends."""
        return bool(self.victims)


@dataclass(frozen=True, slots=True)
class Leak:
    """Bytes that a released model seems to have left behind, and the level of `free + held by our models`
    that would show that they did come back."""

    bytes: int
    healthy: int


def _no_base(_device: Device) -> int:
    return 0


@dataclass(slots=True, eq=False)
class SwapState:
    """The whole state, and the effects that this step has decided on so far.

    `lost` is the good model that went away unasked and comes back when it can; `degraded` says that
    bringing it back failed. `asked_at` is when the last swap was asked for by a person or program.
    `base_bytes` asks what is held for no model in particular. `pins` are a person's word against the
    settings'. `upcoming` is what the dialogues that hold a lease will need next.
    """

    floor: ModelKey
    prefix: str
    settings: Callable[[], SwapSettings]
    measured_free: Callable[[Device], int | None]
    budget_at_start: Callable[[Device], int]
    base_bytes: Callable[[Device], int] = _no_base
    slots: dict[ModelKey, Slot] = field(default_factory=dict)
    wishes: list[Wish] = field(default_factory=list)
    txns: dict[str, Txn] = field(default_factory=dict)
    last_good: ModelRef | None = None
    prev_good: ModelRef | None = None
    lost: ModelFacts | None = None
    degraded: bool = False
    asked_at: float = -math.inf
    learned: dict[ModelRef, Learned] = field(default_factory=dict)
    pins: dict[ModelRef, bool] = field(default_factory=dict)
    leaks: dict[Device, Leak] = field(default_factory=dict)
    upcoming: dict[int, tuple[ModelRef, ...]] = field(default_factory=dict)
    out: list[Effect] = field(default_factory=list)
    loads_begun: int = 0
    txns_begun: int = 0
    closed: bool = False

    def slot(self, facts: ModelFacts) -> Slot:
        """The place of a model, made when there is none; its facts follow the settings while nothing of it
        is in memory, and what the settings say of keeping it does so always."""
        slot = self.slots.get(facts.key)
        if slot is None:
            slot = self.slots[facts.key] = Slot(facts)
        elif slot.facts is not facts:
            empty = slot.state in (ModelState.COLD, ModelState.FAILED)
            slot.facts = facts if empty else replace(slot.facts, profile=facts.profile)
        return slot

    def of_load(self, load: Load) -> Slot | None:
        """The place a report is about; None when the report is about an earlier attempt."""
        slot = self.slots.get(load.key)
        return slot if slot is not None and slot.load == load else None

    def move(self, slot: Slot, state: ModelState) -> None:
        if state not in LAWFUL[slot.state]:
            raise RuntimeError(f"{slot.key.model} may not go from {slot.state} to {state}")
        slot.state = state

    def may_leave(self, slot: Slot) -> bool:
        """Whether this model may ever be evicted."""
        return slot.key != self.floor and not self.pinned(slot)

    def pinned(self, slot: Slot) -> bool:
        """A person's word, else the settings'."""
        return self.pins.get(slot.key.model, slot.facts.profile.pinned)

    def ttl_s(self, slot: Slot) -> float | None:
        """After how much idle time this model leaves; None when never."""
        own = slot.facts.profile.idle_ttl_s
        ttl_s = self.settings().idle_ttl_s if own is None else own
        return ttl_s if ttl_s > 0 and self.may_leave(slot) else None

    def wanted_soon(self) -> Iterator[ModelRef]:
        """Models that waiting and running dialogues have named."""
        for wish in self.wishes:
            yield wish.facts.key.model
            yield from wish.upcoming
        for models in self.upcoming.values():
            yield from models

    def txn_loading(self, key: ModelKey) -> Txn | None:
        """The transaction that will make `key` READY, if one is under way."""
        for txn in self.txns.values():
            if txn.loading == key:
                return txn
        return None

    def waits_for_room(self, wish: Wish) -> bool:
        """Whether the wish's model is not there and nobody is bringing it yet."""
        if wish.held or wish.facts.key == self.floor:
            return False
        slot = self.slots.get(wish.facts.key)
        ready = slot is not None and slot.state is ModelState.READY
        return not ready and self.txn_loading(wish.facts.key) is None

    def emit(
        self,
        now: float,
        txn: str,
        kind: Kind,
        *,
        key: ModelKey | None = None,
        model: ModelRef | None = None,
        cause: str | None = None,
        device: Device | None = None,
        bytes_pred: int | None = None,
        bytes_meas: int | None = None,
        free_before: int | None = None,
        free_after: int | None = None,
        dur_ms: float | None = None,
        error: str | None = None,
    ) -> None:
        record = SwapRecord(
            seq=0,
            ts=0.0,
            mono=now,
            txn=txn,
            kind=kind,
            model=key.model if key else model,
            revision=key.revision if key else None,
            cause=cause,
            device=device,
            bytes_pred=bytes_pred,
            bytes_meas=bytes_meas,
            free_before=free_before,
            free_after=free_after,
            dur_ms=dur_ms,
            error=error,
            prev_good=self.prev_good,
        )
        self.out.append(Emit(record))

    def take_effects(self) -> tuple[Effect, ...]:
        out, self.out = tuple(self.out), []
        return out

    def note_good(self, ref: ModelRef) -> None:
        """`ref` is the good model from now on; the one before is where `rollback` leads."""
        if ref != self.last_good:
            self.prev_good, self.last_good = self.last_good, ref


def status(slot: Slot, *, pinned: bool = False, eta: Eta | None = None) -> ModelStatus:
    """The slot as people see it."""
    return ModelStatus(
        ref=slot.key.model,
        engine=slot.key.engine,
        state=slot.state,
        revision=slot.key.revision,
        device=slot.device,
        estimate=slot.facts.estimate,
        resident_bytes=slot.resident_bytes,
        leases=len(slot.leases),
        pinned=pinned,
        last_error=said(slot.last_error) if slot.last_error else None,
        retry_at_mono=slot.retry_at if slot.retry_at > -math.inf else None,
        eta_s=eta.seconds if eta else None,
        eta_range_s=eta.range if eta else None,
    )


def said(error: AlltalkError) -> str:
    """An error in one journal field."""
    return f"{error.code}: {error.message}"


def copied(error: AlltalkError, **context: ContextValue) -> AlltalkError:
    """The same error for one more caller, with `context` added where it is not known already.

    A single exception object raised in several threads would mix their tracebacks.
    """
    known = {name: value for name, value in context.items() if value is not None}
    return type(error)(error.message, hint=error.hint, context={**known, **error.context})
