"""Reply -> segments: scans the text, gives each piece its language, applies the text filters."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import chain

from alltalk_plugin.domain.filters import TextFilter
from alltalk_plugin.domain.ports import LanguageDetector
from alltalk_plugin.domain.speech import Boundary, Reply, ReplyStyle, Segment, SpeakerRole, TextSpan
from alltalk_plugin.settings.schema import LanguageSettings, SpeechSettings
from alltalk_plugin.text import reasoning
from alltalk_plugin.text.growing import GrowingReply
from alltalk_plugin.text.marks import QUOTES, spoken_form
from alltalk_plugin.text.pieces import Piece, ReplyLanguages, enough_for_reply
from alltalk_plugin.text.scanner import Scanner, ScanRules
from alltalk_plugin.text.scripts import LATIN, letters_by_script, written_in
from alltalk_plugin.text.sentences import ScannedSegment

_STYLE_STEP_CHARS = 4000
_FIRST_STYLE_STEP_CHARS = 60
_SCAN_STEP_CHARS = 8000
_EXAMPLES = {
    LATIN: "Hello, how are you today?",
    "cyrillic": "Привет, как у тебя дела?",
    "arabic": "مرحبا كيف حالك اليوم",
    "devanagari": "नमस्ते, आप कैसे हैं?",
}
"""A text for each script in which several languages have to be told apart."""
_STYLE_MARK = re.compile(rf"""[{"".join(QUOTES).replace("'", "")}*_—–―&]|(?<!\w)'""")
"""Without any of these a text has neither dialogue nor marked narration."""


class ReplyPreparer:
    """Implements `TextPreparer`. Pure and thread-safe; blocks while the language model is being loaded.

    A whole reply is scanned up to its first dialogue to find its style, then from the beginning to make
    the segments; without dialogue the first scan has made them. Piece by piece there is one scan.
    """

    def __init__(
        self,
        speech: Callable[[], SpeechSettings],
        languages: Callable[[], LanguageSettings],
        detector: LanguageDetector,
        filters: Sequence[TextFilter] = (),
    ) -> None:
        self._speech = speech
        self._languages = languages
        self._detector = detector
        self._filters = tuple(sorted(filters, key=lambda each: (each.order, each.name)))

    def segments(self, reply: Reply) -> tuple[Segment, ...]:
        """Segments in reading order; empty when nothing can be said."""
        rules = _rules(self._speech())
        # The whole text is there, so what it shows itself beats what earlier replies taught.
        found, final = _learned(reply, rules)
        certain = found.unmarked is not None or reply.style.unmarked is None
        style = replace(
            reply.style,
            unmarked=found.unmarked or reply.style.unmarked,
            reasoning_open=found.reasoning_open,
        )
        scanned = final or _scan(_scanner(reply, style, rules, certain=certain), reply.text)
        first = list(enough_for_reply(scanned))
        languages = ReplyLanguages(reply, self._languages(), self._detector, first)
        segments = (
            segment for each in chain(first, scanned) for segment in _segments(each, languages.pieces(each))
        )
        return tuple(self._filtered(segments))

    def style(self, reply: Reply) -> ReplyStyle:
        """What this reply teaches about the chat, for the next one's prior."""
        scanner = _scanner(reply, reply.style, _rules(self._speech()))
        scanned = scanner.feed(reply.text) + scanner.finish()
        learned = scanner.learned
        known = replace(reply, style=replace(learned, language=reply.style.language))
        languages = ReplyLanguages(known, self._languages(), self._detector, scanned)
        return replace(learned, language=languages.language)

    def growing(self, reply: Reply) -> GrowingReply:
        """For a reply that is still being written; its `text` is ignored.

        One scan with the style of the chat as the prior. Its first segment may end at a clause.
        """
        speech = self._speech()
        rules = replace(_rules(speech), first_clause_chars=speech.first_clause_chars)
        languages = ReplyLanguages(reply, self._languages(), self._detector, ())

        def finished(scanned: ScannedSegment) -> Iterator[Segment]:
            return self._filtered(_segments(scanned, languages.pieces(scanned)))

        return GrowingReply(lambda: _scanner(reply, reply.style, rules), languages.hear, finished)

    def warm(self) -> None:
        """Load what telling the candidates apart needs, in the background; returns at once."""
        candidates = self._languages().candidates
        letters_by_script(spoken_form("Já…"))
        groups = [fitting for script in _EXAMPLES if len(fitting := written_in(script, candidates)) > 1]
        if not groups or len(candidates) < 2:
            return
        self._detector.warm()
        threading.Thread(target=self._try_out, name="language-warm-up", daemon=True).start()

    def _try_out(self) -> None:
        for script, example in _EXAMPLES.items():
            fitting = written_in(script, self._languages().candidates)
            if len(fitting) > 1:
                self._detector.detect(example, fitting)

    def _filtered(self, segments: Iterator[Segment]) -> Iterator[Segment]:
        if not self._filters:
            yield from segments
            return
        for segment in segments:
            text = segment.text
            for each in self._filters:
                text = each.apply(text)
            text = " ".join(text.split())
            if any(map(str.isalnum, text)):
                yield segment if text == segment.text else replace(segment, text=text)


