"""What the swap core wants done. The core decides and returns these; the service performs them, in order."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from alltalk_plugin.domain.errors import AlltalkError
from alltalk_plugin.domain.models import (
    Device,
    MemoryEstimate,
    ModelKey,
    ModelProfile,
    SwapOutcome,
    SwapPlan,
    SwapRecord,
)


class Kind(StrEnum):
    """The kinds of journal records.

    | kind | written when |
    | --- | --- |
    | BOOT | the service starts; nothing is loaded |
    | PLAN | a swap begins: its order, bytes and victims are decided; opens the transaction |
    | DRAIN, UNDRAIN | a model gives no more leases; the swap was given up and it serves on |
    | UNLOAD, FREED | a model is told to leave; its bytes were seen free |
    | RESERVE, LOAD_START | bytes are set aside; the load runs |
    | LOAD_OK, VERIFY | the model is in memory; it spoke the known utterance well and is READY |
    | LOAD_FAILED | loading or verifying failed |
    | COMMIT, ABORT, ROLLBACK, DEGRADED | the four ends of a transaction |
    | FAULT | the process of a loaded model ended unasked |
    | PIN | a person pinned a model, or with the cause `unpin` took that back |
    | LEAK | bytes of a released model did not come back; without an error: they did after all |
    """

    BOOT = "boot"
    PLAN = "plan"
    RESERVE = "reserve"
    LOAD_START = "load_start"
    LOAD_OK = "load_ok"
    LOAD_FAILED = "load_failed"
    VERIFY = "verify"
    DRAIN = "drain"
    UNDRAIN = "undrain"
    UNLOAD = "unload"
    FREED = "freed"
    COMMIT = "commit"
    ABORT = "abort"
    ROLLBACK = "rollback"
    DEGRADED = "degraded"
    FAULT = "fault"
    PIN = "pin"
    LEAK = "leak"


PINNED, UNPIN = "pin", "unpin"
"""Causes of a PIN record."""


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What is known of a model before it is loaded: its profile, the key it would get, its size."""

    profile: ModelProfile
    key: ModelKey
    estimate: MemoryEstimate


@dataclass(frozen=True, slots=True)
class Load:
    """One attempt to have a model in memory; a late report about an earlier attempt is told by `number`."""

    key: ModelKey
    number: int


@dataclass(frozen=True, slots=True)
class StartLoad:
    """Load and verify; report `on_loaded`, then `on_verified`, or `on_failed` once nothing is left of it."""

    load: Load
    profile: ModelProfile


@dataclass(frozen=True, slots=True)
class CancelLoad:
    """Stop a running load; it still reports."""

    load: Load


@dataclass(frozen=True, slots=True)
class Drop:
    """Unload; report `on_unloaded` once the bytes, about `held_bytes`, are seen free on `device`."""

    load: Load
    device: Device
    held_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Revoke:
    """Speech on this model ends at its next border; with `revoked` False it may go on after all."""

    load: Load
    revoked: bool = True


@dataclass(frozen=True, slots=True)
class Grant:
    """The request has its lease, under its own id."""

    wish_id: int
    load: Load


@dataclass(frozen=True, slots=True)
class Deny:
    """The request ends with an error; so does a swap that was refused before it was planned."""

    wish_id: int
    error: AlltalkError


@dataclass(frozen=True, slots=True)
class Accept:
    """The swap was taken, and this is what it would do as things stand."""

    wish_id: int
    plan: SwapPlan


@dataclass(frozen=True, slots=True)
class Done:
    """What was ordered (a pin, an unload) is under way."""

    wish_id: int


@dataclass(frozen=True, slots=True)
class Settle:
    """The swap ended."""

    wish_id: int
    outcome: SwapOutcome
    error: AlltalkError | None


@dataclass(frozen=True, slots=True)
class Emit:
    """Journal this; `seq`, `ts` and `settings_hash` are filled in by the service."""

    record: SwapRecord


Effect = StartLoad | CancelLoad | Drop | Revoke | Grant | Deny | Accept | Done | Settle | Emit
