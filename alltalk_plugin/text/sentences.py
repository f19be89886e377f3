"""Cuts a growing text into sentences, one segment each, as soon as their ends are certain.

A full stop ends a sentence when a space and something that is not a small letter follow and no
abbreviation, initial or date speaks against it; ends in scripts without spaces need neither. Whatever
is decided depends on the text so far and never on how it arrived.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from alltalk_plugin.domain.speech import Boundary, SpeakerRole, TextSpan
from alltalk_plugin.text.marks import CLAUSE_END, DROPPED, GAP, SENTENCE_END, is_cjk, word_set


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

    `runs` maps `text` to the original: (index in text, index in original) where each run begins.
    `inserts` are ranges of `text` that stood in quotes or asterisks of their own: a language may change
    there. `said` False: the words are ours, not the reply's (an announcement).
    """

    text: str
    role: SpeakerRole
    speaker: str | None
    span: TextSpan
    boundary: Boundary
    why: str
    runs: tuple[tuple[int, int], ...]
    inserts: tuple[tuple[int, int], ...] = ()
    said: bool = True

    def source_of(self, index: int) -> int:
        """The original's index of the character at `index` of `text`."""
        start, source = self.runs[0]
        for run_start, run_source in self.runs:
            if run_start > index:
                break
            start, source = run_start, run_source
        return source + index - start


_TERMINATOR = re.compile(r"[.!?…؟۔।॥‼⁇⁈⁉]+[)\]’'›]*|[。！？｡]+[.!?…。！？｡)\]’）］】》〉]*")
_CLAUSE = re.compile(r"[,;:—–،؛](?= )|[、，；：]")
_WORD_BEFORE_DOT = re.compile(r"([^\W_][\w.’'-]*)\.\Z")
_SAYABLE = re.compile(r"[^\W_]")
_PIECES = re.compile(r"\x00+|[\x01 ]+|[^\x00\x01 ]+(?: [^\x00\x01 ]+)*")
_LEADING = re.compile(r"(?:[\s,.;:!?…、。，；：！？)\]}’›》]|[–—]|-(?=\s))+")

_ABBREVIATIONS = word_set(
    """
    mr mrs ms mx dr prof rev hon gen col capt cpt lt sgt st sr jr mt ft messrs
    vs eg e.g ie i.e cf al approx appt dept est ed eds u.s u.k a.m p.m
    z.b d.h u.a z.t s.o bzw ca evtl ggf inkl str hr fr frl dipl ing bd
    mme mlle mm mgr av av.j.c
    sra srta dra ud uds vd vds
    sig sig.ra dott dott.ssa prof.ssa
    exmo exma
    dhr mevr drs bijv enz t.a.v o.a
    np m.in prof.dr tzw ul godz
    т.е т.д т.п т.к др им ул г гг стр см руб
    напр
    örn vb sn dr.öğr
    např tzv apod mgr
    pl dr.h ifj özv
    """
)
_BEFORE_NUMBER = word_set(
    """
    no nr p pp fig vol ch art abs núm pág n
    jan feb mar apr jun jul aug sep sept oct okt nov dec dez
    """
)
_MONTHS = word_set(
    """
    januar jänner februar märz april mai juni juli august september oktober november dezember
    """
)


def ends_sentence(text: str, start: int, end: int) -> bool | None:
    """Whether the terminators at `text[start:end]` end a sentence; None while more text must be seen."""
    if end >= len(text):
        return None
    if text[start] in "。！？｡":
        return True
    if text[end] != " ":
        return is_cjk(text[end]) and text[end - 1] != "."
    if end + 1 >= len(text):
        return None
    following = text[end + 1]
    if following.islower():
        return False
    if text[end - 1] != "." or end - start > 1:
        return True
    word = _WORD_BEFORE_DOT.search(text, max(0, start - 24), end)
    if word is None:
        return True
    stem = word[1]
    if stem.isdigit():
        return not (len(stem) <= 2 and _month_follows(text, end + 1))
    lowered = stem.lower()
    if lowered in _ABBREVIATIONS:
        return False
    if lowered in _BEFORE_NUMBER:
        return not following.isdigit()
    # A single capital is an initial ("J. Smith") unless it is the pronoun.
    return not (len(stem) == 1 and stem.isupper() and stem != "I" and not is_cjk(stem))


