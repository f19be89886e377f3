"""The incremental scanner: raw reply text in, segments out, as soon as they are certain.

One pass over the raw text in this order: reasoning, tags, fences, escapes, tables, maths, links, speaker
lines, quotes and asterisks, emoji, sentences. Every step is taken when its outcome no longer depends on
text that may follow, so the segments are the same for every way of cutting the input into pieces.
Looking ahead is bounded, so work is linear in the text.

| mode | entered at | left at |
| --- | --- | --- |
| text | the beginning | |
| text, skipping | a fence, a player, an image's address | the closer of that |
| address | `https://` | white space |
| reasoning | an opener, or a prior that says the template opened it | its closer |
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from alltalk_plugin.domain.speech import Boundary, ReplyStyle, SpeakerRole
from alltalk_plugin.settings.schema import Narration, Unmarked
from alltalk_plugin.text import clean, reasoning
from alltalk_plugin.text.clean import WAIT
from alltalk_plugin.text.cursor import Cursor
from alltalk_plugin.text.inline import InlineMarks
from alltalk_plugin.text.line import Line
from alltalk_plugin.text.lines import LineReader, LineStart, Opener
from alltalk_plugin.text.marks import GAP, SENTENCE_END
from alltalk_plugin.text.markup import Markup
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
    inline_voices: bool = False
    first_clause_chars: int = 0


_SPECIAL = "*_~`\"“”„‟«»‹›「」『』﹁﹂〝〞〟＂‘’‚'<&[]$\\|\n—–―"
_PARENTHESES = "()（）"
# Apostrophes inside words are plain; `!` is not when an image may begin.
_PLAIN, _PLAIN_WITH_PARENTHESES = (
    re.compile(rf"(?:[^{re.escape(special)}!]++|(?<=[^\W_])['’](?=[^\W_])|!(?!\[))++")
    for special in (_SPECIAL + _PARENTHESES, _SPECIAL)
)
_MARKS = frozenset(_SPECIAL) - {"'", "’"}
"""Never plain, whatever stands beside them."""
# What may become a keycap emoji or an image with the next characters.
_HOLD = re.compile(r"[0-9#]\ufe0f?\Z|!\Z")
_KEYCAP = re.compile("[0-9#*]\ufe0f?\u20e3")
_BLANK = re.compile(r"[ \t\r\u00a0\u3000]+")
_ADDRESS_END = re.compile(rf"(?!{clean.URL_CHARS.pattern[:-1]})")
_LONGEST_CLOSER = 64


class Scanner:
    """Scans one reply. One thread.

    `speaker` is the reply's character; lines that begin with a name of `roster` and a colon are that
    speaker's. What has been returned stands, whatever follows. `certain` says that `style` was found in
    this very text, so that nothing can contradict it.
    """

    def __init__(
        self,
        style: ReplyStyle,
        rules: ScanRules,
        speaker: str | None,
        roster: tuple[str, ...],
        *,
        certain: bool = False,
    ) -> None:
        self._style = style
        self._urls = rules.urls
        speak = rules.parentheses == "speak"
        self._plain = _PLAIN_WITH_PARENTHESES if speak else _PLAIN
        self._marks = _MARKS if speak else _MARKS | set(_PARENTHESES)
        self._out: list[ScannedSegment] = []
        self._sentences = SentenceBuilder(
            rules.max_segment_chars, self._out.append, first_clause_chars=rules.first_clause_chars
        )
        self._narrator = Narrator(
            style.unmarked,
            narration=rules.narrator,
            policy=rules.unmarked,
            speaker=speaker,
            certain=certain,
        )
        self._line = Line(self._narrator, self._sentences)
        self._inline = InlineMarks(self._line, rules.parentheses)
        self._cursor = Cursor()
        self._markup = Markup(
            self._cursor,
            self._line,
            inline=self._inline,
            thought=self._thought,
            code=rules.code,
            inline_voices=rules.inline_voices,
        )
        self._lines = LineReader(roster)
        self._mode: Callable[[bool], bool] = self._text
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
        self._cursor.arrive(delta)
        self._run(final=False)
        return self._taken()

    def finish(self) -> tuple[ScannedSegment, ...]:
        """The rest, now that no more text comes. Call once, last."""
        self._run(final=True)
        if self._held is not None:
            self._note_opener()
            if not self._explicit_reasoning:
                # The prior was wrong: nothing ever closed the reasoning it assumed, so this is the reply.
                self._cursor.rewind("".join(self._held))
                self._mode = self._text
                self._run(final=True)
        self._narrator.blank_line(self._line.solid)
        self._sentences.break_off(Boundary.PARAGRAPH)
        return self._taken()

    @property
    def dialogue_seen(self) -> bool:
        """Whether speech was marked as such, so that plain text is narration."""
        return self._narrator.dialogue_seen

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
        cursor = self._cursor
        while cursor.at < len(cursor.text) and self._mode(final):
            pass

    # --- modes: each returns False when it needs more text -------------------------------------------

    def _text(self, final: bool) -> bool:
        cursor = self._cursor
        if cursor.until is not None:
            return self._skip(cursor.until, final)
        text, at = cursor.text, cursor.at
        if cursor.starts_line:
            blank = _BLANK.match(text, at)
            if blank is not None:
                cursor.at = blank.end()
                return True
            if text[at] != "\n":
                done = self._line_start(final)
                if done is not None:
                    return done
        char = text[at]
        if char == "\n":
            cursor.line_ends()
            cursor.at += 1
            return True
        if char not in self._marks:
            match = self._plain.match(text, at, at + clean.LOOK_AHEAD)
            if match is not None:
                return self._words(match.end(), final)
        return self._markup.read(char, final)

    def _words(self, end: int, final: bool) -> bool:
        text, at = self._cursor.text, self._cursor.at
        run = text[at:end]
        address = None
        if "/" in run or "." in run:
            # All that an address can begin with has one of them. Where the run begins, the character before
            # it may no longer be in the buffer.
            skip = at + 1 if self._line.follows_word else at
            address = clean.URL_START.search(text, skip, end)
        if address is not None:
            end = address.start()
            if end == at:
                self._mode = self._address
                return True
            run = text[at:end]
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
        self._markup.say(run, at)
        self._cursor.at = end
        return True

    def _skip(self, closer: re.Pattern[str], final: bool) -> bool:
        cursor = self._cursor
        match = closer.search(cursor.text, cursor.at)
        if match is None or (match.end() == len(cursor.text) and not final):
            # Enough stays behind to see a closer that has only half arrived.
            half = len(cursor.text) - (0 if final else _LONGEST_CLOSER)
            cursor.at = max(cursor.at, half if match is None else min(half, match.start()))
            return False
        # A blank line that ends something is still a blank line.
        cursor.at = match.start() if match[0].isspace() else match.end()
        cursor.until = None
        return True

    def _address(self, final: bool) -> bool:
        text, at = self._cursor.text, self._cursor.at
        match = clean.URL_CHARS.match(text, at, at + clean.LOOK_AHEAD)
        length = match.end() - at if match is not None else 0
        if at + length == len(text) and not final and length < clean.LOOK_AHEAD:
            return False
        url = text[at : at + clean.url_length(text[at : at + length])]
        host = clean.url_host(url)
        if self._urls == "host" and host:
            self._markup.say(host, at + max(0, url.find(host)))
        end = at + max(1, len(url))
        # `<https://example.org>` is an address in brackets.
        self._cursor.at = end + 1 if text.startswith(">", end) else end
        self._mode = self._text
        if length == clean.LOOK_AHEAD:
            self._cursor.skip_until(_ADDRESS_END)
        return True

    # --- reasoning ----------------------------------------------------------------------------------

    def _reasoning(self, final: bool) -> bool:
        cursor = self._cursor
        match = self._closer.search(cursor.text, cursor.at)
        if match is None:
            keep = 0 if final else reasoning.LONGEST_TAG
            cursor.at = max(cursor.at, len(cursor.text) - keep)
            return False
        if self._held is not None:
            self._note_opener()
            self._lone_closer = not self._explicit_reasoning
            self._held = None
        cursor.at = match.end()
        self._mode = self._text
        return True

    def _reason_until(self, closer: re.Pattern[str]) -> None:
        self._closer = closer
        self._mode = self._reasoning

    def _note_opener(self) -> None:
        """The prior assumed reasoning: see whether the text opened it itself all the same."""
        head = "".join(self._held or ()).lstrip()
        self._explicit_reasoning = reasoning.opening(head, 0) is not None

    def _thought(self, final: bool) -> bool | None:
        """A thinking tag at this place: whether it was dealt with (False: wait); None: it is none."""
        cursor = self._cursor
        text, at = cursor.text, cursor.at
        if not final and len(text) - at < reasoning.LONGEST_TAG and reasoning.may_begin(text, at):
            return False
        opened = reasoning.opening(text, at)
        if opened is not None:
            self._sentences.gap()
            self._explicit_reasoning = True
            cursor.at, closer = opened
            self._reason_until(closer)
            return True
        closed = reasoning.LONE_CLOSER.match(text, at)
        if closed is None:
            return None
        cursor.at = closed.end()
        if not self._explicit_reasoning and not self._lone_closer:
            # The template had opened the block: what was pending was reasoning. What is out stands.
            self._lone_closer = True
            self._narrator.start_over()
            self._sentences.discard()
            self._sentences.speak_as(self._narrator.voice)
            self._line.begins()
            cursor.starts_line = True
            cursor.newlines = 0
        return True

    # --- lines --------------------------------------------------------------------------------------

    def _line_start(self, final: bool) -> bool | None:
        """What the line begins with: whether it was dealt with (False: wait); None: words or a mark."""
        cursor = self._cursor
        if cursor.newlines:
            self._enter_line()
        start = self._lines.read(
            cursor.text, cursor.at, final=final, quotes_matter=self._narrator.unmarked_is_narrated
        )
        if start is WAIT:
            return False
        if start is not None:
            self._open_line(start)
            return True
        dash = self._inline.dash_line(cursor.text, cursor.at, final=final)
        if dash is WAIT:
            return False
        cursor.starts_line = False
        if dash is None:
            return None
        cursor.at = dash
        return True

    def _enter_line(self) -> None:
        """The first visible character after a line's end: now it shows what the end meant."""
        cursor, solid = self._cursor, self._line.solid
        if cursor.newlines > 1:
            self._narrator.blank_line(solid)
            self._sentences.break_off(Boundary.PARAGRAPH)
        else:
            self._narrator.new_line(solid)
            wrapped = cursor.text[cursor.at].islower() and solid not in SENTENCE_END
            if wrapped and not self._own_line:
                self._sentences.append(" ", cursor.source - 1)
            else:
                self._sentences.break_off(Boundary.SENTENCE)
        cursor.newlines = 0
        self._own_line = False
        self._line.begins()
        self._sentences.speak_as(self._narrator.voice)

    def _open_line(self, start: LineStart) -> None:
        cursor = self._cursor
        match start.opener:
            case Opener.FENCE if start.closer is not None:
                self._markup.announce_code(start.end)
                cursor.skip_until(start.closer)
            case Opener.MARKER | Opener.ROW:
                self._sentences.break_off(Boundary.SENTENCE)
                self._own_line = True
            case Opener.SPEAKER:
                self._narrator.speaker_line(start.name, quoted=start.quoted)
                cursor.starts_line = False
            case Opener.NARRATION:
                self._inline.emphasis.narrate("*")
                cursor.starts_line = False
            case _:
                pass
        self._sentences.speak_as(self._narrator.voice)
        cursor.at = start.end
