"""Reads single marks inside a line: quotes, asterisks, dashes, parentheses; tells the narrator of each.

What a mark means follows from the characters beside it. Where that is not enough (inches in a quote, a
single quote that may be an apostrophe) it looks ahead, at most to the end of the paragraph.
"""

from __future__ import annotations

import re
from typing import Literal

from alltalk_plugin.text.clean import LOOK_AHEAD, WAIT, Wait
from alltalk_plugin.text.marks import (
    ALWAYS_OPENS,
    CLOSING_QUOTES,
    DASHES,
    GAP,
    QUOTES,
    SENTENCE_END,
    SINGLE_QUOTES,
    is_cjk,
)
from alltalk_plugin.text.narrator import Mark, Narrator
from alltalk_plugin.text.sentences import SentenceBuilder

_OPENING = "“"
_CLOSING = "”"
_BRACKETS = frozenset("([{¿¡（【")
_BLANK_LINE = re.compile(r"\n[ \t\r]*\n")
_EMPHASISED_WORD = re.compile(r"[*_]([^\W\d_][\w'’-]{0,30})[*_] ([^\W\d_])")
_WORD_BEGUN = re.compile(r"[*_][\w'’-]{0,32}(?:[*_] ?)?\Z")
_FEET_AND_INCHES = re.compile(r"\d['’]\s?\d{1,2}\Z")
_UNDERSCORED = re.compile(r"_[^\s_][^_\n]*(?<=\S)_(?!\w)")
_CURLY_END = re.compile(r"(?<=\S)’(?!\w)")
_STRAIGHT_END = re.compile(r"[,.!?…—-]'(?!\w)")


