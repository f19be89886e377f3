"""What is known about a chat's language before anything is detected, and what is loaded for it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.ports import DetectedLanguage
from alltalk_plugin.domain.speech import Chat, Reply
from alltalk_plugin.settings.schema import LanguageSettings, SpeechSettings
from alltalk_plugin.text.language import LangidDetector, NoDetector
from alltalk_plugin.text.prepare import ReplyPreparer

EN, DE, FR, JA, RU = (LanguageTag(tag) for tag in ("en", "de", "fr", "ja", "ru"))


@pytest.fixture(scope="module")
def preparer() -> ReplyPreparer:
    return ReplyPreparer(SpeechSettings, LanguageSettings, LangidDetector())


@pytest.mark.parametrize(
    ("reply", "languages"),
    [
        # The chat's language is not asked of the detector ...
        (Reply(text="Oui, merci.", chat=Chat(language=EN)), ["en"]),
        # ... but a sentence that clearly is in another says so.
        (Reply(text="Je ne sais pas où il est parti.", chat=Chat(language=EN)), ["fr"]),
        (Reply(text="Я ничего не знаю. Fine.", chat=Chat(language=EN)), ["ru", "en"]),
        # A lock stands whatever the words are.
        (Reply(text="Je ne sais pas où il est parti.", language=EN), ["en"]),
        # A default gives way to clear evidence only.
        (Reply(text="Voilà!", default_language=EN), ["en"]),
        (Reply(text="Je ne sais pas où il est parti.", default_language=EN), ["fr"]),
        # A few words in the chat's language, though most of the reply is in another.
        (
            Reply(text="Sie sagt: „I have never been so happy in my life.“", default_language=DE),
            ["de", "en"],
        ),
    ],
)
def test_reply_when_the_chats_language_is_known_then_it_comes_before_detection(
    preparer: ReplyPreparer, reply: Reply, languages: list[str]
) -> None:
    assert [segment.language for segment in preparer.segments(reply)] == languages


@pytest.mark.parametrize(
    ("text", "languages"),
    [
        ("Je ne sais pas où il est parti.", ["en"]),
        ("안녕하세요. Hello.", ["ko", "en"]),
        ("你好。", ["zh"]),
    ],
)
def test_reply_when_detection_is_off_then_only_scripts_and_the_default_decide(
    text: str, languages: list[str]
) -> None:
    settings = LanguageSettings(default=EN)
    segments = ReplyPreparer(SpeechSettings, lambda: settings, NoDetector()).segments(Reply(text=text))
    assert [segment.language for segment in segments] == languages


@dataclass
class Loading:
    """Remembers what it was made to load; `done` after the last text it expects."""

    expected: int
    warmed: int = 0
    asked: list[tuple[str, ...]] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)

    def warm(self) -> None:
        self.warmed += 1

    def detect(self, text: str, candidates: Sequence[LanguageTag]) -> DetectedLanguage | None:
        self.asked.append(tuple(candidates))
        if len(self.asked) == self.expected:
            self.done.set()
        return None


def warmed(candidates: tuple[LanguageTag, ...], expected: int) -> Loading:
    loading = Loading(expected)
    settings = LanguageSettings(candidates=candidates)
    ReplyPreparer(SpeechSettings, lambda: settings, loading).warm()
    assert expected == 0 or loading.done.wait(10)
    return loading


def test_warm_when_languages_share_a_script_then_each_such_script_is_tried_out() -> None:
    uk = LanguageTag("uk")
    loading = warmed((EN, DE, RU, uk, JA), 2)
    assert loading.warmed == 1
    assert loading.asked == [(EN, DE), (RU, uk)]


@pytest.mark.parametrize("candidates", [(), (EN,), (EN, RU, JA)])
def test_warm_when_nothing_has_to_be_told_apart_then_loads_nothing(
    candidates: tuple[LanguageTag, ...],
) -> None:
    loading = warmed(candidates, 0)
    assert (loading.warmed, loading.asked) == (0, [])


@pytest.mark.parametrize(
    ("own", "languages"),
    [
        # Nobody is locked: what is clear is told apart, the rest is the reply's.
        ((), ["en", "en"]),
        # A lock stands for that speaker's lines alone, whatever the words are, however the name is written.
        ((("TOM", DE),), ["en", "de"]),
        ((("Eve", DE),), ["en", "en"]),
    ],
)
def test_line_of_a_speaker_with_a_language_of_their_own_then_it_is_in_that_language(
    preparer: ReplyPreparer, own: tuple[tuple[str, LanguageTag], ...], languages: list[str]
) -> None:
    text = 'Mira: "I have no idea where he went."\nTom: "I have no idea either, my friend."'
    reply = Reply(text=text, character="Mira", chat=Chat(roster=("Mira", "Tom")), speaker_languages=own)
    assert [segment.language for segment in preparer.segments(reply)] == languages
    growing = preparer.growing(reply)
    grown = [segment for char in text for segment in growing.add(char)]
    assert [segment.language for segment in (*grown, *growing.finish())] == languages


def test_line_of_a_speaker_with_a_language_of_their_own_when_the_character_has_one_too_then_both_hold(
    preparer: ReplyPreparer,
) -> None:
    reply = Reply(
        text='Mira: "Hello there."\nTom: "Hello."',
        character="Mira",
        language=FR,
        chat=Chat(roster=("Mira", "Tom")),
        speaker_languages=(("Tom", DE),),
    )
    assert [segment.language for segment in preparer.segments(reply)] == ["fr", "de"]
