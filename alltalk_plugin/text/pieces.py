"""Gives every piece of a reply its language: script first, then the detector, else inherited.

What stands around a quote is judged as one text. Clauses part company only when both sides are clearly in
different languages (a mixed sentence like "Das war okay, but honestly ...").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from alltalk_plugin.domain.language import LanguageTag, base_language, same_language
from alltalk_plugin.domain.ports import DetectedLanguage, LanguageDetector
from alltalk_plugin.domain.speech import Boundary, Reply, SpeakerRole
from alltalk_plugin.settings.schema import LanguageSettings
from alltalk_plugin.text.everyday import is_everyday
from alltalk_plugin.text.runs import LETTER, one_run, runs_and_units
from alltalk_plugin.text.scripts import (
    HAN,
    HANGUL,
    KANA,
    LATIN,
    Run,
    letters_by_script,
    script_runs,
    written_in,
)
from alltalk_plugin.text.sentences import ScannedSegment

_ENOUGH_CHARS = 2000
"""More text does not change the answer for a reply, it only costs time."""

_LETTERS_EACH = {HAN: 3, KANA: 2, HANGUL: 3}
"""What one character of these scripts says, counted in letters of an alphabet (roughly)."""

_LONE_WORD_PROBABILITY = 0.5
"""A lone word may be a name or a loan ("Pizza!"): its language must be likelier than not."""

_CLAUSE_PROBABILITY = 0.9
"""Clauses part company only when both are this sure: 0 false switches on 270 sentences of one language."""

_ADDRESS = re.compile(r"\b[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}\b(?!\s)|\S+@\S+")
_MAY_BE_ADDRESS = re.compile(r"\.\w|@")
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")


class Piece(NamedTuple):
    """A range of a segment's text with one language, and why that one."""

    start: int
    end: int
    language: LanguageTag | None
    confidence: float | None
    inherited: bool
    why: str


class _Finding(NamedTuple):
    """A language, and why that one."""

    language: LanguageTag | None
    confidence: float | None
    inherited: bool
    why: str