class InlineMarks:
    """The marks of one reply. One thread. `solid` is the last visible character, "" at a line's start."""

    def __init__(
        self,
        narrator: Narrator,
        sentences: SentenceBuilder,
        parentheses: Literal["speak", "skip", "narrator"],
    ) -> None:
        self._narrator = narrator
        self._sentences = sentences
        self._parentheses = parentheses
        self.solid = ""
        self._last = ""
        self._tail = ""

    def line_begins(self) -> None:
        self.solid = ""
        self._last = ""
        self._tail = ""

    @property
    def follows_word(self) -> bool:
        """Whether the last character was a plain letter or digit."""
        return self._last.isascii() and self._last.isalnum()

    def heard(self, spoken: str) -> None:
        """Words were said (with GAP for what could not be)."""
        bare = spoken.rstrip(" \x00")
        if bare:
            # A picture ends a sentence as well as a full stop does.
            self.solid = "~" if bare[-1] == GAP else bare[-1]
        self._last = spoken[-1]
        self._tail = (self._tail + spoken[-8:])[-8:]
        if self._narrator.frames:
            self._narrator.heard(spoken)

    def pause(self) -> None:
        """Something separates what follows from what was."""
        self._last = " "
        self.solid = ","

    def open_narration(self, char: str) -> None:
        self._narrator.open(Mark.NARRATION, char)
        self._turn(1)

    def _turn(self, change: int) -> None:
        """The stack has changed: pass on who speaks."""
        self._sentences.gap()
        if change < 0:
            self._sentences.insert(change)
        self._sentences.speak_as(self._narrator.voice)
        if change > 0:
            self._sentences.insert(change)

    def read(self, char: str, text: str, at: int, end: int, base: int, final: bool) -> int | Wait:
        """Deal with the mark `char` at `text[at:end]`; where to go on."""
        if char in "*_~":
            return self._emphasis(char, text, at, final)
        if end >= len(text) and not final:
            return WAIT
        following = text[end] if end < len(text) else " "
        if char in QUOTES or char in CLOSING_QUOTES:
            return self._quote(char, text, at, end, base, following, final)
        if char in DASHES:
            return self._dash(char, text, at, end, base, following, final)
        return self._parenthesis(char, text, at, end, base, final)

    def _literal(self, char: str, source: int, end: int) -> int:
        self._sentences.append(char, source)
        self.heard(char)
        return end

    # --- quotes -------------------------------------------------------------------------------------

    def _quote(
        self, char: str, text: str, at: int, end: int, base: int, following: str, final: bool
    ) -> int | Wait:
        if char in SINGLE_QUOTES:
            return self._single_quote(char, text, at, end, base, following, final)
        depth = self._narrator.closed_by(char)
        if depth is None and char == '"':
            # Typed openers are often closed with the plain mark: „Hallo", “Hello".
            depth = self._narrator.find(Mark.QUOTE)
        leads = self._last in ("", " ", _OPENING) or self._last in _BRACKETS or self._last in DASHES
        opens = char in QUOTES
        if char in ALWAYS_OPENS or (
            char in "“„«" and (depth is None or self._reopens(depth, char, following))
        ):
            return self._open_quote(char, end)
        if depth is None:
            if not opens or not self._may_open(char, leads, following):
                self._sentences.gap()
                self._after(_CLOSING)
                return end
            return self._open_quote(char, end)
        if opens and leads and not following.isspace() and self._last != _OPENING and following.isalnum():
            # An opener while one is open: the first was never closed.
            if self._narrator.frames[depth].char == char:
                self._narrator.close(depth, ".")
            return self._open_quote(char, end)
        if char == '"' and self._tail[-1:].isdecimal() and not following.isalnum():
            inches = self._inches(text, end, final)
            if inches is WAIT:
                return WAIT
            if inches:
                self._sentences.gap()
                return end
        return self._close_quote(depth, end)

    def _reopens(self, depth: int, char: str, following: str) -> bool:
        """Whether an unmistakable opener opens though an open quote could end with it."""
        frame = self._narrator.frames[depth]
        return frame.char == char and self._last in ("", " ") and not following.isspace()

    def _may_open(self, char: str, leads: bool, following: str) -> bool:
        if char != '"':
            return leads and (not following.isspace() or char in "«»")
        if self._last.isdecimal() and not following.isalnum():
            return False
        if following.isspace():
            return self.solid == ""
        return leads or following.isalnum() or following in "¿¡*_…"

    def _inches(self, text: str, end: int, final: bool) -> bool | Wait:
        """Whether the mark after a digit in a quote is an inch mark: then the quote is closed later."""
        if _FEET_AND_INCHES.search(self._tail):
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
        mid_sentence = self.solid.isalnum()
        self._narrator.open(Mark.QUOTE, char, closers=QUOTES[char], mid_sentence=mid_sentence)
        self._turn(1)
        self._after(_OPENING)
        return end

    def _close_quote(self, depth: int, end: int) -> int:
        self._narrator.close(depth, self.solid)
        self._turn(-1)
        self._after(_CLOSING)
        return end

    def _after(self, mark: str) -> None:
        self._last = mark
        self.solid = mark
        self._tail = ""

    def _single_quote(
        self, char: str, text: str, at: int, end: int, base: int, following: str, final: bool
    ) -> int | Wait:
        """Speech only where it is the outer quote; else an apostrophe or an inner quote, part of the text."""
        depth = self._narrator.closed_by(char)
        if depth is not None and not following.isalnum() and self._last not in ("", " "):
            straight = self._narrator.frames[depth].char == "'"
            if not straight or self.solid in ",.!?…—-":
                return self._close_quote(depth, end)
        outer = self._narrator.find(Mark.QUOTE) is None
        leads = not self._last.isalnum() and self._last != _CLOSING
        if char != "’" and outer and leads and not following.isspace() and following not in ",.;":
            closes = self._closed_later(char, text, end, final)
            if closes is WAIT:
                return WAIT
            if closes:
                return self._open_quote(char, end)
        if char == "‚":
            return self._literal(",", base + at, end)
        if self._last.isalnum() or following.isalnum():
            return self._literal(char, base + at, end)
        self._sentences.gap()
        return end

    def _closed_later(self, char: str, text: str, end: int, final: bool) -> bool | Wait:
        limit = min(len(text), end + LOOK_AHEAD)
        blank = _BLANK_LINE.search(text, end, limit)
        stop = blank.start() if blank is not None else limit
        closer = {"'": _STRAIGHT_END, "‘": _CURLY_END}.get(char, re.compile("[‘’]"))
        found = closer.search(text, end, stop)
        if found is not None and (found.end() < len(text) or final):
            return True
        return WAIT if not final and blank is None and limit - end < LOOK_AHEAD else False

    # --- asterisks ----------------------------------------------------------------------------------

    def _emphasis(self, char: str, text: str, at: int, final: bool) -> int | Wait:
        end = at
        stop = min(len(text), at + LOOK_AHEAD)
        while end < stop and text[end] == char:
            end += 1
        if end == len(text) and not final and end - at < LOOK_AHEAD:
            return WAIT
        count = end - at
        if char == "~":
            self.solid = "~" if self._last not in ("", " ") else self.solid
            self._sentences.gap()
            return end
        if count not in (1, 3):
            # Bold: stress, never narration. Inside a word it joins what it divides.
            if not (self._last.isalnum() and text[end : end + 1].isalnum() and char == "*"):
                self._sentences.gap()
            return end
        following = text[end] if end < len(text) else " "
        before_space = self._last in ("", " ")
        if following.isspace() and before_space:
            return self._lonely_mark(char, end)
        closes = not before_space and self._last != _OPENING and self._last not in _BRACKETS
        stressed = self._narrator.find(Mark.EMPHASIS, char)
        if stressed is not None:
            inner = self._narrator.frames[stressed + 1 :]
            if closes and not inner:
                self._narrator.close(stressed, self.solid)
                return self._stress(-1, end)
            if not inner:
                self._narrator.close(stressed, self.solid)
        opens = not following.isspace() and not self._last.isalnum()
        narrating = self._narrator.find(Mark.NARRATION, char)
        if narrating is not None:
            return self._inside_narration(char, narrating, closes, opens, end)
        if opens:
            return self._open_emphasis(char, text, at, end, final)
        if closes and following.isalnum():
            return self._inside_word(char, text, end, final)
        self._sentences.gap()
        return end

    def _lonely_mark(self, char: str, end: int) -> int:
        """Spaces on both sides: a sum, or narration closed with a space too many."""
        depth = self._narrator.find(Mark.NARRATION, char)
        if depth is not None and not self.solid.isdecimal():
            self._narrator.close(depth, self.solid)
            self._turn(-1)
            self.solid = "*"
        self._sentences.gap()
        return end

    def _inside_narration(self, char: str, depth: int, closes: bool, opens: bool, end: int) -> int:
        sentence_ended = self._sentences.ends_here
        if closes and not (opens and self._last == _CLOSING and self._narrator.frames[-1].mark is Mark.QUOTE):
            self._narrator.close(depth, self.solid)
            self._turn(-1)
            self.solid = "*"
            self._last = "*"
            return end
        if opens and not sentence_ended:
            self._narrator.open(Mark.EMPHASIS, char)
            return self._stress(1, end)
        self._sentences.gap()
        return end

    def _stress(self, change: int, end: int) -> int:
        self._sentences.insert(change)
        if not (self._last.isalnum() and change > 0):
            self._sentences.gap()
        return end

    def _open_emphasis(self, char: str, text: str, at: int, end: int, final: bool) -> int | Wait:
        stands_alone = self.solid in ("", "*", _OPENING, _CLOSING) or (
            self.solid in SENTENCE_END and self._sentences.ends_here
        )
        if stands_alone:
            word = self._stressed_word(text, end - 1, final)
            if word is WAIT:
                return WAIT
            stands_alone = not word
        if stands_alone and char == "_":
            closed = self._underscored(text, at, final)
            if closed is WAIT:
                return WAIT
            stands_alone = closed
        if stands_alone:
            self._narrator.open(Mark.NARRATION, char)
            self._turn(1)
            return end
        self._narrator.open(Mark.EMPHASIS, char)
        return self._stress(1, end)

    @staticmethod
    def _stressed_word(text: str, at: int, final: bool) -> bool | Wait:
        """`*That* is what I mean`: a capital word that a small letter goes on from is part of a sentence."""
        match = _EMPHASISED_WORD.match(text, at)
        if match is not None:
            return match[1][0].isupper() and match[2].islower()
        return WAIT if not final and _WORD_BEGUN.match(text, at) else False

    @staticmethod
    def _underscored(text: str, at: int, final: bool) -> bool | Wait:
        rest = text[at : at + LOOK_AHEAD]
        match = _UNDERSCORED.match(rest)
        if match is not None and (match.end() < len(rest) or final or len(rest) == LOOK_AHEAD):
            return True
        return WAIT if not final and len(rest) < LOOK_AHEAD and "\n" not in rest else False

    def _inside_word(self, char: str, text: str, end: int, final: bool) -> int | Wait:
        """`un*believ*able` is one word, `a*b*c` a product, `snake_case` two words."""
        if end + 2 > len(text) and not final:
            return WAIT
        letters = text[end : end + 2].isalpha() and self._sentences.last_word_length > 1
        if not (char == "*" and letters):
            self._sentences.gap()
        return end

    # --- dashes and parentheses ---------------------------------------------------------------------

    def dash_line(self, text: str, at: int, final: bool) -> int | None | Wait:
        """Where the words of a line of dash dialogue begin, if the line at `at` is one."""
        char = text[at]
        if char not in DASHES or self._narrator.frames:
            return None
        first = re.compile(r"[ \t\u00a0]*(.)?").match(text, at + 1, at + 9)
        if first is None or first[1] is None:
            return WAIT if not final and len(text) < at + 9 else None
        if first[1].islower() or first[1].isdecimal() or first[1] in DASHES:
            return None
        self._narrator.open(Mark.DASH, char)
        self._turn(1)
        return first.start(1)

    def _dash(
        self, char: str, text: str, at: int, end: int, base: int, following: str, final: bool
    ) -> int | Wait:
        depth = self._narrator.find(Mark.DASH)
        if depth is None or depth != len(self._narrator.frames) - 1:
            return self._literal(char, base + at, end)
        before = self._last in ("", " ")
        after = following.isspace() or following in ",.;:!?…"
        frame = self._narrator.frames[depth]
        if before and after and frame.speech and following.isspace():
            if end + 1 >= len(text) and not final:
                return WAIT
            word = text[end + 1 : end + 2]
            cyrillic = "\u0400" <= word <= "\u04ff"
            attribution = self.solid in ",.!?…" or (word.islower() and not cyrillic)
            if not attribution:
                return self._literal(char, base + at, end)
        elif not before and not after:
            return self._literal(char, base + at, end)
        frame.speech = not frame.speech
        frame.evidence = True
        self._turn(1 if frame.speech else -1)
        self._last = " "
        return end

    def _parenthesis(self, char: str, text: str, at: int, end: int, base: int, final: bool) -> int | Wait:
        if self._parentheses == "speak":
            return self._literal(char, base + at, end)
        if char in ")）":
            depth = self._narrator.find(Mark.ASIDE)
            if depth is None:
                return self._literal(char, base + at, end)
            self._narrator.close(depth, self.solid)
            self._turn(-1)
            self._last = " "
            return end
        rest = text[end : end + LOOK_AHEAD]
        blank = _BLANK_LINE.search(rest)
        inside = rest[: blank.start()] if blank is not None else rest
        closer = re.search("[)）]", inside)
        if closer is None:
            if not final and blank is None and len(rest) < LOOK_AHEAD:
                return WAIT
            return self._literal(char, base + at, end)
        if self._parentheses == "skip":
            self._sentences.gap()
            self._last = " "
            return end + closer.end()
        self._narrator.open(Mark.ASIDE, char)
        self._turn(1)
        self._last = _OPENING
        return end
