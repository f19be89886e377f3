"""Reads the single marks inside a line: quotes, asterisks, dashes, parentheses."""

from __future__ import annotations

import re
from typing import Literal

from alltalk_plugin.text.clean import LOOK_AHEAD, WAIT, Wait
from alltalk_plugin.text.emphasis import EmphasisMarks
from alltalk_plugin.text.line import OPENED, Line, Spot
from alltalk_plugin.text.marks import CLOSING_QUOTES, DASHES, QUOTES
from alltalk_plugin.text.narrator import Mark
from alltalk_plugin.text.quotes import QuoteMarks

_BLANK_LINE = re.compile(r"\n[ \t\r]*\n")
_BEFORE_SPEECH = re.compile(r"[ \t\u00a0]*(.)?")


class InlineMarks:
    """The marks of one reply. One thread."""

    def __init__(self, line: Line, parentheses: Literal["speak", "skip", "narrator"]) -> None:
        self._line = line
        self._parentheses = parentheses
        self._quotes = QuoteMarks(line)
        self.emphasis = EmphasisMarks(line)

    def read(self, spot: Spot) -> int | Wait:
        """Deal with the mark at `spot`; where to go on."""
        if spot.char in "*_~":
            return self.emphasis.read(spot)
        if spot.end >= len(spot.text) and not spot.final:
            return WAIT
        if spot.char in QUOTES or spot.char in CLOSING_QUOTES:
            return self._quotes.read(spot)
        if spot.char in DASHES:
            return self._dash(spot)
        return self._parenthesis(spot)

    def dash_line(self, text: str, at: int, *, final: bool) -> int | Wait | None:
        """Where the words of a line of dash dialogue begin, if the line at `at` is one."""
        char = text[at]
        if char not in DASHES or self._line.narrator.frames:
            return None
        first = _BEFORE_SPEECH.match(text, at + 1, at + 9)
        if first is None or first[1] is None:
            return WAIT if not final and len(text) < at + 9 else None
        if first[1].islower() or first[1].isdecimal() or first[1] in DASHES:
            return None
        self._line.narrator.open(Mark.DASH, char)
        self._line.turn(1)
        return first.start(1)

    def _dash(self, spot: Spot) -> int | Wait:
        """An inner dash of dash dialogue turns from speech to narration and back."""
        text, end, following = spot.text, spot.end, spot.following
        depth = self._line.narrator.find(Mark.DASH)
        if depth is None or depth != len(self._line.narrator.frames) - 1:
            self._line.literal(spot.char, spot.source)
            return end
        before = self._line.follows_space
        after = following.isspace() or following in ",.;:!?…"
        frame = self._line.narrator.frames[depth]
        if before and after and frame.speech and following.isspace():
            if end + 1 >= len(text) and not spot.final:
                return WAIT
            word = text[end + 1 : end + 2]
            cyrillic = "\u0400" <= word <= "\u04ff"
            attribution = self._line.solid in ",.!?…" or (word.islower() and not cyrillic)
            if not attribution:
                self._line.literal(spot.char, spot.source)
                return end
        elif not before and not after:
            self._line.literal(spot.char, spot.source)
            return end
        frame.speech = not frame.speech
        frame.evidence = True
        self._line.turn(1 if frame.speech else -1)
        self._line.last = " "
        return end

    def _parenthesis(self, spot: Spot) -> int | Wait:
        char, end = spot.char, spot.end
        if self._parentheses == "speak":
            self._line.literal(char, spot.source)
            return end
        if char in ")）":
            depth = self._line.narrator.find(Mark.ASIDE)
            if depth is None:
                self._line.literal(char, spot.source)
                return end
            self._line.narrator.close(depth, self._line.solid)
            self._line.turn(-1)
            self._line.last = " "
            return end
        rest = spot.text[end : end + LOOK_AHEAD]
        blank = _BLANK_LINE.search(rest)
        inside = rest[: blank.start()] if blank is not None else rest
        closer = re.search("[)）]", inside)
        if closer is None:
            if not spot.final and blank is None and len(rest) < LOOK_AHEAD:
                return WAIT
            self._line.literal(char, spot.source)
            return end
        if self._parentheses == "skip":
            self._line.sentences.gap()
            self._line.last = " "
            return end + closer.end()
        self._line.narrator.open(Mark.ASIDE, char)
        self._line.turn(1)
        self._line.last = OPENED
        return end