class ReplyLanguages:
    """The languages of one reply. One thread; the detector may be shared."""

    def __init__(
        self,
        reply: Reply,
        settings: LanguageSettings,
        detector: LanguageDetector,
        segments: Sequence[ScannedSegment],
    ) -> None:
        self._reply = reply
        self._settings = settings
        self._detector = detector
        self._candidates = reply.languages if reply.languages is not None else settings.candidates
        self._locks = {name.strip().casefold(): language for name, language in reply.speaker_languages}
        self._sample = ""
        self._by_script: dict[str, tuple[LanguageTag, ...]] = {}
        self._written: dict[tuple[str, LanguageTag], bool] = {}
        self._judge(_sample(segments))
        self._previous: LanguageTag | None = None
        self._going_on: dict[tuple[SpeakerRole, str | None], LanguageTag] = {}
        self._open: LanguageTag | None = None
        self._one_latin = len(written_in(LATIN, self._candidates)) == 1

    def hear(self, segments: Sequence[ScannedSegment]) -> None:
        """More of a reply that is being written: its language is judged anew until there is enough."""
        if len(self._sample) <= _ENOUGH_CHARS:
            self._judge("\n".join(part for part in (self._sample, _sample(segments)) if part))

    def _judge(self, sample: str) -> None:
        self._sample = sample
        self._by_script.clear()
        self._has_kana = KANA in letters_by_script(sample)
        self.language, self._why = self._of_reply(sample)

    def pieces(self, segment: ScannedSegment) -> tuple[Piece, ...]:
        """The pieces of a segment, in order; together they cover its text. Call in reading order."""
        text = segment.text
        if self._locks and segment.role is SpeakerRole.OTHER:
            locked = self._locks.get((segment.speaker or "").casefold())
            if locked is not None:
                return (Piece(0, len(text), locked, None, True, f"{locked}: the speaker's language"),)
        if self._reply.language is not None:
            why = f"{self._reply.language}: asked for"
            return (Piece(0, len(text), self._reply.language, None, True, why),)
        key = segment.role, segment.speaker
        self._open = self._going_on.pop(key, None) if self._going_on else None
        if self._one_latin and text.isascii():
            runs = one_run(text)
            units = [runs]
        else:
            clauses = text.count(" ") > 2 * self._settings.piece_min_words
            runs, units = runs_and_units(text, segment.inserts, clauses=clauses)
        if len(runs) == 1:
            own = self._shown(text, runs)
            finding = own[0] if own else self._inherited(runs[0][2])
            pieces: tuple[Piece, ...] = (Piece(0, len(text), *finding),)
        else:
            shown: dict[Run, _Finding] = {}
            for unit in units:
                shown.update(zip(unit, self._shown(text, unit), strict=False))
            pieces = tuple(_joined(text, runs, shown, self._inherited(None)))
        last = pieces[-1]
        self._previous = last.language or self._previous
        match segment.boundary:
            case Boundary.NONE | Boundary.CLAUSE if last.language is not None:
                # Another voice cuts in ('The sign read "..." in red letters'): the sentence goes on after it.
                self._going_on[key] = last.language
            case Boundary.PARAGRAPH:
                self._going_on.clear()
            case _:
                pass
        return pieces

    # --- the reply ----------------------------------------------------------------------------------

    def _of_reply(self, sample: str) -> tuple[LanguageTag | None, str]:
        if self._reply.language is not None:
            return self._reply.language, "asked for"
        if self._reply.chat.language is not None:
            # A wish for the chat; pieces that clearly are in another language still say so.
            return self._reply.chat.language, "the chat's language"
        spoken = _without_addresses(sample)
        letters = {
            script: count * _LETTERS_EACH.get(script, 1)
            for script, count in letters_by_script(spoken).items()
        }
        if letters:
            script = max(letters, key=letters.__getitem__)
            own = spoken
            if len(letters) > 1:
                runs = script_runs(spoken, 0, len(spoken))
                own = " ".join(spoken[start:end] for start, end, each in runs if each == script)
            detected = self._detect(own, script)
            needed = self._settings.reply_threshold
            words = _WORD.findall(own)
            if script == LATIN and len(words) == 1 and not is_everyday(words[0]):
                needed = max(needed, _LONE_WORD_PROBABILITY)
            if detected is not None and self._departs(detected.language, script):
                few = script == LATIN and len(words) <= self._settings.piece_min_words
                needed = max(needed, _CLAUSE_PROBABILITY if few else self._settings.piece_threshold)
                if script == LATIN and len(words) == 1:
                    detected = None
            if detected is not None and detected.probability >= needed:
                return detected.language, f"from the reply, {detected.probability:.2f}"
        for language, why in self._known():
            if language is not None:
                return language, why
        return None, "undecided"

    def _known(self) -> tuple[tuple[LanguageTag | None, str], ...]:
        """The languages that are known without looking at the text, the nearest first."""
        return (
            (self._reply.chat.language, "the chat's language"),
            (self._reply.default_language, "default of the character"),
            (self._reply.style.language, "as before in this chat"),
            (self._settings.default, "default"),
        )

    def _departs(self, language: LanguageTag, script: str) -> bool:
        """Whether the reply would leave the language that its chat has and that could be written so."""
        expected = self._reply.default_language or self._reply.style.language
        if expected is None or same_language(expected, language):
            return False
        return any(same_language(expected, each) for each in self._written_in(script))

    # --- pieces -------------------------------------------------------------------------------------

    def _shown(self, text: str, unit: Sequence[Run]) -> Sequence[_Finding]:
        """What each of the runs that belong together shows; nothing: they inherit."""
        script = unit[0][2]
        if script is None or not (script == LATIN or self._fitting(script)):
            return ()
        whole = " ".join([text[start:end].strip() for start, end, _ in unit])
        bare = _without_addresses(whole)
        if bare is not whole and LETTER.search(bare) is None:
            return ()
        if script == LATIN and len(unit) > 1 and (parted := self._parted(text, unit)) is not None:
            return parted
        detected = self._own(bare, script) or self._as_the_chat(bare, script)
        if detected is None:
            return ()
        return [_finding(detected.language, detected.probability, script)] * len(unit)

    def _own(self, text: str, script: str) -> DetectedLanguage | None:
        """The language a piece shows by itself; None: it inherits."""
        if script == LATIN and len(_WORD.findall(text)) < self._settings.piece_min_words:
            return None
        detected = self._detect(text, script)
        if detected is None or detected.probability >= self._settings.piece_threshold:
            return detected
        # Not sure, and the reply's language is not even written like this: the best guess is better.
        if script == LATIN or self.language is None or written_in(script, (self.language,)):
            return None
        return detected

    def _as_the_chat(self, text: str, script: str) -> DetectedLanguage | None:
        """A few words in the chat's language, though most of the reply is in another."""
        expected = self._reply.default_language or self._reply.style.language
        if script != LATIN or expected is None or self.language is None or self._open is not None:
            return None
        if not self._departs(self.language, script):
            return None
        detected = self._detector.detect(text, (expected, self.language))
        if detected is None or detected.probability < self._settings.piece_threshold:
            return None
        return detected if same_language(detected.language, expected) else None

    def _parted(self, text: str, unit: Sequence[Run]) -> list[_Finding] | None:
        """Clauses in clearly different languages; None when the unit is of one piece."""
        least = self._settings.piece_min_words + 1
        sure: list[DetectedLanguage | None] = []
        for start, end, _ in unit:
            clause = text[start:end]
            detected = self._detect(clause, LATIN) if len(_WORD.findall(clause)) >= least else None
            clear = detected is not None and detected.probability >= _CLAUSE_PROBABILITY
            sure.append(detected if clear else None)
        if len({each.language for each in sure if each is not None}) < 2:
            return None
        found: list[_Finding] = []
        current = next(each for each in sure if each is not None)
        for own in sure:
            current = own or current
            found.append(_finding(current.language, current.probability, LATIN))
        return found

    def _inherited(self, script: str | None) -> _Finding:
        """What says nothing itself is in; `script` where that is a sentence in one script."""
        if self._open is not None:
            return _Finding(self._open, None, True, f"{self._open}: the sentence goes on")
        if self.language is not None:
            language, why = self.language, self._why
            if script is not None and not self._writes(script, language):
                # "Hello." after Korean: a language that is written so fits better, if one is known.
                for known, reason in self._known():
                    if known is not None and written_in(script, (known,)):
                        language, why = known, reason
                        break
            return _Finding(language, None, True, f"{language}: {why}")
        if self._previous is not None:
            return _Finding(self._previous, None, True, f"{self._previous}: as the sentence before")
        return _Finding(None, None, False, "language undecided")

    def _writes(self, script: str, language: LanguageTag) -> bool:
        key = script, language
        found = self._written.get(key)
        if found is None:
            found = self._written[key] = bool(written_in(script, (language,)))
        return found

    def _detect(self, text: str, script: str) -> DetectedLanguage | None:
        """The language of text in one script: what only one language is written in needs no detector."""
        fitting = self._fitting(script)
        if len(fitting) == 1:
            return _certainly(fitting[0])
        return self._detector.detect(text, fitting) if fitting else None

    def _fitting(self, script: str) -> tuple[LanguageTag, ...]:
        """What text in the script can be; looked up once for each judgement of the reply."""
        fitting = self._by_script.get(script)
        if fitting is None:
            fitting = self._by_script[script] = self._written_in(script)
        return fitting

    def _written_in(self, script: str) -> tuple[LanguageTag, ...]:
        fitting = written_in(script, self._candidates)
        if script == HAN:
            return self._han(fitting)
        if script in (HANGUL, KANA):
            # Certain whatever the candidates: nothing else is written so.
            return fitting or (LanguageTag("ko" if script == HANGUL else "ja"),)
        return fitting

    def _han(self, fitting: tuple[LanguageTag, ...]) -> tuple[LanguageTag, ...]:
        """Han alone is Chinese, but Japanese in a Japanese reply or chat."""
        known = (tag for tag, _ in self._known() if tag is not None)
        japanese = self._has_kana or any(base_language(tag) == "ja" for tag in known)
        wanted = "ja" if japanese else "zh"
        chosen = tuple(tag for tag in fitting if base_language(tag) == wanted)
        return chosen or fitting[:1] or (LanguageTag(wanted),)


