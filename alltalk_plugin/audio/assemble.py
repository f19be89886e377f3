"""Puts the segments of a reply into one continuous stream, in reading order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from alltalk_plugin.audio.lane import SegmentLane
from alltalk_plugin.audio.loudness import Leveler
from alltalk_plugin.domain.audio import AudioChunk, Samples
from alltalk_plugin.settings.schema import AudioSettings


@dataclass(slots=True)
class _Part:
    """What is known of one segment. Positions count samples of the stream."""

    lane: SegmentLane | None = None
    ready: list[Samples] = field(default_factory=list)
    pause_s: float = 0.0
    ended: bool = False
    start: int | None = None
    stop: int = 0


class Assembler:
    """Segments 0, 1, 2, … in reading order become one mono stream; `sink` gets it piece by piece.

    Segments may arrive in any order, the chunks of one in their own. A segment is released while it comes
    in as soon as all before it have ended. One thread at a time; `sink` runs in it. `length_s` and
    `placement` may be read from any thread.

    A pause is released together with the audio after it, so that neither a failed first segment nor the
    end of a reply is silence.
    """

    def __init__(
        self,
        *,
        out_rate_hz: int,
        settings: AudioSettings,
        leveler: Leveler,
        sink: Callable[[AudioChunk], None],
    ) -> None:
        self._rate_hz = out_rate_hz
        self._restart_pause_s = settings.pause_sentence_s
        self._leveler = leveler
        self._sink = sink
        self._parts: dict[int, _Part] = {}
        self._next = 0
        self._released = 0
        self._pause_s = 0.0

    @property
    def length_s(self) -> float:
        """Seconds of audio released so far."""
        return self._released / self._rate_hz

    def placement(self, index: int) -> tuple[float, float] | None:
        """Start and duration of a segment in the stream, seconds; None before any of it was released.

        From its first sample to its last: of a restarted segment both tries count. A segment that ended
        without a sound has a place and no duration.
        """
        part = self._parts.get(index)
        if part is None or part.start is None:
            return None
        return part.start / self._rate_hz, (part.stop - part.start) / self._rate_hz

    def add(self, index: int, chunk: AudioChunk, *, voice: str, gain_db: float) -> None:
        """Take the next chunk of a segment. `gain_db` is added after levelling.

        Raises: SynthesisFailed when the chunk is no audio (not finite, far above full scale, another rate
        than before); nothing of it is taken, and the segment may be restarted or skipped.
        """
        part = self._open_part(index)
        if part.lane is None:
            part.lane = SegmentLane(
                chunk.sample_rate_hz,
                self._rate_hz,
                leveler=self._leveler,
                voice=voice,
                gain_db=gain_db,
            )
        part.ready.append(part.lane.feed(chunk))
        self._release()

    def end(self, index: int, *, pause_s: float) -> None:
        """The segment is complete; `pause_s` of silence follow it."""
        part = self._open_part(index)
        self._close(part)
        part.ended = True
        part.pause_s = pause_s
        self._release()

    def skip(self, index: int, *, pause_s: float) -> None:
        """The segment failed or was cancelled: what came of it stays, faded out; `pause_s` follow."""
        self.end(index, pause_s=pause_s)

    def restart(self, index: int) -> None:
        """The segment is spoken again from its start, after its engine died.

        What was not released is dropped. What was released cannot be recalled: it is faded out, and the
        second try follows after the pause of a sentence, so that the repeated words are heard as a new
        start. A sentence said one and a half times is better than one with a hole.
        """
        part = self._open_part(index)
        if part.start is None:
            part.lane = None
            part.ready.clear()
            return
        self._close(part)
        self._release()
        self._pause_s = self._restart_pause_s

    def finish(self) -> None:
        """No more will come: release what is left, in order; segments that did not end are cut there."""
        for index in sorted(self._parts):
            if index >= self._next:
                self._next = index
                self._close(self._parts[index])
                self._release()

    def _open_part(self, index: int) -> _Part:
        part = self._parts.setdefault(index, _Part())
        if part.ended:
            raise ValueError(f"segment {index} has ended")
        return part

    def _close(self, part: _Part) -> None:
        if part.lane is not None:
            part.ready.append(part.lane.close())
            part.lane = None

    def _release(self) -> None:
        while (part := self._parts.get(self._next)) is not None:
            for samples in part.ready:
                self._emit(part, samples)
            part.ready.clear()
            if not part.ended:
                return
            if part.start is None:
                part.start = part.stop = self._released
            self._next += 1
            self._pause_s += part.pause_s

    def _emit(self, part: _Part, samples: Samples) -> None:
        if not len(samples):
            return
        if self._pause_s and self._released:
            silence = np.zeros(round(self._pause_s * self._rate_hz), np.float32)
            self._released += len(silence)
            self._sink(AudioChunk(silence, self._rate_hz))
        self._pause_s = 0.0
        if part.start is None:
            part.start = self._released
        self._released += len(samples)
        part.stop = self._released
        self._sink(AudioChunk(samples, self._rate_hz))
