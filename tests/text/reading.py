"""How the tests write down who says what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from alltalk_plugin.domain.speech import ReplyStyle, SpeakerRole
from alltalk_plugin.text.scanner import Scanner, ScanRules
from alltalk_plugin.text.sentences import ScannedSegment

SPEAKER = "Mira"
ROSTER = ("Mira", "Tom", "Dr. Who")


def scan(
    chunks: Iterable[str],
    *,
    style: ReplyStyle | None = None,
    rules: ScanRules | None = None,
    roster: tuple[str, ...] = ROSTER,
    certain: bool = False,
) -> tuple[tuple[ScannedSegment, ...], ReplyStyle]:
    """The segments of a reply that arrives in `chunks`, and what it taught."""
    scanner = Scanner(style or ReplyStyle(), rules or ScanRules(), SPEAKER, roster, certain=certain)
    segments = [segment for chunk in chunks for segment in scanner.feed(chunk)]
    segments.extend(scanner.finish())
    return tuple(segments), scanner.learned


def read_whole(text: str, *, rules: ScanRules | None = None) -> tuple[ScannedSegment, ...]:
    """The segments of a whole reply without history: the style first, then the scan."""
    _, style = scan([text], rules=rules)
    return scan([text], style=replace(style), rules=rules, certain=True)[0]


_LETTER = {SpeakerRole.CHARACTER: "C", SpeakerRole.NARRATOR: "N", SpeakerRole.OTHER: "O"}


def script(segments: Sequence[ScannedSegment]) -> str:
    """`N: She nods. | C: Hello.`; one speaker's neighbouring sentences together; others by their name."""
    turns: list[list[str]] = []
    for segment in segments:
        who = segment.speaker if segment.role is SpeakerRole.OTHER else _LETTER[segment.role]
        if turns and turns[-1][0] == who:
            turns[-1].append(segment.text)
        else:
            turns.append([str(who), segment.text])
    return " | ".join(f"{who}: {' '.join(texts)}" for who, *texts in turns)
