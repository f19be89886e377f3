"""One reply from segments to stored audio. Runs in one thread per reply; blocks in leases and synthesis."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from loguru import logger

from alltalk_plugin.audio.assemble import Assembler
from alltalk_plugin.audio.loudness import Leveler
from alltalk_plugin.audio.pauses import pause_after
from alltalk_plugin.domain.audio import AudioChunk
from alltalk_plugin.domain.engines import NumberReading, SynthesisRequest
from alltalk_plugin.domain.errors import (
    AlltalkError,
    Cancelled,
    DeadlineExceeded,
    LanguageUnsupported,
    ModelError,
    ModelTimeout,
    RemoteBusy,
    RemoteRefused,
    RemoteUnavailable,
    SpeechError,
    Superseded,
    SynthesisFailed,
    WorkerCrashed,
    error_from_code,
)
from alltalk_plugin.domain.filters import AudioEffect
from alltalk_plugin.domain.models import LeaseRequest, ModelKey, ModelRef
from alltalk_plugin.domain.ports import AudioStore, Clock, ModelLease, ModelPool, SpoolWriter, VoiceRouter
from alltalk_plugin.domain.reduce import reduce_text
from alltalk_plugin.domain.speech import Clip, Reply, Segment, SkippedSegment, SpokenReply
from alltalk_plugin.settings.schema import Settings
from alltalk_plugin.speech.cache import UtteranceCache
from alltalk_plugin.speech.job import SpeechJob
from alltalk_plugin.speech.pieces import pieces_of
from alltalk_plugin.speech.plan import Batch, PlannedSegment, next_batch, runs_ahead
from alltalk_plugin.text.lexicon import pronounced
from alltalk_plugin.text.numbers.written import written_out


def _all(_model: ModelRef) -> NumberReading:
    return NumberReading.ALL


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """What every production uses, made once by the runtime."""

    router: VoiceRouter
    pool: ModelPool
    store: AudioStore
    clock: Clock
    leveler: Leveler
    cache: UtteranceCache
    settings: Callable[[], Settings]
    max_chars: Callable[[ModelKey], int]
    numbers: Callable[[ModelRef], NumberReading] = _all
    effects: tuple[AudioEffect, ...] = ()


@dataclass(slots=True)
class _Spoken:
    item: PlannedSegment
    model: ModelKey
    synthesis_s: float = 0.0
    ended: bool = False
    reported: bool = False


# Work that overtakes what is to be heard next stops this long before the listener would run dry.
_AHEAD_MARGIN_S = 1.0


class Production:
    """Speaks one reply into one stream. One thread: the one that calls `run`."""

    def __init__(self, workshop: Workshop, job: SpeechJob, reply: Reply, writer: SpoolWriter) -> None:
        self._shop = workshop
        self._job = job
        self._reply = reply
        self._writer = writer
        self._settings = workshop.settings()
        self._assembler = Assembler(
            out_rate_hz=self._settings.audio.sample_rate_hz,
            settings=self._settings.audio,
            leveler=workshop.leveler,
            sink=self._write,
        )
        self._segments: tuple[Segment, ...] = ()
        self._pending: dict[int, PlannedSegment] = {}
        self._tried: dict[int, set[str]] = {}
        self._spoken: dict[int, _Spoken] = {}
        self._numbers: dict[ModelKey, NumberReading] = {}
        self._began_s = workshop.clock.monotonic()
        self._first_audio_at_s: float | None = None

    def plan(self, segments: Sequence[Segment]) -> None:
        """Give every segment its voice; those nobody can speak are skipped and reported.

        Raises: VoiceNotFound for an explicit choice that does not exist.
        """
        self._segments = tuple(segments)
        for index, segment in enumerate(self._segments):
            try:
                choice = self._shop.router.route(segment, self._reply)
            except LanguageUnsupported as error:
                self._skip(index, error)
            else:
                self._pending[index] = PlannedSegment(index, segment, choice)
                self._tried[index] = {choice.voice.name}

    def run(self) -> None:
        """Speak everything planned, then close the stream and the job; every error ends up in the job."""
        try:
            self._speak_all()
            self._close()
        except AlltalkError as error:
            self.give_up(error)

    def _speak_all(self) -> None:
        deadline_s = self._began_s + self._settings.speech.deadline_s
        while self._pending:
            self._job.cancel_source.raise_if_cancelled()
            if self._shop.clock.monotonic() >= deadline_s:
                self._skip_rest(deadline_s)
                return
            self._speak_batch(self._next_batch())

    def _next_batch(self) -> Batch:
        pending = self._in_order()
        models = tuple(dict.fromkeys(item.model for item in pending))
        fits = len(models) == 1 or self._shop.pool.fit_together(models)
        return next_batch(pending, fit_together=fits, look_ahead=self._settings.speech.look_ahead_segments)

    def _speak_batch(self, batch: Batch) -> None:
        request = LeaseRequest(
            model=batch.model,
            dialogue_id=self._job.audio_id,
            sticky_key=self._reply.character or self._reply.chat.id,
            playback_deadline_s=self._playback_deadline_s(),
            upcoming=batch.upcoming,
            timeout_s=self._settings.swap.max_wait_s,
        )
        try:
            with self._shop.pool.lease(request, self._job.cancel_source) as lease:
                for item in batch.items:
                    if self._too_late_to_overtake(item) or not self._speak(item, lease):
                        return
        except ModelError as error:
            # The model cannot be had: all it was to speak in this reply goes down its fallback chain, so
            # that a character does not change voices in mid-reply.
            for item in self._in_order():
                if item.model == batch.model:
                    self._failed(item, error)

    def _speak(self, item: PlannedSegment, lease: ModelLease) -> bool:
        """Speak one segment; False when the model died and the lease is worth nothing any more."""
        self._job.cancel_source.raise_if_cancelled()
        spoken = self._spoken.setdefault(item.index, _Spoken(item, lease.key))
        spoken.item, spoken.model = item, lease.key
        began_s = self._shop.clock.monotonic()
        try:
            heard = 0
            for chunk in self._effected(self._chunks(item, lease)):
                heard += len(chunk.samples)
                self._assembler.add(
                    item.index,
                    chunk,
                    voice=f"{lease.key.model}/{item.choice.voice.name}/{item.segment.language}",
                    gain_db=item.choice.voice.gain_db,
                )
            self._job.cancel_source.raise_if_cancelled()
            if not heard:
                raise SynthesisFailed("the engine made no sound of this text")
        except (Cancelled, Superseded, RemoteBusy, RemoteRefused, RemoteUnavailable):
            # All that the model was to speak goes on elsewhere, this segment from its start: somebody took
            # the model away, or its server would answer the next text alike.
            raise
        except (WorkerCrashed, ModelTimeout) as error:
            self._died(item, error)
            return False
        except (ModelError, SpeechError) as error:
            self._failed(item, error)
            return True
        spoken.synthesis_s = self._shop.clock.monotonic() - began_s
        spoken.ended = True
        del self._pending[item.index]
        self._assembler.end(item.index, pause_s=self._pause_s(item.index))
        self._report()
        return True

    def _chunks(self, item: PlannedSegment, lease: ModelLease) -> Iterator[AudioChunk]:
        voice, segment = item.choice.voice, item.segment
        language = voice.language or segment.language
        text = reduce_text(segment.text) if item.reduced else segment.text
        text = pronounced(text, self._shop.settings().lexicon, language=language, voice=voice.name)
        text = written_out(text, self._numbers_of(lease.key), language)
        for piece in pieces_of(text, self._shop.max_chars(lease.key)):
            request = SynthesisRequest(
                text=piece,
                language=language,
                speaker=voice.speaker,
                reference_audio=voice.reference_audio,
                rate=voice.rate,
                pitch_semitones=voice.pitch_semitones,
            )
            known = self._shop.cache.get(lease.key, request)
            if known is not None:
                yield from known
                continue
            made: list[AudioChunk] = []
            for chunk in lease.synthesize(request, self._job.cancel_source):
                made.append(chunk)
                yield chunk
            self._job.cancel_source.raise_if_cancelled()  # a cancelled utterance is cut short: not kept
            self._shop.cache.put(lease.key, request, tuple(made))

    def _effected(self, chunks: Iterator[AudioChunk]) -> Iterator[AudioChunk]:
        """Effects work on finished speech, so a segment is collected only when there are any."""
        if not self._shop.effects:
            yield from chunks
            return
        collected = list(chunks)
        if not collected:
            return
        rate_hz = collected[0].sample_rate_hz
        samples = np.concatenate([chunk.samples for chunk in collected])
        for effect in self._shop.effects:
            samples = effect.apply(samples, rate_hz)
        yield AudioChunk(samples, rate_hz)

    # --- what goes wrong ------------------------------------------------------------------------------

    def _died(self, item: PlannedSegment, error: ModelError) -> None:
        """The process died on this text: once more with reduced punctuation, then the segment is skipped."""
        self._assembler.restart(item.index)
        if item.reduced:
            self._skip(item.index, error)
            return
        logger.warning("segment retried with reduced punctuation", model=item.model, code=error.code)
        self._pending[item.index] = replace(item, reduced=True)

    def _failed(self, item: PlannedSegment, error: AlltalkError) -> None:
        """Another voice of the fallback chain, named as such in the result, or nothing."""
        self._assembler.restart(item.index)
        choice = self._shop.router.fallback(item.choice, item.segment, error)
        if choice is None or choice.voice.name in self._tried[item.index]:
            self._skip(item.index, error)
            return
        self._tried[item.index].add(choice.voice.name)
        logger.warning(
            "fallback voice speaks",
            voice=choice.voice.name,
            instead_of=item.choice.voice.name,
            code=error.code,
        )
        self._pending[item.index] = replace(item, choice=choice)

    def _skip(self, index: int, error: AlltalkError) -> None:
        self._pending.pop(index, None)
        self._job.skip(SkippedSegment(self._segments[index], error.code, error.message, error.hint))
        logger.warning("segment skipped", code=error.code, reason=error.message)
        self._assembler.skip(index, pause_s=self._settings.audio.pause_sentence_s)
        self._report()

    def _skip_rest(self, deadline_s: float) -> None:
        error = DeadlineExceeded(
            "the reply took too long to speak; the rest is left out",
            context={"deadline_s": deadline_s - self._began_s},
        )
        for index in sorted(self._pending):
            self._skip(index, error)

    # --- the stream -----------------------------------------------------------------------------------

    def _write(self, chunk: AudioChunk) -> None:
        self._writer.write(chunk)
        if self._first_audio_at_s is None:
            self._first_audio_at_s = self._shop.clock.monotonic()
            self._job.started(self._clip(min(self._spoken), start_s=0.0, duration_s=0.0))

    def _report(self) -> None:
        """Tell the job about clips whose place in the stream is known by now."""
        for index, spoken in sorted(self._spoken.items()):
            placed = self._assembler.placement(index)
            if spoken.ended and not spoken.reported and placed is not None:
                spoken.reported = True
                self._job.spoken(self._clip(index, start_s=placed[0], duration_s=placed[1]))

    def _clip(self, index: int, *, start_s: float, duration_s: float) -> Clip:
        spoken = self._spoken[index]
        return Clip(
            segment=spoken.item.segment,
            choice=spoken.item.choice,
            model=spoken.model,
            start_s=start_s,
            duration_s=duration_s,
            synthesis_s=spoken.synthesis_s,
            retried=spoken.item.reduced,
        )

    def _close(self) -> None:
        self._assembler.finish()
        self._report()
        clips, skipped = self._job.clips, self._job.skipped
        if not clips and skipped:
            first = skipped[0]
            message = f"nothing of the reply could be spoken: {first.message}"
            raise error_from_code(first.code, message, hint=first.hint, context={"skipped": len(skipped)})
        self._writer.finish()
        first_s = self._first_audio_at_s
        self._job.finish(
            SpokenReply(
                audio_id=self._job.audio_id,
                audio_format=self._job.audio_format,
                clips=tuple(sorted(clips, key=lambda clip: clip.start_s)),
                skipped=skipped,
                duration_s=self._assembler.length_s,
                elapsed_s=self._shop.clock.monotonic() - self._began_s,
                first_audio_s=None if first_s is None else first_s - self._began_s,
            )
        )

    def give_up(self, error: AlltalkError) -> None:
        """End stream and job with an error; what was spoken stays audible."""
        level = "INFO" if isinstance(error, Cancelled) else "WARNING"
        logger.log(level, "reply not spoken to its end", code=error.code, reason=error.message)
        self._writer.abort(error)
        self._job.fail(error)

    # --- small questions ------------------------------------------------------------------------------

    def _numbers_of(self, model: ModelKey) -> NumberReading:
        """Asked once a reply: an engine may read a model's files for the answer."""
        if model not in self._numbers:
            self._numbers[model] = self._shop.numbers(model.model)
        return self._numbers[model]

    def _in_order(self) -> tuple[PlannedSegment, ...]:
        return tuple(self._pending[index] for index in sorted(self._pending))

    def _pause_s(self, index: int) -> float:
        following = self._segments[index + 1] if index + 1 < len(self._segments) else None
        return pause_after(self._segments[index], following, self._settings.audio)

    def _playback_deadline_s(self) -> float | None:
        if self._first_audio_at_s is None:
            return None
        return self._first_audio_at_s + self._assembler.length_s

    def _too_late_to_overtake(self, item: PlannedSegment) -> bool:
        deadline_s = self._playback_deadline_s()
        if deadline_s is None or not runs_ahead(item, self._in_order()):
            return False
        return self._shop.clock.monotonic() >= deadline_s - _AHEAD_MARGIN_S
