"""What answers say: domain values as pydantic models, so that /docs shows them."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict

from alltalk_plugin.domain.audio import AudioFormat
from alltalk_plugin.domain.models import ModelState, ModelStatus, SwapMode, SwapOutcome
from alltalk_plugin.domain.ports import SwapTicket
from alltalk_plugin.domain.speech import Clip, Segment, SkippedSegment, SpeakerRole
from alltalk_plugin.domain.voices import VoiceProfile
from alltalk_plugin.http.problems import problem
from alltalk_plugin.http.served import ServedJob
from alltalk_plugin.speech.explain import ExplainedSegment


class View(BaseModel):
    model_config = ConfigDict(frozen=True, from_attributes=True, protected_namespaces=())


class SegmentView(View):
    """`span` is the half-open range of code points in the text that was sent."""

    role: SpeakerRole
    speaker: str | None
    text: str
    span: tuple[int, int]
    language: str | None
    confidence: float | None
    inherited: bool

    @classmethod
    def of(cls, segment: Segment) -> SegmentView:
        return cls(**_segment(segment))


class ExplainedView(SegmentView):
    voice: str | None
    model: str | None
    why: str

    @classmethod
    def of_explained(cls, explained: ExplainedSegment) -> ExplainedView:
        voice = explained.choice.voice if explained.choice else None
        return cls(
            **_segment(explained.segment),
            voice=voice.name if voice else None,
            model=voice.model if voice else None,
            why=explained.why,
        )


class ExplanationView(View):
    language: str | None
    segments: list[ExplainedView]


class ClipView(SegmentView):
    """A spoken segment; `start_s` is its place in the audio."""

    voice: str
    engine: str
    model: str
    revision: str
    why: str
    fallback: str | None
    start_s: float
    duration_s: float
    synthesis_s: float
    retried: bool

    @classmethod
    def of_clip(cls, clip: Clip) -> ClipView:
        return cls(
            **_segment(clip.segment),
            voice=clip.choice.voice.name,
            engine=clip.model.engine,
            model=clip.model.model,
            revision=clip.model.revision,
            why=clip.choice.reason,
            fallback=clip.choice.fallback_reason,
            start_s=clip.start_s,
            duration_s=clip.duration_s,
            synthesis_s=clip.synthesis_s,
            retried=clip.retried,
        )


class SkippedView(View):
    segment: SegmentView
    code: str
    message: str
    hint: str

    @classmethod
    def of(cls, skipped: SkippedSegment) -> SkippedView:
        segment = SegmentView.of(skipped.segment)
        return cls(segment=segment, code=skipped.code, message=skipped.message, hint=skipped.hint)


class ReplyView(View):
    """How far a reply is; the figures are there once it is done. `error` is a problem document."""

    id: str
    done: bool
    audio_url: str
    format: AudioFormat
    clips: list[ClipView]
    skipped: list[SkippedView]
    notes: list[str]
    fallbacks: list[str]
    duration_s: float | None
    elapsed_s: float | None
    first_audio_s: float | None
    real_time_factor: float | None
    error: dict[str, object] | None

    @classmethod
    def of(cls, job: ServedJob, *, audio_url: str, notes: Iterable[str]) -> ReplyView:
        result, error = job.result, job.error
        clips = result.clips if result else job.clips
        skipped = result.skipped if result else job.skipped
        reasons = (clip.choice.fallback_reason for clip in clips)
        return cls(
            id=job.audio_id,
            done=job.done,
            audio_url=audio_url,
            format=job.audio_format,
            clips=[ClipView.of_clip(clip) for clip in clips],
            skipped=[SkippedView.of(one) for one in skipped],
            notes=list(notes),
            fallbacks=list(dict.fromkeys(reason for reason in reasons if reason)),
            duration_s=result.duration_s if result else None,
            elapsed_s=result.elapsed_s if result else None,
            first_audio_s=result.first_audio_s if result else None,
            real_time_factor=result.real_time_factor if result else None,
            error=problem(error) if error else None,
        )


class VoiceView(View):
    """Where reference recordings lie is nobody's business here."""

    name: str
    model: str
    speaker: str | None
    language: str | None
    rate: float
    pitch_semitones: float
    gain_db: float
    fallback: str | None
    has_reference: bool

    @classmethod
    def of(cls, voice: VoiceProfile) -> VoiceView:
        return cls(
            name=voice.name,
            model=voice.model,
            speaker=voice.speaker,
            language=voice.language,
            rate=voice.rate,
            pitch_semitones=voice.pitch_semitones,
            gain_db=voice.gain_db,
            fallback=voice.fallback,
            has_reference=bool(voice.reference_audio),
        )