def _rules(speech: SpeechSettings) -> ScanRules:
    return ScanRules(
        narrator=speech.narrator,
        unmarked=speech.unmarked,
        code=speech.code,
        urls=speech.urls,
        parentheses=speech.parentheses,
        max_segment_chars=speech.max_segment_chars,
        inline_voices=speech.inline_voices,
    )


def _scanner(reply: Reply, style: ReplyStyle, rules: ScanRules, *, certain: bool = False) -> Scanner:
    roster = (*reply.chat.roster, reply.character or "", reply.chat.user_name or "")
    return Scanner(style, rules, reply.character, roster, certain=certain)


def _learned(reply: Reply, rules: ScanRules) -> tuple[ReplyStyle, Iterator[ScannedSegment] | None]:
    """The style pass: reads no further than to the first dialogue, unless reasoning may still end.

    With it the segments, when nothing was learned that could change them.
    """
    scanner = _scanner(reply, reply.style, rules)
    text = reply.text
    may_end = reasoning.LONE_CLOSER.search(text) is not None
    if not may_end and not reply.style.reasoning_open and _STYLE_MARK.search(text) is None:
        return reply.style, None
    scanned: list[ScannedSegment] = []
    start, step = 0, _FIRST_STYLE_STEP_CHARS
    while start < len(text):
        scanned += scanner.feed(text[start : start + step])
        if scanner.dialogue_seen and not may_end:
            return scanner.learned, None
        start, step = start + step, min(2 * step, _STYLE_STEP_CHARS)
    scanned += scanner.finish()
    learned = scanner.learned
    guessed = reply.style.unmarked is SpeakerRole.NARRATOR or reply.style.reasoning_open
    changed = scanner.dialogue_seen or learned.reasoning_open
    return learned, None if guessed or changed else iter(scanned)


def _scan(scanner: Scanner, text: str) -> Iterator[ScannedSegment]:
    """All segments of the text. In steps, so that what was dealt with can be forgotten."""
    for start in range(0, len(text), _SCAN_STEP_CHARS):
        yield from scanner.feed(text[start : start + _SCAN_STEP_CHARS])
    yield from scanner.finish()


def _segments(scanned: ScannedSegment, pieces: Sequence[Piece]) -> Iterator[Segment]:
    # By name once: mixed text has a piece every few letters.
    words, role, speaker, voice = scanned.text, scanned.role, scanned.speaker, scanned.voice
    sources, boundary = scanned.sources, Boundary.NONE
    # Most sentences are in one language, and the scanner has trimmed them.
    whole = len(pieces) == 1
    for begin, end, language, confidence, inherited, why in pieces:
        text, start = words[begin:end], begin
        if not whole and not text.isalnum():
            text = text.lstrip(" ,;:.—–-")
            start = end - len(text)
            text = text.rstrip()
            if not any(map(str.isalnum, text)):
                continue
        if end == len(words):
            boundary = scanned.boundary
        yield Segment(
            text=text,
            role=role,
            speaker=speaker,
            span=scanned.span if whole else TextSpan(sources[start], sources[start + len(text) - 1] + 1),
            language=language,
            confidence=confidence,
            inherited=inherited,
            boundary=boundary,
            why=f"{scanned.why}; {why}",
            voice=voice,
        )
