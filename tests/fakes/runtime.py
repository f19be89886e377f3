"""A runtime for the HTTP rim: real jobs over a store in memory, spoken as the test says."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from alltalk_plugin.adapters import plain, text_generation_webui
from alltalk_plugin.domain.audio import AudioChunk, AudioFormat, AudioId
from alltalk_plugin.domain.errors import AlltalkError, ModelNotFound, ModelTimeout, SettingsError
from alltalk_plugin.domain.hosts import HostAdapter, SettingValue, SpeechTicket
from alltalk_plugin.domain.models import (
    CPU,
    LeaseRequest,
    MemoryEstimate,
    ModelKey,
    ModelRef,
    ModelState,
    ModelStatus,
    SwapMode,
    SwapOutcome,
    SwapPlan,
    SwapRecord,
)
from alltalk_plugin.domain.ports import CancelToken, ModelLease, SwapTicket
from alltalk_plugin.domain.speech import (
    Clip,
    Reply,
    Segment,
    SkippedSegment,
    SpeakerRole,
    SpokenReply,
    TextSpan,
)
from alltalk_plugin.domain.voices import VoiceChoice, VoiceName, VoiceProfile
from alltalk_plugin.settings.schema import Settings
from alltalk_plugin.speech.explain import ExplainedSegment
from alltalk_plugin.speech.job import SpeechJob
from alltalk_plugin.swap.events import Bell
from tests.fakes.store import MemoryReader, MemoryStore, MemoryStream, MemoryWriter

RATE_HZ = 16_000
VOICE = VoiceProfile(name=VoiceName("Zoë, the elder"), model=ModelRef("espeak"))
KEY = ModelKey("espeak", ModelRef("espeak"), "r1")

SpeakScript = Callable[["Speaking"], None]


def segment_of(text: str) -> Segment:
    return Segment(
        text=text, role=SpeakerRole.CHARACTER, speaker="Ann", span=TextSpan(0, len(text)), why="plain text"
    )


class WatchedStream(MemoryStream):
    """Says when somebody begins to read."""

    def __init__(self, audio_id: AudioId, audio_format: AudioFormat, sample_rate_hz: int) -> None:
        super().__init__(audio_id, audio_format, sample_rate_hz)
        self.opened = threading.Event()

    def open(self, offset: int = 0) -> MemoryReader:
        reader = super().open(offset)
        self.opened.set()
        return reader


class WatchedStore(MemoryStore):
    def create(self, audio_format: AudioFormat, sample_rate_hz: int) -> MemoryWriter:
        writer = super().create(audio_format, sample_rate_hz)
        writer.stream = WatchedStream(writer.audio_id, audio_format, sample_rate_hz)
        self.streams[writer.audio_id] = writer.stream
        return writer


@dataclass
class Speaking:
    """A reply that was begun; the test is its producer."""

    reply: Reply
    job: SpeechJob
    writer: MemoryWriter
    opened: threading.Event

    @property
    def clip(self) -> Clip:
        return Clip(
            segment=segment_of(self.reply.text),
            choice=VoiceChoice(VOICE, "the default voice", fallback_reason="Bea has no voice"),
            model=KEY,
            start_s=0.0,
            duration_s=1.0,
            synthesis_s=0.1,
        )

    def feed(self, samples: int = RATE_HZ) -> None:
        """Write that much audio: two bytes a sample, each sample different from its neighbours."""
        begun = len(self.writer.stream.samples)
        ramp = (np.arange(begun, begun + samples) % 30_000 / 32_767).astype(np.float32)
        self.writer.write(AudioChunk(ramp, RATE_HZ))
        self.job.started(self.clip)

    def finish(self) -> None:
        self.writer.finish()
        self.job.spoken(self.clip)
        self.job.finish(self._result((self.clip,), ()))

    def finish_silent(self, error: AlltalkError) -> None:
        """Every segment was skipped."""
        self.writer.finish()
        skipped = SkippedSegment(segment_of(self.reply.text), error.code, error.message, error.hint)
        self.job.finish(self._result((), (skipped,)))

    def fail(self, error: AlltalkError) -> None:
        self.writer.abort(error)
        self.job.fail(error)

    def _result(self, clips: tuple[Clip, ...], skipped: tuple[SkippedSegment, ...]) -> SpokenReply:
        return SpokenReply(
            audio_id=self.job.audio_id,
            audio_format=self.job.audio_format,
            clips=clips,
            skipped=skipped,
            duration_s=1.0 if clips else 0.0,
            elapsed_s=0.2,
            first_audio_s=0.1,
        )


class FakeSpeech:
    """Satisfies `ServedSpeech`. `script` produces each reply inside `begin`; None leaves it to the test."""

    def __init__(self, store: WatchedStore) -> None:
        self._store = store
        self.script: SpeakScript | None = None
        self.fail_begin: AlltalkError | None = None
        self.begun: list[Speaking] = []

    def begin(self, reply: Reply, *, audio_format: AudioFormat | None = None) -> SpeechTicket:
        if self.fail_begin is not None:
            raise self.fail_begin
        writer = self._store.create(audio_format or AudioFormat.WAV, RATE_HZ)
        audio_format = writer.stream.audio_format
        job = SpeechJob(writer.audio_id, audio_format, reply.message_id)
        assert isinstance(writer.stream, WatchedStream)
        speaking = Speaking(reply, job, writer, writer.stream.opened)
        self.begun.append(speaking)
        if self.script is not None:
            self.script(speaking)
        return SpeechTicket(writer.audio_id, audio_format, ("a note",))

    def job(self, audio_id: str) -> SpeechJob | None:
        return next((one.job for one in self.begun if one.job.audio_id == audio_id), None)

    def jobs(self) -> tuple[SpeechJob, ...]:
        return tuple(one.job for one in self.begun)

    def explain(self, reply: Reply) -> tuple[ExplainedSegment, ...]:
        choice = VoiceChoice(VOICE, "the default voice")
        return (ExplainedSegment(segment_of(reply.text), choice, "plain text; the default voice"),)


@dataclass
class FakeTicket:
    """Satisfies `SwapTicket`."""

    id: str
    plan: SwapPlan
    outcome: SwapOutcome | None = None
    error: AlltalkError | None = None

    def wait(self, timeout_s: float | None = None) -> SwapOutcome:
        if self.outcome is None:
            raise ModelTimeout("the swap still runs")
        return self.outcome

    def cancel(self) -> None:
        self.outcome = SwapOutcome.ABORTED


class FakeModels:
    """The part of `ModelPool` that HTTP uses. `fail_swap` refuses every swap."""

    def __init__(self) -> None:
        self.state = ModelState.READY
        self.fail_swap: AlltalkError | None = None
        self.fail_unload: AlltalkError | None = None
        self.ordered: list[tuple[str, str]] = []
        self.bell = Bell()
        self.tickets: dict[str, FakeTicket] = {}
        self.asked: list[tuple[str, SwapMode, bool, bool, str]] = []

    def lease(self, request: LeaseRequest, cancel: CancelToken) -> AbstractContextManager[ModelLease]:
        raise AssertionError("HTTP never leases")

    def fit_together(self, models: Sequence[ModelRef]) -> bool:
        raise AssertionError("HTTP never plans")

    def swap(
        self,
        target: ModelRef,
        *,
        mode: SwapMode = SwapMode.AUTO,
        force: bool = False,
        dry_run: bool = False,
        cause: str = "api",
    ) -> SwapTicket:
        self.asked.append((target, mode, force, dry_run, cause))
        if self.fail_swap is not None:
            raise self.fail_swap
        if target != "espeak":
            raise ModelNotFound("there is no such model", context={"model": target})
        plan = SwapPlan(target, mode, (), need_bytes=10, free_bytes=20, budget_bytes=30, eta_s=None)
        ticket = FakeTicket(f"s{len(self.tickets)}", plan, SwapOutcome.PLANNED if dry_run else None)
        self.tickets[ticket.id] = ticket
        return ticket

    def rollback(self, to: ModelRef | None = None) -> SwapTicket:
        return self.swap(to or ModelRef("espeak"), cause="rollback")

    def ticket(self, swap_id: str) -> SwapTicket | None:
        return self.tickets.get(swap_id)

    def pin(self, model: ModelRef, *, pinned: bool = True) -> None:
        self.ordered.append(("pin" if pinned else "unpin", model))

    def unload(self, model: ModelRef) -> None:
        if self.fail_unload is not None:
            raise self.fail_unload
        self.ordered.append(("unload", model))

    def on_event(self, callback: Callable[[], None]) -> Callable[[], None]:
        return self.bell.listen(callback)

    def snapshot(self) -> tuple[ModelStatus, ...]:
        return (
            ModelStatus(
                ref=ModelRef("espeak"),
                engine="espeak",
                state=self.state,
                revision="r1",
                device=CPU,
                estimate=MemoryEstimate(CPU, 5, 4, 1),
                resident_bytes=4,
                leases=0,
                pinned=True,
            ),
        )


class FakeJournal:
    """Satisfies `Journal`."""

    def __init__(self, count: int = 0) -> None:
        self.records = [
            SwapRecord(seq=seq, ts=1.0, mono=1.0, txn="t", kind="load_ok") for seq in range(1, count + 1)
        ]

    def append(self, record: SwapRecord) -> SwapRecord:
        self.records.append(record)
        return record

    def since(self, seq: int, limit: int | None = None) -> tuple[SwapRecord, ...]:
        return tuple(record for record in self.records if record.seq > seq)[:limit]

    @property
    def last_seq(self) -> int:
        return self.records[-1].seq if self.records else 0

    def prune(self, *, keep_rows: int, before_ts: float) -> int:
        return 0


class FakeVoices:
    def all(self) -> tuple[VoiceProfile, ...]:
        return (VOICE,)


@dataclass
class FakeSettingsStore:
    """Settings without a file. `fail_update` refuses every change."""

    current: Settings = field(default_factory=Settings)
    last_error: SettingsError | None = None
    fail_update: SettingsError | None = None

    def update(self, changes: Mapping[str | tuple[str, ...], SettingValue]) -> Settings:
        if self.fail_update is not None:
            raise self.fail_update
        values = self.current.model_dump(mode="json")
        for key, value in changes.items():
            *above, last = key.split(".") if isinstance(key, str) else key
            section = values
            for part in above:
                section = section.setdefault(part, {})
            if value is None:
                section.pop(last, None)
            else:
                section[last] = value
        self.current = Settings.model_validate(values)
        return self.current


@dataclass
class FakePlugins:
    hosts: Mapping[str, HostAdapter] = field(
        default_factory=lambda: {
            adapter.name: adapter for adapter in (plain.ADAPTER, text_generation_webui.ADAPTER)
        }
    )


class FakeRuntime:
    """Satisfies `ServedRuntime`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.settings = FakeSettingsStore()
        self.plugins = FakePlugins()
        self.models = FakeModels()
        self.journal = FakeJournal(3)
        self.voices = FakeVoices()
        self.audio = WatchedStore()
        self.speech = FakeSpeech(self.audio)

    def change_server(self, **changes: object) -> None:
        """As if the settings file had been edited."""
        now = self.settings.current
        server = now.server.model_validate({**now.server.model_dump(), **changes})
        self.settings.current = now.model_copy(update={"server": server})
