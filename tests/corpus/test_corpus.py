"""What the text side promises, on replies written for this purpose."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.speech import Segment
from alltalk_plugin.settings.schema import LanguageSettings, SpeechSettings
from alltalk_plugin.text.language import LangidDetector
from alltalk_plugin.text.prepare import ReplyPreparer
from tests.corpus.judge import Line, Verdict, judge, lines, said

LINES = lines()


@pytest.fixture(scope="module")
def preparer() -> ReplyPreparer:
    return ReplyPreparer(SpeechSettings, LanguageSettings, LangidDetector())


@pytest.fixture(scope="module")
def whole(preparer: ReplyPreparer) -> tuple[Verdict, ...]:
    return tuple(judge(line, said(preparer.segments(line.reply))) for line in LINES)


def read_growing(preparer: ReplyPreparer, line: Line) -> Verdict:
    """As the reply arrives letter by letter, knowing nothing of the chat."""

    def segments() -> Iterator[Segment]:
        growing = preparer.growing(line.reply)
        for char in line.text:
            yield from growing.add(char)
        yield from growing.finish()

    return judge(line, said(segments()))


def misread(verdicts: tuple[Verdict, ...]) -> list[str]:
    return [f"{verdict.line.id}: {verdict.line.why}" for verdict in verdicts if not verdict.roles]


def test_corpus_when_counted_then_it_is_as_wide_as_it_says() -> None:
    assert len(LINES) >= 300
    assert len({line.language for line in LINES}) >= 15
    assert sum("unmarked" in line.tags for line in LINES) >= 20
    assert len({line.id for line in LINES}) == len({line.text for line in LINES}) == len(LINES)
    assert all(line.why for line in LINES)


def test_corpus_when_read_whole_then_roles_are_right(whole: tuple[Verdict, ...]) -> None:
    wrong = misread(whole)
    assert len(wrong) <= 0.02 * len(whole), wrong


def test_corpus_when_read_whole_then_no_word_is_lost(whole: tuple[Verdict, ...]) -> None:
    assert [verdict.line.id for verdict in whole if not verdict.words] == []


def test_corpus_when_read_whole_then_letters_have_their_language(whole: tuple[Verdict, ...]) -> None:
    letters = sum(verdict.letters for verdict in whole)
    assert sum(verdict.in_language for verdict in whole) >= 0.97 * letters


def test_corpus_when_the_chat_has_a_default_language_then_hardly_anything_switches_falsely(
    preparer: ReplyPreparer,
) -> None:
    wrong = total = 0
    for line in LINES:
        reply = replace(line.reply, default_language=LanguageTag(line.default or line.language))
        verdict = judge(line, said(preparer.segments(reply)))
        wrong += verdict.letters - verdict.in_language
        total += verdict.letters
    assert wrong <= 0.005 * total


def test_corpus_when_it_grows_without_history_then_most_roles_are_right(preparer: ReplyPreparer) -> None:
    verdicts = tuple(read_growing(preparer, line) for line in LINES)
    # What cannot be known then: prose is narration only once dialogue has been seen.
    late = {"unmarked", "mixed", "dash", "speaker", "think"}
    early = tuple(verdict for verdict in verdicts if late.isdisjoint(verdict.line.tags))
    assert len(misread(early)) <= 0.02 * len(early), misread(early)
    assert len(misread(verdicts)) <= 0.15 * len(verdicts)


def test_judge_when_a_word_or_a_role_is_missing_then_says_so() -> None:
    line = next(line for line in LINES if len(line.expect) > 1)
    assert judge(line, line.expect).roles
    assert not judge(line, line.expect[:-1]).words
    swapped = (replace(line.expect[0], role="other", speaker="Tom"), *line.expect[1:])
    assert not judge(line, swapped).roles
    assert judge(line, swapped).words
