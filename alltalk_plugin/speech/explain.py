"""What would be said, by whom, and why; without any audio."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from alltalk_plugin.domain.errors import SpeechError
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.ports import VoiceRouter
from alltalk_plugin.domain.speech import Reply, Segment
from alltalk_plugin.domain.voices import VoiceChoice


@dataclass(frozen=True, slots=True)
class ExplainedSegment:
    """A segment with its voice, or without one when nobody can speak it; `why` says which and why."""

    segment: Segment
    choice: VoiceChoice | None
    why: str


def explain_segment(segment: Segment, reply: Reply, router: VoiceRouter) -> ExplainedSegment:
    """The voice `segment` would get; a routing error becomes the explanation."""
    try:
        choice = router.route(segment, reply)
    except SpeechError as error:
        return ExplainedSegment(segment, None, _sentence(segment.why, error.message))
    return ExplainedSegment(segment, choice, _sentence(segment.why, choice.fallback_reason or choice.reason))


def line_language(segments: Sequence[Segment]) -> LanguageTag | None:
    """The language of most letters; None when no segment has one."""
    letters: Counter[LanguageTag] = Counter()
    for segment in segments:
        if segment.language is not None:
            letters[segment.language] += sum(char.isalnum() for char in segment.text)
    return letters.most_common(1)[0][0] if letters else None


def _sentence(*parts: str) -> str:
    return "; ".join(part for part in parts if part)
