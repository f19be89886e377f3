"""How long it is silent after a segment. Pure."""

from __future__ import annotations

from typing import assert_never

from alltalk_plugin.domain.speech import Boundary, Segment
from alltalk_plugin.settings.schema import AudioSettings


def pause_after(segment: Segment, following: Segment | None, settings: AudioSettings) -> float:
    """Seconds of silence after `segment`; `following` is None at the end of a reply.

    Where the speaker changes it is at least `pause_speaker_s`: two voices that follow each other without
    a breath are hard to tell apart, even in the middle of a sentence ('"Go," he said').
    """
    pause_s = _boundary_pause_s(segment.boundary, settings)
    if following is None or (segment.role, segment.speaker) == (following.role, following.speaker):
        return pause_s
    return max(pause_s, settings.pause_speaker_s)


def _boundary_pause_s(boundary: Boundary, settings: AudioSettings) -> float:
    match boundary:
        case Boundary.NONE:
            return 0.0
        case Boundary.CLAUSE:
            return settings.pause_clause_s
        case Boundary.SENTENCE:
            return settings.pause_sentence_s
        case Boundary.PARAGRAPH:
            return settings.pause_paragraph_s
        case _:
            assert_never(boundary)
