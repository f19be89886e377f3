"""A model is the unit that is loaded, leased, swapped and measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import NewType

ModelRef = NewType("ModelRef", str)
"""A model's id in the settings, or an alias; only the swap service turns it into a `ModelKey`."""

Device = NewType("Device", str)
"""`cpu`, `cuda:0`, `mps`; the unit in which memory is counted."""

CPU = Device("cpu")

OptionValue = str | int | float | bool


class ModelState(StrEnum):
    """Where a model stands. Lawful moves:

    | from | to |
    | --- | --- |
    | COLD | RESERVED |
    | RESERVED | LOADING, COLD (cancelled), FAILED |
    | LOADING | VERIFYING, FAILED, UNLOADING (cancelled) |
    | VERIFYING | READY, FAILED, UNLOADING |
    | READY | DRAINING, FAILED (crash) |
    | DRAINING | READY (undrain), UNLOADING, FAILED (crash) |
    | UNLOADING | COLD |
    | FAILED | RESERVED (retry), COLD (forgotten) |
    """

    COLD = "cold"
    RESERVED = "reserved"
    LOADING = "loading"
    VERIFYING = "verifying"
    READY = "ready"
    DRAINING = "draining"
    UNLOADING = "unloading"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ModelProfile:
    """What the settings say about one model.

    `options` go to the engine as they are, already checked against its schema. `idle_ttl_s` None means the
    general one of the settings, 0 never.
    """

    ref: ModelRef
    engine: str
    path: Path | None = None
    device: Device = CPU
    options: Mapping[str, OptionValue] = field(default_factory=lambda: MappingProxyType({}))
    pinned: bool = False
    idle_ttl_s: float | None = None


@dataclass(frozen=True, slots=True)
class ModelKey:
    """Exactly what is loaded: `revision` changes with the files and with the options."""

    engine: str
    model: ModelRef
    revision: str


@dataclass(frozen=True, slots=True)
class MemoryEstimate:
    """Upper bounds in bytes on `device`: while loading, once loaded, and the process around it.

    `context_bytes` is the fixed cost of a worker (interpreter, libraries, device context), to be counted
    once per worker and included in neither of the other two.
    """

    device: Device
    peak_bytes: int
    steady_bytes: int
    context_bytes: int = 0

    @property
    def load_bytes(self) -> int:
        """What must be free before the load starts."""
        return self.peak_bytes + self.context_bytes

    @property
    def held_bytes(self) -> int:
        """What stays taken while the model is loaded."""
        return self.steady_bytes + self.context_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseRequest:
    """A wish to use a model, with all that a policy may weigh.

    `dialogue_id` groups the requests of one reply; `sticky_key` decides an A/B arm; `playback_deadline_s`
    is the monotonic time at which the audio made so far for this dialogue ends (None: nobody listens yet);
    `upcoming` are the models the same dialogue will want next; `timeout_s` bounds the wait.
    """

    model: ModelRef
    dialogue_id: str
    sticky_key: str = ""
    playback_deadline_s: float | None = None
    upcoming: tuple[ModelRef, ...] = ()
    timeout_s: float = 30.0


class SwapMode(StrEnum):
    AUTO = "auto"
    LOAD_FIRST = "load_first"
    UNLOAD_FIRST = "unload_first"


class SwapOutcome(StrEnum):
    PLANNED = "planned"
    COMMITTED = "committed"
    ABORTED = "aborted"
    ROLLED_BACK = "rolled_back"
    DEGRADED = "degraded"


@dataclass(frozen=True, slots=True)
class SwapPlan:
    """What a swap to `target` would do now: which order, who leaves, which bytes decide it.

    `eta_s` is the time its load is expected to take, `eta_range_s` the shortest and longest to be expected;
    None for a model of which nothing is known yet.
    """

    target: ModelRef
    mode: SwapMode
    victims: tuple[ModelRef, ...]
    need_bytes: int
    free_bytes: int
    budget_bytes: int
    eta_s: float | None
    eta_range_s: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapRecord:
    """One line of the journal; fields that do not apply are None. `ts` is Unix seconds, `mono` monotonic;
    bytes are those of `device`."""

    seq: int
    ts: float
    mono: float
    txn: str
    kind: str
    model: ModelRef | None = None
    revision: str | None = None
    arm: str | None = None
    cause: str | None = None
    bytes_pred: int | None = None
    bytes_meas: int | None = None
    free_before: int | None = None
    free_after: int | None = None
    dur_ms: float | None = None
    error: str | None = None
    settings_hash: str | None = None
    prev_good: ModelRef | None = None
    device: Device | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelStatus:
    """An advisory snapshot of one model for people and pages; never a reason to change anything."""

    ref: ModelRef
    engine: str
    state: ModelState
    revision: str
    device: Device
    estimate: MemoryEstimate | None
    resident_bytes: int | None
    leases: int
    pinned: bool
    last_error: str | None = None
    retry_at_mono: float | None = None
    eta_s: float | None = None
    eta_range_s: tuple[float, float] | None = None
