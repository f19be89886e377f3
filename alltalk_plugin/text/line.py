"""What stands beside a mark, and who is told when it opens or closes something."""

from __future__ import annotations

from typing import NamedTuple

from alltalk_plugin.text.marks import GAP
from alltalk_plugin.text.narrator import Narrator
from alltalk_plugin.text.sentences import SentenceBuilder

OPENED = "“"
"""Stands for any mark that opened: what follows begins something."""

CLOSED = "”"
"""Stands for any mark that closed."""

PICTURE = "\x01"
"""Stands for an emoji or the like."""


class Spot(NamedTuple):
    """A mark at `text[at:end]` (an entity is longer than its `char`); the original's index is `source`.

    `final` says that no more text comes; otherwise at least one character follows.
    """

    char: str
    text: str
    at: int
    end: int
    source: int
    final: bool

    @property
    def following(self) -> str:
        """The next character, a space where there is none."""
        return self.text[self.end] if self.end < len(self.text) else " "


class Line:
    """The place in the line. One thread.

    `solid` is the last visible character ("" at a line's start), `last` the last one at all, `tail` the
    end of the words since the last mark, `stressed` whether bold has just begun or ended.
    """

    def __init__(self, narrator: Narrator, sentences: SentenceBuilder) -> None:
        self.narrator = narrator
        self.sentences = sentences
        self.begins()

    def begins(self) -> None:
        self.solid = ""
        self.last = ""
        self.tail = ""
        self.stressed = False

    @property
    def follows_word(self) -> bool:
        """Whether the last character was a plain letter or digit."""
        return self.last.isascii() and self.last.isalnum()

    @property
    def follows_space(self) -> bool:
        return self.last in ("", " ")

    def heard(self, spoken: str) -> None:
        """Words were said, in the form that `spoken_form` gives."""
        bare = spoken.rstrip(" \x00")
        if bare:
            self.solid = PICTURE if bare[-1] == GAP else bare[-1]
        self.last = spoken[-1]
        self.stressed = False
        self.tail = spoken[-8:] if len(spoken) >= 8 else (self.tail + spoken)[-8:]
        if self.narrator.frames:
            self.narrator.heard(spoken)

    def pause(self) -> None:
        """Something separates what follows from what was."""
        self.last = " "
        self.solid = ","

    def marked(self, mark: str) -> None:
        """A quote opened or closed."""
        self.last = mark
        self.solid = mark
        self.tail = ""

    def turn(self, change: int) -> None:
        """Something opened (1) or closed (-1): pass on who speaks now."""
        self.sentences.gap()
        if change < 0:
            self.sentences.insert(change)
        self.sentences.speak_as(self.narrator.voice)
        if change > 0:
            self.sentences.insert(change)

    def literal(self, char: str, source: int) -> None:
        """The mark is text after all."""
        self.sentences.append(char, source)
        self.heard(char)