def _month_follows(text: str, at: int) -> bool:
    match = re.compile(r"[^\W\d_]+").match(text, at)
    return match is not None and match[0].lower() in _MONTHS


class SentenceBuilder:
    """Collects spoken text and hands out segments. One thread.

    `append` takes text as `spoken_form` gives it; `gap` says that something unspoken stood here.
    """

    def __init__(self, max_chars: int, emit: Callable[[ScannedSegment], None]) -> None:
        self._max = max_chars
        self._emit = emit
        self._voice = Voice(SpeakerRole.CHARACTER, None, "")
        self._gap = False
        self._clear()

    def _clear(self) -> None:
        self._text = ""
        self._begin = 0
        self._look = 0
        self._runs: list[tuple[int, int]] = []
        self._next_source = -1
        self._marks: list[tuple[int, int]] = []
        self._depth = 0

    @property
    def ends_here(self) -> bool:
        """Whether the text so far stands at the end of a sentence or at the beginning of everything."""
        tail = self._text[max(self._begin, len(self._text) - 32) :].rstrip(" ")
        if not tail:
            return True
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
        if "  " not in text and DROPPED not in text and GAP not in text:
            self._add(text, source)
        else:
            for piece in _PIECES.finditer(text):
                match piece[0][0]:
                    case "\x00":
                        continue
                    case " " | "\x01":
                        self._add(" ", source + piece.start())
                    case _:
                        self._add(piece[0], source + piece.start())
        self._cut()

    def _add(self, text: str, source: int) -> None:
        pending = self._text
        last = pending[-1] if len(pending) > self._begin else ""
        if last in ("", " ") and text[0] == " ":
            text = text[1:]
            source += 1
            if not text:
                return
        if self._gap:
            self._gap = False
            if last.isalnum() and text[0].isalnum() and not (is_cjk(last) and is_cjk(text[0])):
                self._runs.append((len(pending), source - 1))
                pending += " "
                self._next_source = -1
        if source != self._next_source:
            self._runs.append((len(pending), source))
        self._text = pending + text
        self._next_source = source + len(text)

    def pause(self, source: int) -> None:
        """A comma that the original writes otherwise, at `source`."""
        if self._voice.spoken:
            if self._text.endswith(" ") and len(self._text) > self._begin:
                self._text = self._text[:-1]
                self._next_source = -1
            self._add(", ", source)
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
                    runs=((0, span.start),),
                    said=False,
                )
            )

    def break_off(self, boundary: Boundary) -> None:
        """The text ends here, whatever its punctuation."""
        self._flush(boundary)

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
            match = _TERMINATOR.search(text, max(self._look, self._begin))
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
        if not self._begin:
            return
        begin = self._begin
        self._text = self._text[begin:]
        kept = 0
        while kept + 1 < len(self._runs) and self._runs[kept + 1][0] <= begin:
            kept += 1
        self._runs = [
            (max(0, start - begin), source + max(0, begin - start)) for start, source in self._runs[kept:]
        ]
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
        runs = self._runs_within(begin, end)
        last_start, last_source = runs[-1]
        segment = ScannedSegment(
            text=words,
            role=self._voice.role,
            speaker=self._voice.speaker,
            span=TextSpan(runs[0][1], last_source + len(words) - last_start),
            boundary=boundary if boundary is not None else _boundary_of(words),
            why=self._voice.why,
            runs=runs,
            inserts=self._inserts_within(begin, end),
        )
        self._emit(segment)

    def _runs_within(self, begin: int, end: int) -> tuple[tuple[int, int], ...]:
        if len(self._runs) == 1:
            start, source = self._runs[0]
            return ((0, source + begin - start),)
        runs: list[tuple[int, int]] = []
        for start, source in self._runs:
            if start >= end:
                break
            shifted = (max(0, start - begin), source + max(0, begin - start))
            if start <= begin:
                runs = [shifted]
            else:
                runs.append(shifted)
        return tuple(runs)

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


def _boundary_of(text: str) -> Boundary:
    last = text.rstrip(")]’'›")[-1:]
    if last in SENTENCE_END:
        return Boundary.SENTENCE
    return Boundary.CLAUSE if last in CLAUSE_END else Boundary.NONE
