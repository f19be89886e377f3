"""Cuts a growing text into sentences, one segment each, as soon as their ends are certain.

A full stop ends a sentence when a space and something that is not a small letter follow and no
abbreviation, initial or date speaks against it; ends in scripts without spaces need neither. Whatever
is decided depends on the text so far and never on how it arrived.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import compress
from typing import NamedTuple

from alltalk_plugin.domain.speech import Boundary, SpeakerRole, TextSpan
from alltalk_plugin.text.marks import CLAUSE_END, DROPPED, GAP, SENTENCE_END, is_cjk
from alltalk_plugin.text.sentence_ends import ends_sentence


class Voice(NamedTuple):
    """Whose words follow, and why; `spoken` False leaves them out."""

    role: SpeakerRole
    speaker: str | None
    why: str
    spoken: bool = True

    def continues(self, other: Voice) -> bool:
        """Whether one utterance may go on from `other` to this."""
        return self.role is other.role and self.speaker == other.speaker and self.spoken == other.spoken


class ScannedSegment(NamedTuple):
    """A sentence with its speaker, before its language is known.

    `sources` are the original's indices of the characters of `text`.
    `inserts` are ranges of `text` that stood in quotes or asterisks of their own: a language may change
    there. `said` False: the words are ours, not the reply's (an announcement). `voice` is one that the
    reply itself named.
    """

    text: str
    role: SpeakerRole
    speaker: str | None
    span: TextSpan
    boundary: Boundary
    why: str
    sources: Sequence[int]
    inserts: tuple[tuple[int, int], ...] = ()
    said: bool = True
    voice: str | None = None


_TERMINATOR = re.compile(r"[.!?…؟۔।॥‼⁇⁈⁉]+[)\]’'›]*|[。！？｡]+[.!?…。！？｡)\]’）］】》〉]*")
_LATIN_STOPS = ".!?…"
_CLAUSE = re.compile(r"[,;:—–،؛](?= )|[、，；：]")
_SAYABLE = re.compile(r"[^\W_]")
_FURTHER_SPACES = re.compile(r"(?<= ) +")
_LEADING = re.compile(r"(?:[\s,.;:!?…、。，；：！？)\]}’›》]|[–—]|-(?=\s))+")


class SentenceBuilder:
    """Collects spoken text and hands out segments. One thread.

    `append` takes text as `spoken_form` gives it; `gap` says that something unspoken stood here. With
    `first_clause_chars` the very first segment may end at a clause that is at least so long.
    """

    def __init__(
        self, max_chars: int, emit: Callable[[ScannedSegment], None], *, first_clause_chars: int = 0
    ) -> None:
        self._max = max_chars
        self._first_clause = first_clause_chars
        self._emit = emit
        self._chosen: str | None = None
        self._voice = Voice(SpeakerRole.CHARACTER, None, "")
        self._gap = False
        self._clear()

    def _clear(self) -> None:
        self._text = ""
        self._begin = 0
        self._look = 0
        self._sources: list[int] = []
        self._marks: list[tuple[int, int]] = []
        self._depth = 0

    @property
    def ends_here(self) -> bool:
        """Whether the text so far stands at the end of a sentence or at the beginning of everything."""
        tail = self._text[max(self._begin, len(self._text) - 32) :].rstrip(" ")
        if not tail:
            return True
        if tail[-1] in ")）":
            # An aside that stands alone: `(quietly) *sits down*`.
            return self._text[self._begin :].lstrip()[0] in "(（"
        if tail[-1] not in SENTENCE_END:
            return False
        return ends_sentence(tail + " X", len(tail) - 1, len(tail)) is not False

    @property
    def last_word_length(self) -> int:
        """How many letters or digits end the pending text."""
        tail = self._text[max(self._begin, len(self._text) - 3) :]
        return len(tail) - len(tail.rstrip("".join(filter(str.isalnum, tail))))

    def speak_as(self, voice: Voice) -> None:
        """Whose words follow. Another speaker ends the pending sentence."""
        if voice is self._voice:
            return
        if not voice.continues(self._voice):
            self._flush(None)
            self._voice = voice
        elif self._begin == len(self._text):
            self._voice = voice

    def choose(self, voice: str | None) -> None:
        """The reply names the voice of what follows, up to the end of the paragraph (None: no more)."""
        if voice != self._chosen:
            self._flush(None)
            self._chosen = voice

    def gap(self) -> None:
        """Something unspoken stands between two words."""
        self._gap = True

    def insert(self, change: int) -> None:
        """A quotation or emphasis inside the text begins (1) or ends (-1)."""
        self._marks.append((len(self._text), change))

    def append(self, text: str, source: int) -> None:
        """Add text that stands at `source` in the original, one character for one."""
        if not self._voice.spoken:
            return
        sources: Sequence[int] = range(source, source + len(text))
        if "  " in text or DROPPED in text or GAP in text:
            text, sources = _kept(text, sources)
        if text:
            self._add(text, sources)
            self._cut()

    def _add(self, text: str, sources: Sequence[int]) -> None:
        pending = self._text
        last = pending[-1] if len(pending) > self._begin else ""
        if last in ("", " ") and text[0] == " ":
            text, sources = text[1:], sources[1:]
            if not text:
                return
        if self._gap:
            self._gap = False
            if _parted(last, text[0]):
                pending += " "
                self._sources.append(sources[0] - 1)
        self._text = pending + text
        self._sources += sources

    def pause(self, source: int) -> None:
        """A comma that the original writes otherwise, at `source`."""
        if self._voice.spoken:
            if self._text.endswith(" ") and len(self._text) > self._begin:
                self._text = self._text[:-1]
                self._sources.pop()
            self._add(", ", range(source, source + 2))
            self._cut()

    def announce(self, text: str, span: TextSpan, why: str) -> None:
        """Hand out a sentence of our own between the reply's."""
        self._flush(Boundary.SENTENCE)
        if self._voice.spoken:
            self._emit(
                ScannedSegment(
                    text=text,
                    role=self._voice.role,
                    speaker=self._voice.speaker,
                    span=span,
                    boundary=Boundary.SENTENCE,
                    why=why,
                    sources=range(span.start, span.start + len(text)),
                    said=False,
                    voice=self._chosen,
                )
            )

    def break_off(self, boundary: Boundary) -> None:
        """The text ends here, whatever its punctuation."""
        self._flush(boundary)
        if boundary is Boundary.PARAGRAPH:
            self._chosen = None

    def discard(self) -> None:
        """Forget what is pending."""
        self._clear()
        self._gap = False

    def _flush(self, boundary: Boundary | None) -> None:
        if self._text:
            self._cut(ended=True)
            self._hand_out(self._begin, len(self._text), boundary)
        self.discard()

    def _cut(self, *, ended: bool = False) -> None:
        """Hand out every sentence whose end is certain; pieces never exceed the limit."""
        text = self._text
        if self._look >= len(text) <= self._begin + self._max:
            return
        while True:
            limit = self._begin + self._max
            match = _TERMINATOR.search(text, self._look)
            if self._first_clause:
                clause = _CLAUSE.search(text, self._begin + self._first_clause - 1)
                if clause is not None and (match is None or clause.start() < match.start()):
                    self._hand_out(self._begin, clause.end(), Boundary.CLAUSE)
                    self._begin = self._look = clause.end()
                    continue
            if match is not None and match.end() <= limit:
                verdict = ends_sentence(text, match.start(), match.end())
                if verdict is None:
                    self._look = match.start()
                    break
                self._look = match.end()
                if verdict:
                    self._hand_out(self._begin, match.end(), Boundary.SENTENCE)
                    self._begin = match.end()
                continue
            # Two characters past the limit are known: no end at the limit can still come to light.
            if len(text) >= limit + 2 or (ended and len(text) > limit):
                cut, boundary = self._best_cut(limit)
                self._hand_out(self._begin, cut, boundary)
                self._begin = cut
                self._look = cut
                continue
            self._look = len(text) if match is None else match.start()
            break
        if self._begin:
            self._trim()

    def _best_cut(self, limit: int) -> tuple[int, Boundary]:
        """Where a text that is too long is cut: after a clause, else a word, else anywhere but a mark."""
        text = self._text
        half = self._begin + self._max // 2
        clauses = [match.end() for match in _CLAUSE.finditer(text, half, limit)]
        if clauses:
            return clauses[-1], Boundary.CLAUSE
        space = text.rfind(" ", self._begin + 1, limit)
        if space > 0:
            return space, Boundary.NONE
        return limit, Boundary.NONE

    def _trim(self) -> None:
        begin = self._begin
        self._text = self._text[begin:]
        self._sources = self._sources[begin:]
        passed = [change for index, change in self._marks if index < begin]
        self._depth = max(0, self._depth + sum(passed))
        self._marks = [(index - begin, change) for index, change in self._marks if index >= begin]
        self._look = max(0, self._look - begin)
        self._begin = 0

    def _hand_out(self, begin: int, end: int, boundary: Boundary | None) -> None:
        text = self._text
        if begin < end and not text[begin].isalnum():
            lead = _LEADING.match(text, begin, end)
            if lead is not None:
                begin = lead.end()
        while end > begin and text[end - 1] == " ":
            end -= 1
        words = text[begin:end]
        if not words[:1].isalnum() and _SAYABLE.search(words) is None:
            return
        sources = self._sources[begin:end]
        segment = ScannedSegment(
            text=words,
            role=self._voice.role,
            speaker=self._voice.speaker,
            span=TextSpan(sources[0], sources[-1] + 1),
            boundary=boundary if boundary is not None else _boundary_of(words),
            why=self._voice.why,
            sources=sources,
            inserts=self._inserts_within(begin, end),
            voice=self._chosen,
        )
        self._first_clause = 0
        self._emit(segment)

    def _inserts_within(self, begin: int, end: int) -> tuple[tuple[int, int], ...]:
        if not self._marks and not self._depth:
            return ()
        inserts: list[tuple[int, int]] = []
        depth, opened = self._depth, begin
        for index, change in self._marks:
            place = min(max(index, begin), end)
            if depth == 0 and change > 0:
                opened = place
            if depth == 1 and change < 0 and place > opened:
                inserts.append((opened - begin, place - begin))
            depth = max(0, depth + change)
        if depth and end > opened:
            inserts.append((opened - begin, end - begin))
        whole = (0, end - begin)
        return () if inserts == [whole] else tuple(inserts)


def _kept(text: str, sources: Sequence[int]) -> tuple[str, Sequence[int]]:
    """What stays of a spoken form, and its sources: single spaces between words. DROPPED is passed over,
    also within a word."""
    if DROPPED in text:
        sources = list(compress(sources, map(DROPPED.__ne__, text)))
        text = text.replace(DROPPED, "")
    text = text.replace(GAP, " ")
    if "  " in text:
        single = list(sources)
        for further in reversed(list(_FURTHER_SPACES.finditer(text))):
            del single[further.start() : further.end()]
        sources, text = single, _FURTHER_SPACES.sub("", text)
    return text, sources


def _parted(last: str, following: str) -> bool:
    """Whether something unspoken between two characters parts words."""
    if not following.isalnum() or not (last.isalnum() or (last != "" and last in _LATIN_STOPS)):
        return False
    return not (is_cjk(last) and is_cjk(following))


def _boundary_of(text: str) -> Boundary:
    last = text.rstrip(")]’'›")[-1:]
    if last in SENTENCE_END:
        return Boundary.SENTENCE
    return Boundary.CLAUSE if last in CLAUSE_END else Boundary.NONE