class VoicesView(View):
    voices: list[VoiceView]


class ModelView(View):
    """`need_bytes` is what must be free to load it; `retry_in_s` when a failed one is tried again; `eta_s`
    how long a load is expected to take, `eta_range_s` the least and the most."""

    id: str
    engine: str
    state: ModelState
    revision: str
    device: str
    need_bytes: int | None
    resident_bytes: int | None
    leases: int
    pinned: bool
    last_error: str | None
    retry_in_s: float | None
    eta_s: float | None
    eta_range_s: tuple[float, float] | None

    @classmethod
    def of(cls, status: ModelStatus, *, now_mono: float) -> ModelView:
        retry_at = status.retry_at_mono
        return cls(
            id=status.ref,
            engine=status.engine,
            state=status.state,
            revision=status.revision,
            device=status.device,
            need_bytes=status.estimate.load_bytes if status.estimate else None,
            resident_bytes=status.resident_bytes,
            leases=status.leases,
            pinned=status.pinned,
            last_error=status.last_error,
            retry_in_s=None if retry_at is None else max(0.0, retry_at - now_mono),
            eta_s=status.eta_s,
            eta_range_s=status.eta_range_s,
        )


class ModelsView(View):
    models: list[ModelView]


class PlanView(View):
    target: str
    mode: SwapMode
    victims: tuple[str, ...]
    need_bytes: int
    free_bytes: int
    budget_bytes: int
    eta_s: float | None
    eta_range_s: tuple[float, float] | None


class SwapView(View):
    """`outcome` is null while it runs; `error` is a problem document."""

    id: str
    plan: PlanView
    outcome: SwapOutcome | None
    error: dict[str, object] | None

    @classmethod
    def of(cls, ticket: SwapTicket) -> SwapView:
        outcome, error = ticket.outcome, ticket.error
        return cls(
            id=ticket.id,
            plan=PlanView.model_validate(ticket.plan),
            outcome=outcome,
            error=problem(error) if error else None,
        )


class RecordView(View):
    """One line of the journal; see `domain.models.SwapRecord`."""

    seq: int
    ts: float
    txn: str
    kind: str
    model: str | None
    revision: str | None
    arm: str | None
    cause: str | None
    bytes_pred: int | None
    bytes_meas: int | None
    free_before: int | None
    free_after: int | None
    dur_ms: float | None
    error: str | None
    settings_hash: str | None
    prev_good: str | None
    device: str | None


class JournalView(View):
    """`last_seq` is what to ask `since` next."""

    records: list[RecordView]
    last_seq: int


class HostOutputView(View):
    """`text` is what the host shows; `audio_url` null when nothing is spoken."""

    text: str
    audio_id: str | None
    audio_file: str | None
    audio_url: str | None
    message_id: str
    notes: tuple[str, ...]


class StoppedView(View):
    stopped: int


class GreetedView(View):
    """`missing` are audio files that the host never said it has."""

    version: str
    pid: int
    missing: tuple[str, ...]


class KeptView(View):
    released: bool


class FieldView(View):
    """A setting as the host shows it; `kind` is bool, int, float, str or entries (word -> as said)."""

    key: str
    label: str
    kind: str
    choices: tuple[str, ...]
    help: str
    value: bool | int | float | str | dict[str, str] | None


class PanelStatusView(View):
    """For people: the model in use, what went wrong last, and the service itself."""

    model: str | None
    last_error: str | None
    service: str


class PanelView(View):
    fields: list[FieldView]
    status: PanelStatusView
    activate: bool
    autoplay: bool


class TestView(View):
    audio_file: str
    audio_url: str


def _segment(segment: Segment) -> dict[str, object]:
    return {
        "role": segment.role,
        "speaker": segment.speaker,
        "text": segment.text,
        "span": (segment.span.start, segment.span.end),
        "language": segment.language,
        "confidence": segment.confidence,
        "inherited": segment.inherited,
    }
