"""Deals with the characters that wrap words: tags, entities, code, maths, links, table cells.

Every reader returns False when it needs more text; otherwise it has moved the cursor.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

from alltalk_plugin.domain.speech import Boundary, TextSpan
from alltalk_plugin.text import clean
from alltalk_plugin.text.clean import WAIT, TagKind
from alltalk_plugin.text.cursor import Cursor
from alltalk_plugin.text.inline import InlineMarks
from alltalk_plugin.text.line import Line, Spot
from alltalk_plugin.text.marks import CLOSING_QUOTES, QUOTES, spoken_form

_CODE_MARKS = str.maketrans(dict.fromkeys({*"*_`<>|{}[]\\~^\n", *QUOTES, *CLOSING_QUOTES} - {*"'’"}, " "))
_ESCAPED_LITERALS = frozenset("*_`#<>[]{}()~|+-.!$")
_QUOTES_AND_DASHES = frozenset('"“”„«»‹›‘’‚—–―「」')
_INLINE = frozenset({*"*_~", *QUOTES, *CLOSING_QUOTES})
_UNSPOKEN_ENTITIES = frozenset("*_`<>[]|")
_FENCE_IN_LINE = re.compile("```+")
_IMAGE_END = re.compile(r"\)|(?=\n)")


class Markup:
    """The markup of one reply. One thread.

    `thought` looks whether a thinking tag stands at the cursor: dealt with, wait for more, or None.
    """

    def __init__(
        self,
        cursor: Cursor,
        line: Line,
        *,
        inline: InlineMarks,
        thought: Callable[[bool], bool | None],
        code: Literal["skip", "announce"],
        inline_voices: bool,
    ) -> None:
        self._cursor = cursor
        self._line = line
        self._inline = inline
        self._thought = thought
        self._code_rule = code
        self._inline_voices = inline_voices

    def read(self, char: str, final: bool) -> bool:
        """Deal with the special character at the cursor."""
        if char in _INLINE:
            # Most marks are these.
            return self._mark(char, self._cursor.at + 1, final)
        match char:
            case "<":
                return self._tag(final)
            case "&":
                return self._entity(final)
            case "`":
                return self._code(final)
            case "$" | "\\":
                return self._maths(final)
            case "!":
                return self._image(final)
            case "[" | "]":
                return self._bracket(char, final)
            case "|":
                return self._cell(final)
            case _:
                return self._mark(char, self._cursor.at + 1, final)

    def say(self, words: str, at: int) -> None:
        """Words that stand at `at` of the cursor's text are spoken."""
        spoken = spoken_form(words)
        self._line.sentences.append(spoken, self._cursor.base + at)
        self._line.heard(spoken)
        self._cursor.starts_line = False

    def announce_code(self, end: int) -> None:
        """Code begins at the cursor; its opening ends at `end`."""
        self._line.sentences.break_off(Boundary.SENTENCE)
        if self._code_rule == "announce":
            span = TextSpan(self._cursor.source, self._cursor.base + end)
            self._line.sentences.announce("Code.", span, "code block, announced")

    def _say_mark(self) -> bool:
        cursor = self._cursor
        self.say(cursor.text[cursor.at], cursor.at)
        cursor.at += 1
        return True

    def _unspoken(self, end: int) -> bool:
        self._line.sentences.gap()
        self._cursor.at = end
        return True

    def _mark(self, char: str, end: int, final: bool) -> bool:
        cursor = self._cursor
        done = self._inline.read(Spot(char, cursor.text, cursor.at, end, cursor.source, final))
        if done is WAIT:
            return False
        cursor.starts_line = False
        cursor.at = done
        return True

    def _tag(self, final: bool) -> bool:
        found = self._thought(final)
        if found is not None:
            return found
        cursor = self._cursor
        tag = clean.tag_at(cursor.text, cursor.at, final=final)
        if tag is WAIT:
            return False
        if tag is None:
            return self._unspoken(cursor.at + 1)
        cursor.at = tag.end
        match tag.kind:
            case TagKind.LINE:
                cursor.line_ends()
            case TagKind.PARAGRAPH:
                cursor.line_ends()
                cursor.line_ends()
            case TagKind.CELL:
                self._line.sentences.gap()
            case TagKind.MEDIA if tag.until is not None:
                cursor.skip_until(tag.until)
            case _:
                pass
        return True

    def _entity(self, final: bool) -> bool:
        cursor = self._cursor
        if cursor.text[cursor.at : cursor.at + 4].lower() in ("&", "&l", "&lt", "&lt;"):
            found = self._thought(final)
            if found is not None:
                return found
        entity = clean.entity_at(cursor.text, cursor.at, final=final)
        if entity is WAIT:
            return False
        if entity is None:
            return self._say_mark()
        char, end = entity
        if char in _QUOTES_AND_DASHES:
            return self._mark(char, end, final)
        if char.isspace() or char in _UNSPOKEN_ENTITIES:
            return self._unspoken(end)
        self.say(char, cursor.at)
        cursor.at = end
        return True

    def _code(self, final: bool) -> bool:
        cursor = self._cursor
        text, at = cursor.text, cursor.at
        span = clean.code_span_at(text, at, final=final)
        if span is WAIT:
            return False
        if span is None:
            if text.startswith("```", at):
                self.announce_code(at + 3)
                cursor.at += 3
                cursor.skip_until(_FENCE_IN_LINE)
                return True
            return self._unspoken(at + 1)
        start, stop, end = span
        sentences = self._line.sentences
        sentences.gap()
        sentences.insert(1)
        self.say(text[start:stop].translate(_CODE_MARKS), start)
        sentences.insert(-1)
        sentences.gap()
        cursor.at = end
        return True

    def _maths(self, final: bool) -> bool:
        text, at = self._cursor.text, self._cursor.at
        if at + 1 >= len(text) and not final:
            return False
        formula = clean.display_maths_at(text, at, final=final)
        if formula is WAIT:
            return False
        if formula is not None:
            return self._unspoken(formula)
        following = text[at + 1 : at + 2]
        if text[at] == "$":
            return self._unspoken(at + 2) if following == "$" else self._dollar(final)
        return self._unspoken(at + 2 if following in _ESCAPED_LITERALS else at + 1)

    def _dollar(self, final: bool) -> bool:
        text, at = self._cursor.text, self._cursor.at
        inline = clean.inline_maths_at(text, at, final=final)
        if inline is WAIT:
            return False
        if inline is None:
            return self._say_mark()
        end, sayable = inline
        if sayable:
            self.say(text[at + 1 : end - 1], at + 1)
        return self._unspoken(end)

    def _image(self, final: bool) -> bool:
        image = clean.image_at(self._cursor.text, self._cursor.at, final=final)
        if image is WAIT:
            return False
        if image is None:
            return self._say_mark()
        self._cursor.at = image
        self._cursor.skip_until(_IMAGE_END)
        return True

    def _bracket(self, char: str, final: bool) -> bool:
        text, at = self._cursor.text, self._cursor.at
        if char == "[":
            if at + 1 == len(text) or text.startswith(("[T", "[/"), at):
                found = self._thought(final)
                if found is not None:
                    return found
            if self._inline_voices:
                chosen = clean.voice_mark_at(text, at, final=final)
                if chosen is WAIT:
                    return False
                if chosen is not None:
                    name, name_end = chosen
                    self._line.sentences.choose(name or None)
                    return self._unspoken(name_end)
            end = clean.footnote_at(text, at, final=final)
        else:
            end = clean.link_tail_at(text, at, final=final)
        if end is WAIT:
            return False
        return self._unspoken(at + 1 if end is None else end)

    def _cell(self, final: bool) -> bool:
        """Cells are read one after the other, with a pause between."""
        text, at = self._cursor.text, self._cursor.at
        end = at
        while end < len(text) and text[end] in " \t\r|":
            end += 1
        if end == len(text) and not final:
            return False
        if end < len(text) and text[end] != "\n" and self._line.solid.isalnum():
            self._line.sentences.pause(self._cursor.source)
        self._line.pause()
        return self._unspoken(end)
