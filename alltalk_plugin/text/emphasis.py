"""Asterisks and underscores: narration, stress, arithmetic, or typing errors.

`*...*` at a line's start, after a sentence or next to a quote is narration; inside a running sentence it
is stress. Bold is always stress. No mark is ever spoken.
"""

from __future__ import annotations

import re

from alltalk_plugin.text.clean import LOOK_AHEAD, WAIT, Wait
from alltalk_plugin.text.line import CLOSED, OPENED, PICTURE, Line, Spot
from alltalk_plugin.text.marks import BRACKETS, SENTENCE_END
from alltalk_plugin.text.narrator import Mark

NARRATED = "*"
"""Stands for narration that closed."""

_EMPHASISED_WORD = re.compile(r"[*_]([^\W\d_][\w'’-]{0,30})[*_],? ([^\W\d_])")
_WORD_BEGUN = re.compile(r"[*_][\w'’-]{0,32}(?:[*_],? ?)?\Z")
_STRESSED_QUOTE = re.compile(r"""[^*_"”“»«」』\n]+[*_]+(?:[,.!?…]*(["”“»«」』])|[^*_,.!?…"”“»«」』])""")
_QUOTE_BEGUN = re.compile(r"""[^*_"”“»«」』\n]*(?:[*_]+[,.!?…]*)?\Z""")
_UNDERSCORED = re.compile(r"_[^\s_][^_\n]*(?<=\S)_(?!\w)")


class EmphasisMarks:
    """The asterisks, underscores and tildes of one reply. One thread."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def narrate(self, char: str) -> None:
        """Narration begins here, whatever stands beside the mark."""
        self._line.narrator.open(Mark.NARRATION, char)
        self._line.turn(1)

    def read(self, spot: Spot) -> int | Wait:
        """Deal with the mark at `spot`; where to go on."""
        char, text, at, final = spot.char, spot.text, spot.at, spot.final
        end = at
        stop = min(len(text), at + LOOK_AHEAD)
        while end < stop and text[end] == char:
            end += 1
        if end == len(text) and not final and end - at < LOOK_AHEAD:
            return WAIT
        count = end - at
        if char == "~":
            self._line.solid = "~" if not self._line.follows_space else self._line.solid
            self._line.sentences.gap()
            return end
        if count not in (1, 3):
            # Bold: stress, never narration. Inside a word it joins what it divides.
            self._line.stressed = True
            if not (self._line.last.isalpha() and text[end : end + 1].isalpha() and char == "*"):
                self._line.sentences.gap()
            return end
        following = text[end] if end < len(text) else " "
        before_space = self._line.follows_space
        if following.isspace() and before_space:
            return self._lonely_mark(char, end)
        closes = not before_space and self._line.last != OPENED and self._line.last not in BRACKETS
        stressed = self._line.narrator.find(Mark.EMPHASIS, char)
        if stressed is not None:
            innermost = stressed == len(self._line.narrator.frames) - 1
            if innermost:
                self._line.narrator.close(stressed, self._line.solid)
            if closes and innermost:
                return self._stress(-1, end)
        opens = not following.isspace() and not self._line.last.isalnum()
        narrating = self._line.narrator.find(Mark.NARRATION, char)
        if narrating is not None:
            return self._inside_narration(char, narrating, closes, opens, end)
        if opens:
            return self._open_emphasis(spot, end)
        if closes and following.isalnum():
            return self._inside_word(spot, end)
        self._line.sentences.gap()
        return end

    def _lonely_mark(self, char: str, end: int) -> int:
        """Spaces on both sides: a sum, or narration closed with a space too many."""
        depth = self._line.narrator.find(Mark.NARRATION, char)
        if depth is not None and not self._line.solid.isdecimal():
            self._line.narrator.close(depth, self._line.solid)
            self._line.turn(-1)
            self._line.solid = NARRATED
        self._line.sentences.gap()
        return end

    def _inside_narration(self, char: str, depth: int, closes: bool, opens: bool, end: int) -> int:
        sentence_ended = self._line.sentences.ends_here
        if closes:
            self._line.narrator.close(depth, self._line.solid)
            self._line.turn(-1)
            self._line.solid = NARRATED
            self._line.last = NARRATED
            return end
        if opens and not sentence_ended:
            self._line.narrator.open(Mark.EMPHASIS, char)
            return self._stress(1, end)
        self._line.sentences.gap()
        return end

    def _stress(self, change: int, end: int) -> int:
        self._line.sentences.insert(change)
        if not (self._line.last.isalnum() and change > 0):
            self._line.sentences.gap()
        return end

    def _open_emphasis(self, spot: Spot, end: int) -> int | Wait:
        char = spot.char
        stands_alone = self._line.solid in ("", "~", NARRATED, PICTURE, OPENED, CLOSED) or (
            (self._line.solid in SENTENCE_END or self._line.solid in ")）]")
            and self._line.sentences.ends_here
        )
        if stands_alone:
            word = self._stressed_word(spot.text, end - 1, final=spot.final)
            if word is WAIT:
                return WAIT
            stands_alone = not word
        if stands_alone and self._line.last == OPENED:
            whole = self._whole_quote(spot.text, end, final=spot.final)
            if whole is WAIT:
                return WAIT
            stands_alone = not whole
        if stands_alone and char == "_":
            closed = self._underscored(spot.text, spot.at, final=spot.final)
            if closed is WAIT:
                return WAIT
            stands_alone = closed
        if stands_alone:
            self.narrate(char)
            return end
        self._line.narrator.open(Mark.EMPHASIS, char)
        return self._stress(1, end)

    @staticmethod
    def _stressed_word(text: str, at: int, *, final: bool) -> bool | Wait:
        """`*That* is what I mean`: a capital word that a small letter goes on from is part of a sentence."""
        match = _EMPHASISED_WORD.match(text, at)
        if match is not None:
            return match[1][0].isupper() and match[2].islower()
        return WAIT if not final and _WORD_BEGUN.match(text, at) else False

    @staticmethod
    def _whole_quote(text: str, at: int, *, final: bool) -> bool | Wait:
        """`"*Come closer,*" she says`: stress on all that is quoted is no narration."""
        rest = text[at : at + LOOK_AHEAD]
        match = _STRESSED_QUOTE.match(rest)
        if match is None:
            return WAIT if not final and _QUOTE_BEGUN.match(rest) and len(rest) < LOOK_AHEAD else False
        return match[1] is not None

    @staticmethod
    def _underscored(text: str, at: int, *, final: bool) -> bool | Wait:
        rest = text[at : at + LOOK_AHEAD]
        match = _UNDERSCORED.match(rest)
        if match is not None and (match.end() < len(rest) or final or len(rest) == LOOK_AHEAD):
            return True
        return WAIT if not final and len(rest) < LOOK_AHEAD and "\n" not in rest else False

    def _inside_word(self, spot: Spot, end: int) -> int | Wait:
        """`un*believ*able` is one word, `a*b*c` a product, `snake_case` two words."""
        if end + 2 > len(spot.text) and not spot.final:
            return WAIT
        letters = spot.text[end : end + 2].isalpha() and self._line.sentences.last_word_length > 1
        if not (spot.char == "*" and letters):
            self._line.sentences.gap()
        return end
