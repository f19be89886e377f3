"""The parts of the engine that need no PyTorch: sentences, letters, languages, options."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alltalk_plugin.domain.errors import LanguageUnsupported, ModelIncompatible
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.models import OptionValue
from alltalk_plugin.engines.coqui.checkpoint import read_checkpoint
from alltalk_plugin.engines.coqui.languages import code_of, languages_of, refusal
from alltalk_plugin.engines.coqui.options import number, own_language, vocoder_path
from alltalk_plugin.engines.coqui.sentences import sentences_of
from alltalk_plugin.engines.coqui.vocabulary import check_letters, clean, words_in
from tests.engines.coqui.handmade import write_model

LATIN = frozenset("abcdefghijklmnopqrstuvwxyz")
EN = LanguageTag("en")


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("", 9, []),
        (" \n ", 9, []),
        ("One. Two! Three?", 99, ["One.", "Two!", "Three?"]),
        ("He said “No.” Then he left.", 99, ["He said “No.”", "Then he left."]),
        ("Pi is 3.14 today", 99, ["Pi is 3.14 today"]),
        ("你好。世界！", 99, ["你好。", "世界！"]),
        ("one two, three four", 12, ["one two,", "three four"]),
        ("one two three four", 10, ["one two", "three four"]),
        ("aaaaaaaaaa", 4, ["aaaa", "aaaa", "aa"]),
    ],
)
def test_sentences_of_a_text(text: str, limit: int, expected: list[str]) -> None:
    assert list(sentences_of(text, limit)) == expected


@given(text=st.text(max_size=300), limit=st.integers(1, 60))
def test_sentences_of_any_text_fit_and_lose_nothing_but_spaces(text: str, limit: int) -> None:
    pieces = list(sentences_of(text, limit))
    assert all(0 < len(piece) <= limit for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("a\0b", "a b"),
        ("  a \n\t b ", "a b"),
        ("x \ud800 y", "x y"),
        ("\ufffe", ""),
        ("e\u0301!", "e\u0301!"),
    ],
)
def test_clean_takes_out_what_no_tokenizer_should_see(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@pytest.mark.parametrize("text", ["", "...", "😀", "“”—!?", "*", "\u0301"])
def test_words_in_what_cannot_be_said_then_none(text: str) -> None:
    assert words_in(text) == ""


@pytest.mark.parametrize("text", ["hello", "hello, 世!", "", "..."])
def test_check_letters_of_a_text_with_few_strange_ones_then_nothing(text: str) -> None:
    check_letters(text, LATIN, EN)


@pytest.mark.parametrize(
    ("text", "script"), [("你好世界", "Han"), ("да yes", "Cyrillic"), ("12345 go", "digit")]
)
def test_check_letters_of_a_text_with_many_then_unsupported_and_the_script_named(
    text: str, script: str
) -> None:
    with pytest.raises(LanguageUnsupported) as caught:
        check_letters(text, LATIN, EN)
    assert script in str(caught.value.context["reason"])
    assert text not in str(caught.value.context)


def test_a_model_speaks_its_languages_and_what_the_settings_say(tmp_path: Path) -> None:
    read = read_checkpoint(write_model(tmp_path, languages=["en", "fr-fr"]))
    assert languages_of(read, None) == ("en", "fr-FR")
    assert languages_of(read, LanguageTag("de")) == ("de",)
    assert refusal(read, None, LanguageTag("fr")) is None
    assert refusal(read, None, LanguageTag("de"))
    assert refusal(read, LanguageTag("de"), LanguageTag("de")) is None
    assert [code_of(read, tag) for tag in (None, EN, LanguageTag("fr"), LanguageTag("de"))] == [
        "en",
        "en",
        "fr-fr",
        "en",
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("length_scale", 0.0),
        ("noise_scale", 3.0),
        ("threads", -1),
        ("threads", "many"),
        ("noise_scale_w", float("nan")),
    ],
)
def test_a_number_out_of_range_then_incompatible_and_named(name: str, value: OptionValue) -> None:
    with pytest.raises(ModelIncompatible) as caught:
        number({name: value}, name)
    assert caught.value.context["option"] == name


def test_options_that_are_left_out_are_left_to_the_model() -> None:
    assert number({}, "length_scale") is None
    assert number({"length_scale": 1.5}, "length_scale") == 1.5
    assert own_language({}) is None
    assert own_language({"language": "de_at"}) == "de-AT"
    assert vocoder_path({}) is None
    assert vocoder_path({"vocoder": "/a/b"}) == Path("/a/b")
