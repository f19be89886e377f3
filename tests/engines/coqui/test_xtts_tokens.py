from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import pytest

from alltalk_plugin.domain.errors import LanguageUnsupported, ModelIncompatible, TextTooLong
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.engines.coqui.checkpoint import Checkpoint
from alltalk_plugin.engines.coqui.xtts_tokens import XttsTokens

CODES = ("en", "de", "pt", "zh-cn", "hi")
VOCABULARY = (
    *(f"[{code}]" for code in CODES),
    "[UNK]",
    "[SPACE]",
    "the",
    *"abcdefghijklmnopqrstuvwxyz.,!?0123456789",
)


class Letters:
    """A tokenizer that makes one token of each letter, and three of each digit."""

    char_limits: Mapping[str, int] = {"en": 40, "zh": 10}

    def __init__(self, *, lacks: str = "") -> None:
        self.encoded: list[tuple[str, str]] = []
        self._lacks = lacks

    def preprocess_text(self, txt: str, lang: str) -> str:
        if lang == self._lacks:
            raise ImportError("it requires a dictionary")
        return "ni hao" if lang == "zh" else txt

    def encode(self, txt: str, lang: str) -> list[int]:
        self.encoded.append((txt, lang))
        return [index for char in txt for index in range(3 if char.isdigit() else 1)]


def checkpoint(codes: tuple[str, ...] = CODES) -> Checkpoint:
    return Checkpoint(
        kind="xtts",
        folder=Path("here"),
        config_path=Path("here/config.json"),
        config={},
        weights=(),
        vocoder=None,
        extras=(),
        speakers=(),
        language_codes=codes,
        sample_rate_hz=24_000,
        weights_bytes=0,
    )


def tokens(
    tokenizer: Letters | None = None,
    *,
    vocabulary: Collection[str] = VOCABULARY,
    codes: tuple[str, ...] = CODES,
    own: str | None = None,
) -> XttsTokens:
    return XttsTokens(
        tokenizer or Letters(),
        vocabulary,
        checkpoint(codes),
        own=None if own is None else LanguageTag(own),
        limit_tokens=60,
    )


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        (None, "en"),
        ("en", "en"),
        ("en-GB", "en"),
        ("de", "de"),
        ("de-AT", "de"),
        ("pt-BR", "pt"),
        ("hi-IN", "hi"),
    ],
)
def test_language_when_the_model_speaks_it_then_its_word_for_it(tag: str | None, code: str) -> None:
    assert tokens().code_of(None if tag is None else LanguageTag(tag)) == code


@pytest.mark.parametrize("tag", ["zh", "zh-CN", "zh-Hans", "zh-Hant", "cmn"])
def test_chinese_by_any_name_when_its_package_is_missing_then_unsupported_and_the_package_named(
    tag: str,
) -> None:
    # Neither the service's environment nor the engine's has it.
    with pytest.raises(LanguageUnsupported) as caught:
        tokens().code_of(LanguageTag(tag))
    assert "pypinyin" in str(caught.value.context["reason"])
    assert caught.value.context["language"] == tag


@pytest.mark.parametrize("tag", ["sv", "yue", "km", "ja"])
def test_language_when_the_model_has_none_such_then_unsupported_with_what_it_speaks(tag: str) -> None:
    with pytest.raises(LanguageUnsupported, match="the model speaks en, de, pt") as caught:
        tokens().code_of(LanguageTag(tag))
    assert caught.value.context["language"] == tag
    assert caught.value.code == "language_unsupported"


def test_language_of_the_config_when_the_vocabulary_lacks_it_then_unsupported() -> None:
    known = [word for word in VOCABULARY if word != "[hi]"]
    with pytest.raises(LanguageUnsupported, match=r"vocab\.json lacks that language"):
        tokens(vocabulary=known).code_of(LanguageTag("hi"))


def test_vocabulary_when_it_has_none_of_the_languages_then_incompatible() -> None:
    with pytest.raises(ModelIncompatible, match=r"vocab\.json"):
        tokens(vocabulary=["a", "b"])


def test_language_of_the_settings_then_it_alone_is_spoken() -> None:
    german = tokens(own="de")
    assert german.code_of(None) == "de"
    assert german.code_of(LanguageTag("de-CH")) == "de"
    with pytest.raises(LanguageUnsupported):
        german.code_of(LanguageTag("en"))


def test_text_when_it_fits_then_one_piece_in_small_letters() -> None:
    tokenizer = Letters()
    assert len(tokens(tokenizer).pieces("  The Rain\x00 in Spain. ", "en")) == 1
    assert tokenizer.encoded == [("the rain in spain.", "en")]


def test_text_longer_than_the_language_allows_then_cut_after_sentences() -> None:
    tokenizer = Letters()
    tokens(tokenizer).pieces("The first is said here. The second is said here. Third.", "en")
    assert [text for text, _ in tokenizer.encoded] == [
        "the first is said here.",
        "the second is said here. third.",
    ]


def test_text_whose_numbers_make_too_many_tokens_then_cut_smaller() -> None:
    tokenizer = Letters()
    pieces = tokens(tokenizer).pieces("111111 222222 333333 444444 555555", "en")
    assert sum(map(len, pieces)) >= 3 * 30
    assert all(len(piece) < 60 for piece in pieces)


@pytest.mark.parametrize("text", ["a" * 60, "fine so far. " + "b" * 200])
def test_word_longer_than_the_model_takes_then_typed_and_not_an_assertion(text: str) -> None:
    with pytest.raises(TextTooLong) as caught:
        tokens().pieces(text, "en")
    assert caught.value.context["limit_tokens"] == 59
    assert caught.value.code == "text_too_long"
    assert "left out" in caught.value.hint


def test_text_of_a_language_without_spaces_then_cut_anywhere() -> None:
    tokenizer = Letters()
    tokens(tokenizer).pieces("一" * 25, "zh-cn")
    assert [len(text) for text, _ in tokenizer.encoded] == [10, 10, 5]
    assert {lang for _, lang in tokenizer.encoded} == {"zh-cn"}


@pytest.mark.parametrize("text", ["", " ", "...", "—!?", "😀🚼", "\x00", "\ud800", "\u0301"])
def test_text_with_nothing_to_say_then_no_piece(text: str) -> None:
    assert tokens().pieces(text, "en") == []


@pytest.mark.parametrize("text", ["你好世界", "привет", "hello, 你好世界你好世界"])
def test_text_in_letters_the_model_never_saw_then_unsupported(text: str) -> None:
    with pytest.raises(LanguageUnsupported) as caught:
        tokens().pieces(text, "en")
    assert caught.value.context["reason"]


def test_text_with_a_foreign_name_in_it_then_spoken() -> None:
    assert tokens().pieces("my friend Юля says hello to you", "en")


def test_text_when_a_package_turns_out_to_be_broken_then_unsupported() -> None:
    with pytest.raises(LanguageUnsupported, match="dictionary"):
        tokens(Letters(lacks="hi")).pieces("abc", "hi")
