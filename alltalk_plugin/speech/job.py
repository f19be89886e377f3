"""A reply being spoken, seen from outside."""

from __future__ import annotations

import threading
from collections.abc import Callable

from alltalk_plugin.domain.audio import AudioFormat, AudioId
from alltalk_plugin.domain.cancel import CancelSource
from alltalk_plugin.domain.errors import AlltalkError, DeadlineExceeded
from alltalk_plugin.domain.speech import Clip, MessageId, SkippedSegment, SpokenReply


class SpeechJob:
    """Progress and outcome of one reply. Thread-safe.

    It ends exactly once: with a result, or with an error (`cancelled` is an error too).
    """

    def __init__(self, audio_id: AudioId, audio_format: AudioFormat, message_id: MessageId) -> None:
        self.audio_id = audio_id
        self.audio_format = audio_format
        self.message_id = message_id
        self.cancel_source = CancelSource()
        self._changed = threading.Condition()
        self._clips: list[Clip] = []
        self._skipped: list[SkippedSegment] = []
        self._first: Clip | None = None
        self._result: SpokenReply | None = None
        self._error: AlltalkError | None = None
        self._done = False
        self._callbacks: list[Callable[[SpeechJob], None]] = []

    @property
    def done(self) -> bool:
        with self._changed:
            return self._done

    @property
    def result(self) -> SpokenReply | None:
        with self._changed:
            return self._result

    @property
    def error(self) -> AlltalkError | None:
        with self._changed:
            return self._error

    @property
    def clips(self) -> tuple[Clip, ...]:
        """What has been spoken so far, in the order it was finished."""
        with self._changed:
            return tuple(self._clips)

    @property
    def skipped(self) -> tuple[SkippedSegment, ...]:
        with self._changed:
            return tuple(self._skipped)

    def cancel(self) -> None:
        """Stop; what is spoken already stays."""
        self.cancel_source.cancel()

    def wait_first_audio(self, timeout_s: float) -> Clip | None:
        """Block until the first audio is written and give what speaks it (its durations still open).

        None when the job ended without audio and without an error. Raises: the job's error when it ended
        with one before any audio; DeadlineExceeded after `timeout_s`.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._first is not None or self._done, timeout_s):
                raise DeadlineExceeded("no audio came in time", context={"deadline_s": timeout_s})
            if self._first is None and self._error is not None:
                raise self._error
            return self._first

    def wait(self, timeout_s: float | None = None) -> SpokenReply:
        """Block until the end. Raises: the job's error; DeadlineExceeded after `timeout_s`."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._done, timeout_s):
                raise DeadlineExceeded("the reply is still being spoken", context={"deadline_s": timeout_s})
            if self._result is None:
                assert self._error is not None, "a job ends with a result or an error"  # noqa: S101 - invariant
                raise self._error
            return self._result

    def on_done(self, callback: Callable[[SpeechJob], None]) -> None:
        """Call `callback` once, at the end (at once if that is past), from whichever thread ends it."""
        with self._changed:
            if not self._done:
                self._callbacks.append(callback)
                return
        callback(self)

    # --- the producer's side: one thread --------------------------------------------------------------

    def started(self, first: Clip) -> None:
        with self._changed:
            if self._first is None:
                self._first = first
                self._changed.notify_all()

    def spoken(self, clip: Clip) -> None:
        with self._changed:
            self._clips.append(clip)

    def skip(self, skipped: SkippedSegment) -> None:
        with self._changed:
            self._skipped.append(skipped)

    def finish(self, result: SpokenReply) -> None:
        self._end(result, None)

    def fail(self, error: AlltalkError) -> None:
        self._end(None, error)

    def _end(self, result: SpokenReply | None, error: AlltalkError | None) -> None:
        with self._changed:
            if self._done:
                return
            self._result, self._error, self._done = result, error, True
            callbacks, self._callbacks = self._callbacks, []
            self._changed.notify_all()
        for callback in callbacks:
            callback(self)
