"""The incremental scanner: raw reply text in, segments out, as soon as they are certain.

One pass over the raw text in this order: reasoning, tags, fences, escapes, tables, maths, links, speaker
lines, quotes and asterisks, emoji, sentences. Every step is taken when its outcome no longer depends on
text that may follow, so the segments are the same for every way of cutting the input into pieces.
Looking ahead is bounded, so work is linear in the text.

| mode | entered at | left at |
| --- | --- | --- |
| text | the beginning | |
| reasoning | an opener, or a prior that says the template opened it | its closer |
| skip | a fence, a player, an image's address | the closer of that |
| address | `https://` | white space |
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from alltalk_plugin.domain.speech import Boundary, ReplyStyle, SpeakerRole, TextSpan
from alltalk_plugin.settings.schema import Narration, Unmarked
from alltalk_plugin.text import clean, reasoning
from alltalk_plugin.text.clean import WAIT, TagKind
from alltalk_plugin.text.inline import InlineMarks
from alltalk_plugin.text.lines import LineReader, LineStart, Opener
from alltalk_plugin.text.marks import GAP, SENTENCE_END, spoken_form
from alltalk_plugin.text.narrator import Narrator
from alltalk_plugin.text.sentences import ScannedSegment, SentenceBuilder


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRules:
    """The settings that the scanner obeys."""

    narrator: Narration = Narration.ON
    unmarked: Unmarked = Unmarked.AUTO
    code: Literal["skip", "announce"] = "skip"
    urls: Literal["skip", "host"] = "host"
    parentheses: Literal["speak", "skip", "narrator"] = "speak"
    max_segment_chars: int = 400


_SPECIAL = r"*_~`\"“”„‟«»‹›「」『』﹁﹂〝〞〟＂‘’‚'<&\[\]$\\|\n—–―()（）"
# Apostrophes inside words are plain; `!` is not when an image may begin.
_PLAIN = re.compile(rf"(?:[^{_SPECIAL}!]|(?<=[^\W_])['’](?=[^\W_])|!(?!\[)){{1,{clean.LOOK_AHEAD}}}")
# What may become a keycap emoji, an image, or an address with the next characters.
_HOLD = re.compile(r"[0-9#]\ufe0f?\Z|!\Z")
_KEYCAP = re.compile("[0-9#*]\ufe0f?\u20e3")
_BLANK = re.compile(r"[ \t\r\u00a0\u3000]+")
_CODE_MARKS = str.maketrans(dict.fromkeys('*_`"<>|{}[]\\~^\n', " "))
_ESCAPED_LITERALS = frozenset("*_`#<>[]{}()~|+-.!$")


class Scanner:
    """Scans one reply. One thread.

    `speaker` is the reply's character; lines that begin with a name of `roster` and a colon are that
    speaker's. What has been returned stands, whatever follows.
    """

    def __init__(
        self, style: ReplyStyle, rules: ScanRules, speaker: str | None, roster: tuple[str, ...]
    ) -> None:
        self._style = style
        self._rules = rules
        self._out: list[ScannedSegment] = []
        self._narrator = Narrator(
            style.unmarked, narration=rules.narrator, policy=rules.unmarked, speaker=speaker
        )
        self._sentences = SentenceBuilder(rules.max_segment_chars, self._out.append)
        self._inline = InlineMarks(self._narrator, self._sentences, rules.parentheses)
        self._lines = LineReader(roster)
        self._buffer = ""
        self._at = 0
        self._base = 0
        self._mode: Callable[[bool], bool] = self._text
        self._until = re.compile("")
        self._starts_line = True
        self._newlines = 0
        self._own_line = False
        self._lone_closer = False
        self._explicit_reasoning = False
        self._held: list[str] | None = None
        if style.reasoning_open:
            self._held = []
            self._reason_until(reasoning.LONE_CLOSER)
        self._sentences.speak_as(self._narrator.voice)

    def feed(self, delta: str) -> tuple[ScannedSegment, ...]:
        """The segments that `delta` made certain."""
        if self._held is not None:
            self._held.append(delta)
        self._base += self._at
        self._buffer = self._buffer[self._at :] + delta
        self._at = 0
        self._run(final=False)
        return self._taken()

    def finish(self) -> tuple[ScannedSegment, ...]:
        """The rest, now that no more text comes. Call once, last."""
        self._run(final=True)
        if self._held is not None:
            self._note_opener()
        if self._held is not None and not self._explicit_reasoning:
            # The prior was wrong: nothing ever closed the reasoning it assumed, so this is the reply.
            self._buffer = "".join(self._held)
            self._held = None
            self._at = self._base = 0
            self._mode = self._text
            self._run(final=True)
        self._narrator.blank_line(self._inline.solid)
        self._sentences.break_off(Boundary.PARAGRAPH)
        return self._taken()

    @property
    def learned(self) -> ReplyStyle:
        """What the text so far teaches about the chat; where it is silent, the prior."""
        unmarked = self._style.unmarked
        if self._narrator.dialogue_seen:
            unmarked = SpeakerRole.NARRATOR
        elif self._narrator.narration_seen:
            unmarked = SpeakerRole.CHARACTER
        return replace(self._style, unmarked=unmarked, reasoning_open=self._lone_closer)

    def _taken(self) -> tuple[ScannedSegment, ...]:
        taken = tuple(self._out)
        self._out.clear()
        return taken

    def _run(self, *, final: bool) -> None:
        while self._at < len(self._buffer) and self._mode(final):
            pass

    # --- modes: each returns False when it needs more text -------------------------------------------

    def _text(self, final: bool) -> bool:
        text, at = self._buffer, self._at
        if self._starts_line:
            blank = _BLANK.match(text, at)
            if blank is not None:
                self._at = blank.end()
                return True
            if text[at] != "\n":
                return self._line(final)
        match = _PLAIN.match(text, at)
        if match is not None:
            return self._words(match.end(), final)
        return self._special(text[at], final)

    def _words(self, end: int, final: bool) -> bool:
        text, at = self._buffer, self._at
        # Where the run begins, the character before it may no longer be in the buffer.
        skip = at + 1 if self._inline.follows_word else at
        address = clean.URL_START.search(text, skip, end)
        if address is not None and address.start() == at:
            self._mode = self._address
            return True
        if address is not None:
            end = address.start()
        elif (end == len(text) and not final) or end - at == clean.LOOK_AHEAD:
            held = clean.URL_BEGUN.search(text, max(at, end - 7), end) or _HOLD.search(
                text, max(at, end - 2), end
            )
            if held is not None:
                if held.start() == at:
                    return False
                end = held.start()
        run = text[at:end]
        if "\u20e3" in run:
            run = _KEYCAP.sub(lambda keycap: GAP * len(keycap[0]), run)
        self._say(run, at)
        self._at = end
        return True

    def _say(self, run: str, at: int) -> None:
        spoken = spoken_form(run)
        self._sentences.append(spoken, self._base + at)
        self._inline.heard(spoken)
        self._starts_line = False

    def _reasoning(self, final: bool) -> bool:
        match = self._until.search(self._buffer, self._at)
        if match is None:
            keep = 0 if final else reasoning.LONGEST_TAG
            self._at = max(self._at, len(self._buffer) - keep)
            return False
        if self._held is not None:
            self._note_opener()
            self._lone_closer = not self._explicit_reasoning
            self._held = None
        self._at = match.end()
        self._mode = self._text
        return True

    def _note_opener(self) -> None:
        """The prior assumed reasoning: see whether the text opened it itself all the same."""
        head = "".join(self._held or ()).lstrip()
        self._explicit_reasoning = reasoning.opening(head, 0) is not None

    def _reason_until(self, closer: re.Pattern[str]) -> None:
        self._until = closer
        self._mode = self._reasoning

    def _skip(self, final: bool) -> bool:
        match = self._until.search(self._buffer, self._at)
        if match is None:
            # Enough stays behind to see a closer that has only half arrived.
            self._at = len(self._buffer) if final else max(self._at, len(self._buffer) - 64)
            return False
        if match.end() == len(self._buffer) and not final:
            return False
        self._at = match.start() if match[0].startswith("\n") and match[0].isspace() else match.end()
        self._mode = self._text
        return True

    def _skip_until(self, closer: re.Pattern[str]) -> None:
        self._until = closer
        self._mode = self._skip

    def _address(self, final: bool) -> bool:
        text, at = self._buffer, self._at
        match = clean.URL_CHARS.match(text, at, at + clean.LOOK_AHEAD)
        assert match is not None, "the pattern matches the empty string"
        if match.end() == len(text) and not final and match.end() - at < clean.LOOK_AHEAD:
            return False
        url = clean.URL_TRAILING.sub("", match[0])
        host = clean.url_host(url)
        if self._rules.urls == "host" and host:
            self._say(host, at + max(0, url.find(host)))
        self._at = at + max(1, len(url))
        self._mode = self._text
        if len(match[0]) == clean.LOOK_AHEAD:
            self._skip_until(re.compile(r"(?=[\s<>\"“”«»*`|])"))
        return True

    # --- lines --------------------------------------------------------------------------------------

    def _line(self, final: bool) -> bool:
        if self._newlines:
            self._enter_line()
        quotes_matter = self._narrator.unmarked_is_narrated
        start = self._lines.read(self._buffer, self._at, final, quotes_matter=quotes_matter)
        if start is WAIT:
            return False
        if start is None:
            self._starts_line = False
            dash = self._inline.dash_line(self._buffer, self._at, final)
            if dash is WAIT:
                self._starts_line = True
                return False
            if dash is not None:
                self._at = dash
            return True
        self._open_line(start)
        return True

    def _enter_line(self) -> None:
        """The first visible character after a line's end: now it shows what the end meant."""
        if self._newlines > 1:
            self._narrator.blank_line(self._inline.solid)
            self._sentences.break_off(Boundary.PARAGRAPH)
        else:
            self._narrator.new_line(self._inline.solid)
            wrapped = self._buffer[self._at].islower() and self._inline.solid not in SENTENCE_END
            if wrapped and not self._own_line:
                self._sentences.append(" ", self._base + self._at - 1)
            else:
                self._sentences.break_off(Boundary.SENTENCE)
        self._newlines = 0
        self._own_line = False
        self._inline.line_begins()
        self._sentences.speak_as(self._narrator.voice)

    def _open_line(self, start: LineStart) -> None:
        match start.opener:
            case Opener.FENCE if start.closer is not None:
                self._announce_code(start.end)
                self._skip_until(start.closer)
            case Opener.RULE:
                pass
            case Opener.MARKER | Opener.ROW:
                self._sentences.break_off(Boundary.SENTENCE)
                self._own_line = True
            case Opener.SPEAKER:
                self._narrator.speaker_line(start.name, quoted=start.quoted)
                self._starts_line = False
            case Opener.NARRATION:
                self._inline.open_narration("*")
                self._starts_line = False
            case _:
                pass
        self._sentences.speak_as(self._narrator.voice)
        self._at = start.end

    def _announce_code(self, end: int) -> None:
        self._sentences.break_off(Boundary.SENTENCE)
        if self._rules.code == "announce":
            self._sentences.announce(
                "Code.", TextSpan(self._base + self._at, self._base + end), "code block, announced"
            )

    def _line_ends(self) -> None:
        self._newlines += 1
        self._starts_line = True

    # --- special characters -------------------------------------------------------------------------

    def _special(self, char: str, final: bool) -> bool:
        match char:
            case "\n":
                self._line_ends()
                self._at += 1
                return True
            case "<":
                return self._markup(final)
            case "&":
                return self._entity(final)
            case "`":
                return self._code(final)
            case "$" | "\\":
                return self._maths(final)
            case "[" | "]" | "!":
                return self._bracket(char, final)
            case "|":
                return self._cell(final)
            case _:
                return self._mark(char, self._at + 1, final)

    def _mark(self, char: str, end: int, final: bool) -> bool:
        done = self._inline.read(char, self._buffer, self._at, end, self._base, final)
        if done is WAIT:
            return False
        self._starts_line = False
        self._at = done
        return True

    def _markup(self, final: bool) -> bool:
        text, at = self._buffer, self._at
        found = self._thought(final)
        if found is not None:
            return found
        tag = clean.tag_at(text, at, final)
        if tag is WAIT:
            return False
        if tag is None:
            return self._unspoken(at + 1)
        self._at = tag.end
        match tag.kind:
            case TagKind.LINE:
                self._line_ends()
            case TagKind.PARAGRAPH:
                self._line_ends()
                self._line_ends()
            case TagKind.CELL:
                self._sentences.gap()
            case TagKind.MEDIA if tag.until is not None:
                self._skip_until(tag.until)
            case _:
                pass
        return True

    def _thought(self, final: bool) -> bool | None:
        """A thinking tag at this place: whether it was dealt with (False: wait); None: it is none."""
        text, at = self._buffer, self._at
        begun = len(text) - at
        if not final and begun < reasoning.LONGEST_TAG and reasoning.may_begin(text, at):
            return False
        opened = reasoning.opening(text, at)
        if opened is not None:
            self._explicit_reasoning = True
            self._at, closer = opened
            self._reason_until(closer)
            return True
        closed = reasoning.LONE_CLOSER.match(text, at)
        if closed is None:
            return None
        if self._explicit_reasoning or self._lone_closer:
            return self._unspoken(closed.end())
        # The template had opened the block: what was pending was reasoning. What is out stands.
        self._lone_closer = True
        self._narrator.start_over()
        self._sentences.discard()
        self._sentences.speak_as(self._narrator.voice)
        self._inline.line_begins()
        self._starts_line = True
        self._newlines = 0
        self._at = closed.end()
        return True

    def _unspoken(self, end: int) -> bool:
        self._sentences.gap()
        self._at = end
        return True

    def _entity(self, final: bool) -> bool:
        entity = clean.entity_at(self._buffer, self._at, final)
        if entity is WAIT:
            return False
        if entity is None:
            self._say("&", self._at)
            self._at += 1
            return True
        char, end = entity
        if char in "<>" and self._buffer[self._at : self._at + 4].lower() == "&lt;":
            found = self._thought(final)
            if found is not None:
                return found
        if char in '"“”„«»‹›‘’‚—–―「」':
            return self._mark(char, end, final)
        if char.isspace() or char in "*_`<>[]|":
            return self._unspoken(end)
        self._say(char, self._at)
        self._at = end
        return True

    def _code(self, final: bool) -> bool:
        text, at = self._buffer, self._at
        span = clean.code_span_at(text, at, final)
        if span is WAIT:
            return False
        if span is None:
            if text.startswith("```", at):
                self._announce_code(at + 3)
                self._at += 3
                self._skip_until(re.compile("```+"))
                return True
            return self._unspoken(at + 1)
        start, stop, end = span
        self._sentences.gap()
        self._sentences.insert(1)
        self._say(text[start:stop].translate(_CODE_MARKS), start)
        self._sentences.insert(-1)
        self._sentences.gap()
        self._at = end
        return True

    def _maths(self, final: bool) -> bool:
        text, at = self._buffer, self._at
        if at + 1 >= len(text) and not final:
            return False
        formula = clean.display_maths_at(text, at, final)
        if formula is WAIT:
            return False
        if formula is not None:
            return self._unspoken(formula)
        following = text[at + 1 : at + 2]
        if text[at] == "$":
            inline = clean.inline_maths_at(text, at, final)
            if inline is WAIT:
                return False
            if inline is None:
                if following == "$":
                    return self._unspoken(at + 2)
                self._say("$", at)
                self._at += 1
                return True
            end, sayable = inline
            if sayable:
                self._say(text[at + 1 : end - 1], at + 1)
            return self._unspoken(end)
        if following in _ESCAPED_LITERALS and following:
            return self._unspoken(at + 2)
        return self._unspoken(at + 1)

    def _bracket(self, char: str, final: bool) -> bool:
        text, at = self._buffer, self._at
        if char == "!":
            image = clean.image_at(text, at, final)
            if image is WAIT:
                return False
            if image is not None:
                self._at = image
                self._skip_until(re.compile(r"\)|\n"))
                return True
            self._say("!", at)
            self._at += 1
            return True
        if char == "[":
            if text.startswith(("[T", "[/"), at) or (at + 1 == len(text) and not final):
                found = self._thought(final)
                if found is not None:
                    return found
            found_end = clean.footnote_at(text, at, final)
        else:
            found_end = clean.link_tail_at(text, at, final)
        if found_end is WAIT:
            return False
        return self._unspoken(at + 1 if found_end is None else found_end)

    def _cell(self, final: bool) -> bool:
        blank = re.compile(r"[ \t\r|]*").match(self._buffer, self._at)
        assert blank is not None, "the pattern matches the empty string"
        end = blank.end()
        if end == len(self._buffer) and not final:
            return False
        if end < len(self._buffer) and self._buffer[end] != "\n" and self._inline.solid.isalnum():
            self._sentences.append(", ", self._base + self._at)
        self._sentences.gap()
        self._inline.pause()
        self._at = end
        return True