@lru_cache(maxsize=64)
def _certainly(language: LanguageTag) -> DetectedLanguage:
    return DetectedLanguage(language, 1.0)


def enough_for_reply(segments: Iterator[ScannedSegment]) -> Iterator[ScannedSegment]:
    """As many of the first segments as the reply's language is judged by."""
    length = 0
    for segment in segments:
        yield segment
        length += len(segment.text) if segment.said else 0
        if length > _ENOUGH_CHARS:
            return


def _sample(segments: Iterable[ScannedSegment]) -> str:
    return "\n".join(each.text for each in enough_for_reply(iter(segments)) if each.said)


def _without_addresses(text: str) -> str:
    return _ADDRESS.sub(" ", text) if _MAY_BE_ADDRESS.search(text) else text


@lru_cache(maxsize=64)
def _finding(language: LanguageTag, probability: float, script: str) -> _Finding:
    """Kept, since most findings are the same few that a script alone decides."""
    how = "by its script" if probability == 1.0 and script != LATIN else f"detected {probability:.2f}"
    return _Finding(language, probability, False, f"{language}: {how}")


def _longest(text: str, runs: Sequence[Run]) -> Run:
    """The one with most letters, the first of several."""
    longest, most = runs[0], 0
    for run in runs:
        part = text[run[0] : run[1]]
        letters = len(part) if part.isalpha() else len(LETTER.findall(part))
        if letters > most:
            longest, most = run, letters
    return longest


def _joined(
    text: str, runs: Sequence[Run], shown: Mapping[Run, _Finding], inherited: _Finding
) -> Iterator[Piece]:
    """Neighbours of one language as one, for the reason of the longest; what has no letters goes with its
    neighbour."""
    start = first = 0
    finding: _Finding | None = None
    alike = True
    for place, run in enumerate(runs):
        own = shown.get(run, inherited)
        if own is finding or (run[2] is None and LETTER.search(text, run[0], run[1]) is None):
            continue
        if finding is None or own.language == finding.language:
            alike = finding is None
        else:
            if not alike:
                finding = shown.get(_longest(text, runs[first:place]), inherited)
            yield Piece(start, run[0], *finding)
            start, first, alike = run[0], place, True
        finding = own
    if not alike:
        finding = shown.get(_longest(text, runs[first:]), inherited)
    yield Piece(start, len(text), *(finding or inherited))
