"""Reply -> segments: languages, inheritance, settings and filters."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alltalk_plugin.domain.filters import TextFilter
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.ports import LanguageDetector
from alltalk_plugin.domain.speech import Chat, Reply, ReplyStyle, Segment, SpeakerRole
from alltalk_plugin.settings.schema import LanguageSettings, SpeechSettings
from alltalk_plugin.text.language import LangidDetector, NoDetector
from alltalk_plugin.text.prepare import ReplyPreparer
from tests.fakes.detector import FakeDetector

DE, EN, JA = LanguageTag("de"), LanguageTag("en"), LanguageTag("ja")
WORDS = {
    "the": ("en", 0.95),
    "das": ("de", 0.95),
    "le": ("fr", 0.95),
    "perhaps": ("en", 0.5),
    "vielleicht": ("de", 0.5),
    "hm": ("nl", 0.2),
}


def preparer(
    detector: LanguageDetector | None = None,
    *,
    speech: SpeechSettings | None = None,
    languages: LanguageSettings | None = None,
    filters: tuple[TextFilter, ...] = (),
) -> ReplyPreparer:
    return ReplyPreparer(
        lambda: speech or SpeechSettings(),
        lambda: languages or LanguageSettings(),
        detector or FakeDetector(WORDS),
        filters,
    )


def languages_of(segments: tuple[Segment, ...]) -> list[tuple[str, str | None]]:
    return [(segment.text, segment.language) for segment in segments]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the house is old.", [("the house is old.", "en")]),
        # Each sentence by itself, short ones like the reply.
        (
            "the house is old. Das Haus ist alt. Oh.",
            [("the house is old.", "en"), ("Das Haus ist alt.", "de"), ("Oh.", "en")],
        ),
        # A quote in another language; around it is one sentence.
        (
            "the sign said « le pain est bon » in red.",
            [("the sign said", "en"), ("le pain est bon", "fr"), ("in red.", "en")],
        ),
        # A colon parts languages.
        ("the note says: le pain est bon", [("the note says:", "en"), ("le pain est bon", "fr")]),
        # Clauses part only when both are sure.
        (
            "das Haus ist alt, but the garden is new.",
            [("das Haus ist alt,", "de"), ("but the garden is new.", "en")],
        ),
        ("the house is old, perhaps it is new.", [("the house is old, perhaps it is new.", "en")]),
        # A change of script.
        ("the word 안녕하세요 is nice.", [("the word", "en"), ("안녕하세요", "ko"), ("is nice.", "en")]),
        ("오늘 meeting 있어요.", [("오늘 meeting 있어요.", "ko")]),
        ("これは本です。", [("これは本です。", "ja")]),
        ("你好。", [("你好。", "zh")]),
        ("これは何？ 了解。", [("これは何？", "ja"), ("了解。", "ja")]),
        ("שלום", [("שלום", None)]),
    ],
)
def test_pieces_get_their_languages(text: str, expected: list[tuple[str, str | None]]) -> None:
    assert languages_of(preparer().segments(Reply(text=text))) == expected


@pytest.mark.parametrize(
    ("reply", "language"),
    [
        (Reply(text="Hm."), None),
        (Reply(text="https://example.org"), None),
        (Reply(text="12345"), None),
        (Reply(text="Hm.", default_language=DE), "de"),
        (Reply(text="Hm.", chat=Chat(language=DE)), "de"),
        (Reply(text="Hm.", style=ReplyStyle(language=DE)), "de"),
        (Reply(text="the house is old.", default_language=DE), "en"),
        (Reply(text="the house is old.", style=ReplyStyle(language=DE)), "en"),
        (Reply(text="the house is old.", language=DE), "de"),
        (Reply(text="the house is old.", languages=(DE,)), "de"),
        (Reply(text="了解。"), "zh"),
        (Reply(text="了解。", chat=Chat(language=JA)), "ja"),
        (Reply(text="了解。", default_language=JA), "ja"),
        (Reply(text="了解。", languages=(EN, JA)), "ja"),
        (Reply(text="안녕", languages=(EN, DE)), "ko"),
    ],
)
def test_the_language_of_a_reply(reply: Reply, language: str | None) -> None:
    assert [segment.language for segment in preparer().segments(reply)] == [language]


def test_the_general_default_comes_last() -> None:
    languages = LanguageSettings(default=EN)
    assert preparer(languages=languages).segments(Reply(text="Hm."))[0].language == "en"
    chosen = preparer(languages=languages).segments(Reply(text="Hm.", default_language=DE))
    assert chosen[0].language == "de"


def test_confidence_and_inheritance_are_told() -> None:
    first, second = preparer().segments(Reply(text="the house is old. Oh."))
    assert (first.confidence, first.inherited) == (0.95, False)
    assert first.why == "unmarked text, no dialogue; en: detected 0.95"
    assert (second.confidence, second.inherited) == (None, True)
    assert second.why == "unmarked text, no dialogue; en: from the reply, 0.95"


def test_an_undecided_piece_takes_the_language_of_the_one_before() -> None:
    words = {"vielleicht": ("de", 0.8)}
    languages = LanguageSettings(reply_threshold=0.9)
    segments = preparer(FakeDetector(words), languages=languages).segments(
        Reply(text="vielleicht ist es so. Hm.")
    )
    assert [segment.language for segment in segments] == ["de", "de"]


def test_one_candidate_asks_no_detector() -> None:
    detector = FakeDetector(WORDS)
    segments = preparer(detector).segments(Reply(text="the house. Das Haus.", languages=(DE,)))
    assert {segment.language for segment in segments} == {"de"}
    assert detector.asked == []


def test_an_explicit_language_asks_no_detector() -> None:
    detector = FakeDetector(WORDS)
    preparer(detector).segments(Reply(text="the house is old.", language=DE))
    assert detector.asked == []


def test_thresholds_come_from_the_settings() -> None:
    strict = LanguageSettings(piece_threshold=0.99, reply_threshold=0.99, default=DE)
    assert preparer(languages=strict).segments(Reply(text="the house is old."))[0].language == "de"


def test_spans_of_split_sentences_point_at_their_own_words() -> None:
    text = "the sign said « le pain est bon » in red."
    for segment in preparer().segments(Reply(text=text)):
        assert text[segment.span.start : segment.span.end] == segment.text


def test_roster_user_and_character_names_begin_speaker_lines() -> None:
    chat = Chat(roster=("Tom",), user_name="Eve")
    segments = preparer().segments(Reply(text="Mira: Hi.\nTom: Ho.\nEve: Hm.", character="Mira", chat=chat))
    assert [(segment.role, segment.speaker) for segment in segments] == [
        (SpeakerRole.CHARACTER, "Mira"),
        (SpeakerRole.OTHER, "Tom"),
        (SpeakerRole.OTHER, "Eve"),
    ]


def test_a_whole_reply_without_history_is_read_with_the_style_it_shows_later() -> None:
    segments = preparer().segments(Reply(text='Rain falls. "Hello," she says.'))
    assert segments[0].role is SpeakerRole.NARRATOR


def test_a_style_from_history_holds_in_a_growing_reply_until_the_text_contradicts_it() -> None:
    style = ReplyStyle(unmarked=SpeakerRole.CHARACTER)
    growing = preparer().growing(Reply(text="", style=style))
    segments = growing.finish('Rain falls. "Hello," she says.')
    assert [segment.role for segment in segments] == [
        SpeakerRole.CHARACTER,
        SpeakerRole.CHARACTER,
        SpeakerRole.NARRATOR,
    ]


@pytest.mark.parametrize("history", [SpeakerRole.CHARACTER, SpeakerRole.NARRATOR])
@pytest.mark.parametrize(
    ("text", "first_role", "last_role"),
    [
        ('Rain falls. "Hello," she says.', SpeakerRole.NARRATOR, SpeakerRole.NARRATOR),
        ("*Rain falls.* Hello there.", SpeakerRole.NARRATOR, SpeakerRole.CHARACTER),
    ],
)
def test_a_whole_reply_that_shows_its_style_is_read_with_it_whatever_the_history(
    history: SpeakerRole, text: str, first_role: SpeakerRole, last_role: SpeakerRole
) -> None:
    segments = preparer().segments(Reply(text=text, style=ReplyStyle(unmarked=history)))
    assert (segments[0].role, segments[-1].role) == (first_role, last_role)


@pytest.mark.parametrize("history", [SpeakerRole.CHARACTER, SpeakerRole.NARRATOR])
def test_a_whole_reply_that_shows_no_style_is_read_with_that_of_the_history(history: SpeakerRole) -> None:
    segments = preparer().segments(Reply(text="Rain falls. It is cold.", style=ReplyStyle(unmarked=history)))
    assert {segment.role for segment in segments} == {history}


def test_reasoning_is_dropped_whatever_the_history_says() -> None:
    style = ReplyStyle(unmarked=SpeakerRole.CHARACTER)
    segments = preparer().segments(Reply(text="Plan one. Plan two.\n</think>\nHello.", style=style))
    assert [segment.text for segment in segments] == ["Hello."]


def test_the_style_of_a_reply_is_the_prior_of_the_next() -> None:
    style = preparer().style(Reply(text='plan</think>the rain falls now. "Hello," she says.'))
    assert style == ReplyStyle(unmarked=SpeakerRole.NARRATOR, language=EN, reasoning_open=True)


def test_a_reply_that_teaches_nothing_keeps_the_prior() -> None:
    prior = ReplyStyle(unmarked=SpeakerRole.NARRATOR, language=DE)
    assert preparer().style(Reply(text="Hm.", style=prior)) == prior


def test_filters_change_the_text_in_their_order() -> None:
    filters = (
        TextFilter("second", 2, lambda text: text + " b"),
        TextFilter("first", 1, lambda text: text + " a"),
    )
    assert preparer(filters=filters).segments(Reply(text="Hm."))[0].text == "Hm. a b"


def test_a_filter_that_leaves_nothing_to_say_drops_the_segment() -> None:
    mute = TextFilter("mute", 0, lambda text: "" if "Oh" in text else text)
    segments = preparer(filters=(mute,)).segments(Reply(text="Oh no. Yes then."))
    assert [segment.text for segment in segments] == ["Yes then."]


def test_settings_are_read_anew_for_every_reply() -> None:
    current = SpeechSettings()
    changing = ReplyPreparer(lambda: current, LanguageSettings, NoDetector())
    reply = Reply(text="See https://example.org now.")
    assert changing.segments(reply)[0].text == "See example.org now."
    current = current.model_copy(update={"urls": "skip"})
    assert changing.segments(reply)[0].text == "See now."


MIXED = [
    ("She whispered « tu me manques tellement ce soir » and hung up.", ["en", "fr", "en"]),
    ("*Sie öffnet langsam die Tür.* Good evening, how can I help you?", ["de", "en"]),
    ("Que tal el viaje? The train was late again, as always.", ["es", "en"]),
    ("Спасибо! That is very kind of you. До встречи завтра.", ["ru", "en", "ru"]),
    ("明日は会議があります。Please bring your laptop with you.", ["ja", "en"]),
]


@pytest.mark.parametrize(("text", "expected"), MIXED)
def test_mixed_replies_change_language_where_the_text_does(text: str, expected: list[str]) -> None:
    segments = preparer(LangidDetector()).segments(Reply(text=text))
    changes = [
        segment.language
        for before, segment in zip([None, *segments], segments, strict=False)
        if before is None or before.language != segment.language
    ]
    assert changes == expected


def test_a_reply_in_one_language_never_changes_it() -> None:
    text = (
        "Natürlich, gerne. Ich habe gestern lange darüber nachgedacht, und ehrlich gesagt: Du hast recht! "
        "„Komm mit“, sagte sie. Das Meeting war okay. Na ja. Bis morgen, mein Freund."
    )
    segments = preparer(LangidDetector()).segments(Reply(text=text))
    assert {segment.language for segment in segments} == {"de"}


def test_an_announcement_has_the_language_of_the_reply() -> None:
    speech = SpeechSettings(code="announce")
    reply = Reply(text="das Haus ist alt.\n\n```\nx\n```", style=ReplyStyle())
    segments = preparer(speech=speech).segments(replace(reply, character="Mira"))
    assert [(segment.text, segment.language) for segment in segments] == [
        ("das Haus ist alt.", "de"),
        ("Code.", "de"),
    ]
