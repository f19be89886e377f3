"""Reads the corpus, and says what somebody's reading of a reply gets right.

A line: `text` with its `tags` and `why`; `expect`: who says what in which language, in order. The reply's
character is Mira. Words are compared by their letters and digits, neighbours of one speaker as one.
"""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.speech import Chat, Reply, Segment, SpeakerRole

SPEAKER = "Mira"
ROSTER = ("Mira", "Tom", "Dr. Who")
USER = "Max"


@dataclass(frozen=True, slots=True)
class Said:
    """Words with one speaker and one language."""

    role: str
    speaker: str | None
    text: str
    language: str | None


@dataclass(frozen=True, slots=True)
class Line:
    """A reply of the corpus. `default` is the language of its chat, if that is known."""

    id: str
    tags: tuple[str, ...]
    language: str
    text: str
    expect: tuple[Said, ...]
    why: str
    default: str | None
    candidates: tuple[LanguageTag, ...] | None

    @property
    def reply(self) -> Reply:
        return Reply(
            text=self.text,
            character=SPEAKER,
            chat=Chat(roster=ROSTER, user_name=USER),
            default_language=LanguageTag(self.default) if self.default else None,
            languages=self.candidates,
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a reading of a line gets right: everything `roles` says who speaks, `words` that none is lost
    or added. `letters` of the line, of them `in_language` in the right one."""

    line: Line
    roles: bool
    words: bool
    letters: int
    in_language: int


def lines(folder: Path = Path(__file__).parent) -> tuple[Line, ...]:
    """Every line of every file, in order."""
    return tuple(
        _line(json.loads(row))
        for file in sorted(folder.glob("*.jsonl"))
        for row in file.read_text(encoding="utf-8").splitlines()
    )


def _line(row: dict[str, object]) -> Line:
    expect = row["expect"]
    tags = row["tags"]
    languages = row.get("languages")
    assert isinstance(expect, list)
    assert isinstance(tags, list)
    assert languages is None or isinstance(languages, list)
    default = row.get("default_language")
    return Line(
        id=str(row["id"]),
        tags=tuple(tags),
        language=str(row["language"]),
        text=str(row["text"]),
        expect=tuple(Said(e["role"], e.get("speaker"), e["text"], e["language"]) for e in expect),
        why=str(row["why"]),
        default=None if default is None else str(default),
        candidates=None if languages is None else tuple(map(LanguageTag, languages)),
    )


def said(segments: Iterable[Segment]) -> tuple[Said, ...]:
    """Segments in the corpus's words."""
    return tuple(
        Said(
            str(each.role),
            each.speaker if each.role is SpeakerRole.OTHER else None,
            each.text,
            each.language,
        )
        for each in segments
    )


def judge(line: Line, reading: Sequence[Said]) -> Verdict:
    """Compare a reading with what the line expects."""
    wanted, got = _turns(line.expect), _turns(reading)
    words = "".join(text for _, text in wanted) == "".join(text for _, text in got)
    wanted_letters, got_letters = _letters(line.expect), _letters(reading)
    right = 0
    if [char for char, _ in wanted_letters] == [char for char, _ in got_letters]:
        right = sum(want == have for want, have in zip(wanted_letters, got_letters, strict=True))
    return Verdict(line, wanted == got, words, len(wanted_letters), right)


def by_tag(verdicts: Iterable[Verdict]) -> dict[str, tuple[int, int]]:
    """Tag -> lines whose roles are right, lines."""
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for verdict in verdicts:
        for tag in (*verdict.line.tags, "all"):
            total[tag] += 1
            right[tag] += verdict.roles
    return {tag: (right[tag], count) for tag, count in sorted(total.items())}


def bare(text: str) -> str:
    """The letters, digits and marks of `text`, composed, in small letters."""
    folded = unicodedata.normalize("NFC", text).casefold()
    return "".join(char for char in folded if unicodedata.category(char)[0] in "LNM")


def _turns(parts: Iterable[Said]) -> list[tuple[tuple[str, str | None], str]]:
    turns: list[tuple[tuple[str, str | None], str]] = []
    for part in parts:
        words = bare(part.text)
        if not words:
            continue
        who = part.role, part.speaker
        if turns and turns[-1][0] == who:
            turns[-1] = who, turns[-1][1] + words
        else:
            turns.append((who, words))
    return turns


def _letters(parts: Iterable[Said]) -> list[tuple[str, str | None]]:
    return [(char, part.language) for part in parts for char in bare(part.text) if char.isalpha()]
