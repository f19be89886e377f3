"""The seams: each Protocol has one reason to exist and a fake in tests/fakes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from alltalk_plugin.domain.audio import AudioChunk, AudioFormat, AudioId
from alltalk_plugin.domain.engines import SynthesisRequest
from alltalk_plugin.domain.errors import AlltalkError, WorkerCrashed
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.models import (
    Device,
    LeaseRequest,
    ModelKey,
    ModelProfile,
    ModelRef,
    ModelStatus,
    SwapMode,
    SwapOutcome,
    SwapPlan,
    SwapRecord,
)
from alltalk_plugin.domain.speech import Reply, ReplyStyle, Segment
from alltalk_plugin.domain.voices import VoiceChoice


class Clock(Protocol):
    """Time, injected so that tests own it."""

    def monotonic(self) -> float:
        """Seconds that only grow; for deadlines and durations."""
        ...

    def time(self) -> float:
        """Unix seconds; for what people read."""
        ...


class CancelToken(Protocol):
    """The reader's side of a stop sign. Thread-safe."""

    @property
    def cancelled(self) -> bool: ...

    def on_cancel(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` when the sign goes up (at once if it is); returns what forgets it again."""
        ...

    def raise_if_cancelled(self) -> None:
        """Raises: Cancelled."""
        ...


# --- models ------------------------------------------------------------------------------------------


class LoadedModel(Protocol):
    """A model in memory, seen from the service. Thread-safe; one synthesis at a time, others wait."""

    @property
    def key(self) -> ModelKey: ...

    @property
    def alive(self) -> bool: ...

    def synthesize(self, request: SynthesisRequest, cancel: CancelToken) -> Iterator[AudioChunk]:
        """Speak, chunk by chunk as the audio comes; ends early when cancelled.

        Raises: WorkerCrashed, SynthesisFailed, LanguageUnsupported, VoiceNotFound, ModelTimeout.
        """
        ...

    def verify(self, cancel: CancelToken) -> None:
        """Speak the known utterance and judge it: finite, not silent, of plausible length.

        Raises: SelfTestFailed, WorkerCrashed, ModelTimeout, Cancelled.
        """
        ...

    def resident_bytes(self) -> Mapping[Device, int]:
        """Measured memory of the model with its process, per device."""
        ...

    def unload(self) -> None:
        """Give everything back; returns once the bytes are seen free. Idempotent."""
        ...


class ModelLoader(Protocol):
    """Brings models into memory. Thread-safe; blocks."""

    def load(
        self,
        profile: ModelProfile,
        key: ModelKey,
        cancel: CancelToken,
        on_death: Callable[[WorkerCrashed], None],
    ) -> LoadedModel:
        """A loaded, not yet verified model. `on_death` is called once, from another thread, if the process
        that holds it ends unasked later.

        Raises: ModelNotFound, ModelCorrupt, ModelIncompatible, UnsafeCheckpoint, OutOfMemory,
        ModelTimeout, WorkerCrashed, Cancelled.
        """
        ...

    def base_bytes(self) -> Mapping[Device, int]:
        """What is held for no model in particular (processes that wait for one), per device."""
        ...


class ModelLease(Protocol):
    """The right to use a loaded model until closed; `with` closes it. Not to be shared between threads."""

    @property
    def key(self) -> ModelKey: ...

    @property
    def substitute_reason(self) -> str | None:
        """Why this is not the model asked for (DEGRADED, sibling), or None."""
        ...

    def synthesize(self, request: SynthesisRequest, cancel: CancelToken) -> Iterator[AudioChunk]:
        """As `LoadedModel.synthesize`. A WorkerCrashed is reported to the pool by the lease itself.
        Raises besides: Superseded, before the next text, once somebody has forced a switch."""
        ...


class SwapTicket(Protocol):
    """A swap that was asked for."""

    @property
    def id(self) -> str: ...

    @property
    def plan(self) -> SwapPlan: ...

    @property
    def outcome(self) -> SwapOutcome | None:
        """None while it runs."""
        ...

    @property
    def error(self) -> AlltalkError | None: ...

    def wait(self, timeout_s: float | None = None) -> SwapOutcome:
        """Block until it ended. Raises: ModelTimeout when it did not in time."""
        ...

    def cancel(self) -> None: ...


class ModelPool(Protocol):
    """Models behind one word: lease. Thread-safe."""

    def lease(self, request: LeaseRequest, cancel: CancelToken) -> AbstractContextManager[ModelLease]:
        """Find and hold a model in one atomic step; loading, swapping and rolling back happen inside.

        Entering blocks. Raises on entering: every ModelError, Cancelled.
        """
        ...

    def fit_together(self, models: Sequence[ModelRef]) -> bool:
        """Whether these could all be resident at once; advisory, for planning only."""
        ...

    def swap(
        self,
        target: ModelRef,
        *,
        mode: SwapMode = SwapMode.AUTO,
        force: bool = False,
        dry_run: bool = False,
        cause: str = "api",
    ) -> SwapTicket:
        """Make `target` the resident model. Returns at once.

        Raises: ModelNotFound, ModelTooBig, Cooldown, RetryLater.
        """
        ...

    def rollback(self, to: ModelRef | None = None) -> SwapTicket:
        """Swap back to the model that was good before (or to `to`)."""
        ...

    def ticket(self, swap_id: str) -> SwapTicket | None: ...

    def pin(self, model: ModelRef, *, pinned: bool = True) -> None:
        """Keep it from being evicted, or no longer; beats the settings, is kept. Raises: ModelNotFound."""

    def unload(self, model: ModelRef) -> None:
        """Let it go now, or once its last lease ends; who asks for it meanwhile keeps it.
        Raises: ModelNotFound, RequestError for a pinned one."""

    def on_event(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` (quick, never raising) from another thread whenever the journal has grown;
        returns what forgets it again."""
        ...

    def snapshot(self) -> tuple[ModelStatus, ...]:
        """Every model that is known, in the order of the settings; advisory."""
        ...


class Journal(Protocol):
    """What happened to models, in order, for ever. `append` one thread (the swap owner); reads any."""

    def append(self, record: SwapRecord) -> SwapRecord:
        """Write durably; gives the record back with its `seq`."""
        ...

    def since(self, seq: int, limit: int | None = None) -> tuple[SwapRecord, ...]:
        """Records after `seq`, oldest first."""
        ...

    @property
    def last_seq(self) -> int: ...

    def prune(self, *, keep_rows: int, before_ts: float) -> int:
        """Delete what is older or beyond the newest `keep_rows` (0: no limit), but for what a replay needs;
        gives how many records went. Any thread."""
        ...


class MemoryProbe(Protocol):
    """Free and total memory. Thread-safe; may take a millisecond."""

    def free_bytes(self, device: Device) -> int: ...

    def total_bytes(self, device: Device) -> int: ...


class EvictionPolicy(Protocol):
    """Who leaves when room is needed. Pure."""

    def victims(
        self, need_bytes: int, free_bytes: int, candidates: Sequence[ModelStatus]
    ) -> tuple[ModelRef, ...] | None:
        """The models to evict so that `need_bytes` fit, or None when even all are not enough."""
        ...


# --- text and voices ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DetectedLanguage:
    """The best candidate and its probability among the candidates, 0 to 1."""

    language: LanguageTag
    probability: float


class LanguageDetector(Protocol):
    """Guesses the language of plain text among candidates. Thread-safe."""

    def warm(self) -> None:
        """Begin loading what detection needs, in the background; returns at once. Idempotent."""
        ...

    def detect(self, text: str, candidates: Sequence[LanguageTag]) -> DetectedLanguage | None:
        """None when the text gives nothing to go by."""
        ...


class TextPreparer(Protocol):
    """Turns a reply into segments. Thread-safe, pure."""

    def segments(self, reply: Reply) -> tuple[Segment, ...]:
        """Segments in reading order; empty when nothing can be said."""
        ...

    def style(self, reply: Reply) -> ReplyStyle:
        """What this reply teaches about the chat, for the next one's prior."""
        ...


class VoiceRouter(Protocol):
    """Chooses who speaks a segment. Thread-safe."""

    def route(self, segment: Segment, reply: Reply) -> VoiceChoice:
        """The voice for a segment, with the reason. Raises: VoiceNotFound for an explicit unknown voice."""
        ...

    def fallback(self, choice: VoiceChoice, segment: Segment, error: AlltalkError) -> VoiceChoice | None:
        """The next voice of the chain after `choice` failed with `error`; None at its end."""
        ...


# --- audio -------------------------------------------------------------------------------------------


class SpoolWriter(Protocol):
    """The producing end of one growing encoded stream. One thread. Never waits for readers."""

    @property
    def audio_id(self) -> AudioId: ...

    def write(self, chunk: AudioChunk) -> None:
        """Append audio (mono, the stream's rate). Raises: StoreFailed."""
        ...

    def finish(self) -> None:
        """Close the stream; readers reach its end. Raises: StoreFailed."""
        ...

    def abort(self, error: AlltalkError) -> None:
        """End the stream as it is; readers get what is there, then the error."""
        ...


class SpoolReader(Protocol):
    """One follower of a stream. Thread-safe as a whole; each reader has its own place."""

    def read(self, size: int, timeout_s: float) -> bytes | None:
        """Up to `size` bytes from the reader's place; b"" at the end of the finished stream; None when
        nothing came within `timeout_s`. Raises: the producer's error after an abort."""
        ...

    def close(self) -> None: ...


class AudioStream(Protocol):
    """A stored or growing stream of encoded audio. Thread-safe."""

    @property
    def audio_id(self) -> AudioId: ...

    @property
    def audio_format(self) -> AudioFormat: ...

    @property
    def media_type(self) -> str: ...

    @property
    def complete(self) -> bool:
        """No byte will be added any more; whether all went well is `error`'s to say."""
        ...

    @property
    def error(self) -> AlltalkError | None:
        """Why the producer ended early; None while it works and when all is there."""
        ...

    @property
    def size_bytes(self) -> int:
        """Bytes written so far; final once `complete`."""
        ...

    @property
    def etag(self) -> str | None:
        """A strong entity tag with its quotes; None before `complete`."""
        ...

    @property
    def path(self) -> Path: ...

    @property
    def readers(self) -> int:
        """Readers that are open now."""
        ...

    def open(self, offset: int = 0) -> SpoolReader:
        """A reader that begins at `offset`. Raises: AudioNotFound when the audio was deleted."""
        ...

    def on_last_reader_gone(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` whenever the last open reader closes, in the thread that closed it; returns what
        forgets it again."""
        ...


class AudioStore(Protocol):
    """Streams by id; nothing outside its folder can be named. Thread-safe."""

    def create(self, audio_format: AudioFormat, sample_rate_hz: int) -> SpoolWriter:
        """A new stream. Raises: StoreFailed, FormatUnsupported."""
        ...

    def get(self, audio_id: str) -> AudioStream:
        """Raises: AudioNotFound."""
        ...

    def hold(self, audio_id: AudioId) -> None:
        """Keep a stream beyond retention until `release`; counts, and lasts as long as the process."""
        ...

    def release(self, audio_id: AudioId) -> None: ...

    def sweep(self) -> int:
        """Delete what retention no longer keeps; how many streams went.

        Never one that grows, is being read, or is held.
        """
        ...
