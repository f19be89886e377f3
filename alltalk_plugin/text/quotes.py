"""Which quotes open, which close, and which are inches, apostrophes or strays.

What a mark means follows from the characters beside it. Where that is not enough (inches in a quote, a
single quote that may be an apostrophe) it looks ahead, at most to the end of the paragraph.
"""

from __future__ import annotations

import re

from alltalk_plugin.text.clean import LOOK_AHEAD, WAIT, Wait
from alltalk_plugin.text.line import CLOSED, OPENED, Line, Spot
from alltalk_plugin.text.marks import ALWAYS_OPENS, BRACKETS, DASHES, QUOTES, SINGLE_QUOTES, ends_by_space
from alltalk_plugin.text.narrator import Mark

_BLANK_LINE = re.compile(r"\n[ \t\r]*\n")
_FEET_AND_INCHES = re.compile(r"\d['’]\s?\d{1,2}\Z")
_NEXT_SINGLE = re.compile(r"(?: [a-z](?:[^‘’\n]|(?<=\w)’(?=\w))*)([‘’\n])")
_CURLY_END = re.compile(r"(?<=\S)’(?!\w)")
_LOW_END = re.compile("[‘’]")
_STRAIGHT_END = re.compile(r"[,.!?…—-]'(?!\w)")


class QuoteMarks:
    """The quotes of one reply. One thread."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def read(self, spot: Spot) -> int | Wait:
        """Deal with the quote at `spot`; where to go on."""
        char, following = spot.char, spot.following
        if char in SINGLE_QUOTES:
            return self._single_quote(spot)
        depth = self._line.narrator.closed_by(char)
        if depth is None and char == '"':
            # Typed openers are often closed with the plain mark: „Hallo", “Hello".
            depth = self._line.narrator.find(Mark.QUOTE)
        last = self._line.last
        leads = last in ("", " ", OPENED) or last in BRACKETS or last in DASHES
        opens = char in QUOTES
        if char in ALWAYS_OPENS or (
            char in "“„«" and (depth is None or self._reopens(depth, char, following))
        ):
            return self._open_quote(char, spot.end)
        if depth is None:
            if opens and self._may_open(char, following, leads=leads):
                return self._open_quote(char, spot.end)
            self._line.sentences.gap()
            self._line.marked(CLOSED)
            return spot.end
        if opens and leads and last != OPENED and following.isalnum():
            # An opener while one is open: the first was never closed.
            if self._line.narrator.frames[depth].char == char:
                self._line.narrator.close(depth, ".")
            return self._open_quote(char, spot.end)
        if char == '"' and self._line.tail[-1:].isdecimal() and not following.isalnum():
            inches = self._inches(spot)
            if inches is WAIT:
                return WAIT
            if inches:
                self._line.sentences.gap()
                return spot.end
        return self._close_quote(depth, spot.end)

    def _reopens(self, depth: int, char: str, following: str) -> bool:
        """Whether an unmistakable opener opens though an open quote could end with it."""
        frame = self._line.narrator.frames[depth]
        return frame.char == char and self._line.follows_space and not following.isspace()

    def _may_open(self, char: str, following: str, *, leads: bool) -> bool:
        if char != '"':
            return leads and (not following.isspace() or char in "«»")
        if self._line.last.isdecimal() and not following.isalnum():
            return False
        if following.isspace():
            return self._line.solid == ""
        return leads or following.isalnum() or following in "¿¡*_…"

    def _inches(self, spot: Spot) -> bool | Wait:
        """Whether the mark after a digit in a quote is an inch mark: then the quote is closed later."""
        text, end, final = spot.text, spot.end, spot.final
        if _FEET_AND_INCHES.search(self._line.tail):
            return True
        limit = min(len(text), end + LOOK_AHEAD)
        blank = _BLANK_LINE.search(text, end, limit)
        stop = blank.start() if blank is not None else limit
        mark = text.find('"', end, stop)
        if mark < 0:
            return WAIT if not final and blank is None and limit - end < LOOK_AHEAD else False
        if mark + 1 == len(text) and not final:
            return WAIT
        return not text[mark - 1].isspace() and not text[mark + 1 : mark + 2].isalnum()

    def _open_quote(self, char: str, end: int) -> int:
        # A quote set in bold is a term, as one inside a sentence is.
        solid = self._line.solid
        goes_on = solid.isalnum() and not (ends_by_space(solid) and self._line.follows_space)
        mid_sentence = goes_on or self._line.stressed
        self._line.narrator.open(Mark.QUOTE, char, closers=QUOTES[char], mid_sentence=mid_sentence)
        self._line.turn(1)
        self._line.marked(OPENED)
        return end

    def _close_quote(self, depth: int, end: int) -> int:
        self._line.narrator.close(depth, self._line.solid)
        self._line.turn(-1)
        self._line.marked(CLOSED)
        return end

    def _single_quote(self, spot: Spot) -> int | Wait:
        """Speech only where it is the outer quote; else an apostrophe or an inner quote, part of the text."""
        char, end, following = spot.char, spot.end, spot.following
        depth = self._line.narrator.closed_by(char)
        if depth is not None and not following.isalnum() and not self._line.follows_space:
            straight = self._line.narrator.frames[depth].char == "'"
            possessive = False if straight else self._possessive(spot)
            if possessive is WAIT:
                return WAIT
            if not possessive and (not straight or self._line.solid in ",.!?…—-"):
                return self._close_quote(depth, end)
        outer = self._line.narrator.find(Mark.QUOTE) is None
        leads = not self._line.last.isalnum() and self._line.last != CLOSED
        if char != "’" and outer and leads and not following.isspace() and following not in ",.;":
            closes = self._closed_later(spot)
            if closes is WAIT:
                return WAIT
            if closes:
                return self._open_quote(char, end)
        if char == "‚":
            self._line.literal(",", spot.source)
            return end
        if self._line.last.isalnum() or following.isalnum():
            self._line.literal(char, spot.source)
            return end
        self._line.sentences.gap()
        return end

    def _possessive(self, spot: Spot) -> bool | Wait:
        """Whether the `’` of `the dogs’ bowls’` belongs to the word: another one closes the quote later."""
        text, end = spot.text, spot.end
        if self._line.last != "s" or spot.following != " ":
            return False
        limit = min(len(text), end + LOOK_AHEAD)
        found = _NEXT_SINGLE.match(text, end, limit)
        if (found is None or found.end() == limit) and not spot.final and limit - end < LOOK_AHEAD:
            return WAIT
        return found is not None and found[1] == "’"

    @staticmethod
    def _closed_later(spot: Spot) -> bool | Wait:
        """Whether the paragraph has what closes the single quote at `spot`."""
        text, end, final = spot.text, spot.end, spot.final
        limit = min(len(text), end + LOOK_AHEAD)
        blank = _BLANK_LINE.search(text, end, limit)
        stop = blank.start() if blank is not None else limit
        closer = {"'": _STRAIGHT_END, "‘": _CURLY_END}.get(spot.char, _LOW_END)
        found = closer.search(text, end, stop)
        if found is not None and (found.end() < len(text) or final):
            return True
        return WAIT if not final and blank is None and limit - end < LOOK_AHEAD else False
