"""Replies in, speech out: starts productions, keeps their jobs, remembers each chat's style."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from difflib import get_close_matches

from loguru import logger

from alltalk_plugin.domain.audio import AudioFormat
from alltalk_plugin.domain.errors import (
    AlltalkError,
    Cancelled,
    NothingToSay,
    SpeechError,
    SpeechOff,
    TextTooLong,
    TooManyReplies,
)
from alltalk_plugin.domain.hosts import SpeechTicket
from alltalk_plugin.domain.ports import TextPreparer
from alltalk_plugin.domain.speech import Reply, ReplyStyle, SpokenReply
from alltalk_plugin.settings.schema import Settings
from alltalk_plugin.speech.explain import ExplainedSegment, explain_segment
from alltalk_plugin.speech.job import SpeechJob
from alltalk_plugin.speech.produce import Production, Workshop
from alltalk_plugin.voices.characters import find_character, with_character_defaults

# `begin` looks at the text for at most this long, so that an empty reply is refused with a reason while
# a host never waits for a long one. Hosts want their answer within 50 ms.
_PREPARE_WAIT_S = 0.035
_JOBS_KEPT = 500
_CHATS_KEPT = 1_000
_WAITING_PER_THREAD = 8


class SpeechService:
    """Speaks replies, several at a time, each in a thread of its own. Thread-safe; a `ReplySpeaker`."""

    def __init__(
        self,
        workshop: Workshop,
        text: TextPreparer,
        observers: Sequence[Callable[[Reply, SpokenReply], None]] = (),
        *,
        prepare_wait_s: float = _PREPARE_WAIT_S,
    ) -> None:
        self._shop = workshop
        self._text = text
        self._observers = tuple(observers)
        self._prepare_wait_s = prepare_wait_s
        self._threads = workshop.settings().speech.max_concurrent_replies
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="speech")
        self._lock = threading.Lock()
        self._jobs: OrderedDict[str, SpeechJob] = OrderedDict()
        self._styles: OrderedDict[str, ReplyStyle] = OrderedDict()
        self._closed = False

    def begin(self, reply: Reply, *, audio_format: AudioFormat | None = None) -> SpeechTicket:
        """Start speaking; the audio grows behind the ticket's id while this returns.

        Blocks for the time it takes to look at the text, 35 ms at most.
        Raises: NothingToSay, SpeechOff, TextTooLong, TooManyReplies, VoiceNotFound, StoreFailed.
        """
        settings = self._shop.settings()
        self._check(reply, settings)
        reply = self._informed(reply, settings)
        job, prepared = self._start(reply, audio_format or settings.audio.format)
        prepared.wait(self._prepare_wait_s)
        if job.error is not None and not job.clips:
            raise job.error
        return SpeechTicket(job.audio_id, job.audio_format, _notes(reply, settings))

    def speak(self, reply: Reply, *, audio_format: AudioFormat | None = None) -> SpokenReply:
        """Speak and wait for the end. Raises: as `begin`, and every error that ends a reply."""
        job = self.job(self.begin(reply, audio_format=audio_format).audio_id)
        assert job is not None, "a job is kept at least until the next ones push it out"  # noqa: S101 - invariant
        return job.wait()

    def job(self, audio_id: str) -> SpeechJob | None:
        """The reply behind an audio id; None when unknown or long past."""
        with self._lock:
            return self._jobs.get(audio_id)

    def jobs(self) -> tuple[SpeechJob, ...]:
        """Replies kept, oldest first."""
        with self._lock:
            return tuple(self._jobs.values())

    def explain(self, reply: Reply) -> tuple[ExplainedSegment, ...]:
        """What `begin` would say and by whom, without any audio; also while speech is switched off."""
        reply = self._greeted(self._informed(reply, self._shop.settings()))
        return tuple(
            explain_segment(segment, reply, self._shop.router) for segment in self._text.segments(reply)
        )

    def close(self) -> None:
        """Stop everything that is being spoken and wait for the threads. Idempotent."""
        with self._lock:
            self._closed = True
        for job in self.jobs():
            job.cancel()
        self._pool.shutdown(wait=True, cancel_futures=True)
        for job in self.jobs():
            job.fail(Cancelled("the service is closing"))

    def _check(self, reply: Reply, settings: Settings) -> None:
        if not settings.speech.activate:
            raise SpeechOff("speaking is switched off in the settings")
        limit_chars = settings.server.max_text_chars
        if len(reply.text) > limit_chars:
            raise TextTooLong(
                f"the reply has {len(reply.text)} characters, {limit_chars} are allowed",
                context={"length_chars": len(reply.text), "limit_chars": limit_chars},
            )
        if not any(char.isalnum() for char in reply.text):
            raise NothingToSay("the reply has no words")

    def _informed(self, reply: Reply, settings: Settings) -> Reply:
        """The reply with what its character's settings and its chat's earlier replies add."""
        reply = with_character_defaults(reply, settings)
        if reply.style != ReplyStyle():
            return reply
        with self._lock:
            known = self._styles.get(reply.chat.id) if reply.chat.id else None
        return replace(reply, style=known or reply.style)

    def _greeted(self, reply: Reply) -> Reply:
        """The reply with what the character's greeting shows, where nothing is known of the chat yet."""
        if reply.style != ReplyStyle() or not reply.chat.greeting:
            return reply
        shown = self._text.style(replace(reply, text=reply.chat.greeting))
        return replace(reply, style=ReplyStyle(unmarked=shown.unmarked))

    def _start(self, reply: Reply, audio_format: AudioFormat) -> tuple[SpeechJob, threading.Event]:
        prepared = threading.Event()
        with self._lock:
            if self._closed:
                raise Cancelled("the service is closing")
            running = sum(not job.done for job in self._jobs.values())
            if running >= self._threads * _WAITING_PER_THREAD:
                raise TooManyReplies("too many replies are being spoken", context={"limit": running})
            writer = self._shop.store.create(audio_format, self._shop.settings().audio.sample_rate_hz)
            job = SpeechJob(writer.audio_id, audio_format, reply.message_id)
            self._jobs[job.audio_id] = job
            self._forget_old_jobs()
            production = Production(self._shop, job, reply, writer)
            self._pool.submit(self._produce, production, job, reply, prepared)
        return job, prepared

    def _produce(
        self, production: Production, job: SpeechJob, reply: Reply, prepared: threading.Event
    ) -> None:
        try:
            try:
                reply = self._greeted(reply)
                segments = self._text.segments(reply)
                if not segments:
                    raise NothingToSay("nothing is left to say once markup and thoughts are taken out")
                production.plan(segments)
            except AlltalkError as error:
                production.give_up(error)
                return
            finally:
                prepared.set()
            production.run()
            self._remember(reply)
            self._tell(reply, job.result)
        except Exception as error:  # noqa: BLE001 - last resort of a thread: a defect must end the job, or readers wait for ever
            logger.exception("speaking a reply failed unexpectedly")
            failure = SpeechError(f"internal error: {type(error).__name__}")
            failure.__cause__ = error
            production.give_up(failure)

    def _remember(self, reply: Reply) -> None:
        if not reply.chat.id:
            return
        style = self._text.style(reply)
        with self._lock:
            self._styles[reply.chat.id] = style
            self._styles.move_to_end(reply.chat.id)
            while len(self._styles) > _CHATS_KEPT:
                self._styles.popitem(last=False)

    def _tell(self, reply: Reply, result: SpokenReply | None) -> None:
        if result is not None:
            for observer in self._observers:
                observer(reply, result)

    def _forget_old_jobs(self) -> None:
        for audio_id, job in list(self._jobs.items()):
            if len(self._jobs) <= _JOBS_KEPT:
                return
            if job.done:
                del self._jobs[audio_id]


def _notes(reply: Reply, settings: Settings) -> tuple[str, ...]:
    """What the user should know at once: a character without a voice, with the nearest name that has one."""
    if reply.character is None or find_character(settings, reply.character) is not None:
        return ()
    near = get_close_matches(reply.character, settings.characters, n=1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    return (f"{reply.character!r} has no voice of its own{hint}; {settings.default_voice!r} speaks",)
