from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alltalk_plugin.engines.utterances import MAX_SENTENCE_CHARS, breaths, joined, sentences


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("", []),
        ("   ", []),
        ("One sentence here.", ["One sentence here."]),
        ("It is done. What now? Go!", ["It is done.", "What now?", "Go!"]),
        ("Well... yes.", ["Well...", "yes."]),
        ("He said 'never.' Then he left.", ["He said 'never.'", "Then he left."]),
        # eSpeak would stop after each of these
        ("Dr. Smith met Mr. J. Doe.", ["Dr. Smith met Mr. J. Doe."]),
        ("am 3. Mai um 5 Uhr", ["am 3. Mai um 5 Uhr"]),
        ("It is 3.5 m.", ["It is 3.5 m."]),
        ("你好。今天很好！", ["你好。", "今天很好！"]),
        ("यह सच है। अच्छा।", ["यह सच है।", "अच्छा।"]),
    ],
)
def test_sentences_end_where_a_person_would_stop(text: str, cut: list[str]) -> None:
    assert list(sentences(text)) == cut


def test_long_sentence_is_cut_after_a_clause_else_a_word_else_anywhere() -> None:
    clauses = "many words without any stop, " * 10
    words = "word " * 100
    letters = "a" * 400
    assert all(each.endswith(",") for each in sentences(clauses))
    assert all(each.endswith("word") for each in sentences(words))
    assert [len(each) for each in sentences(letters)] == [170, 170, 60]


@settings(max_examples=200)
@given(st.text(st.sampled_from("ab .,!?。"), max_size=600))
def test_sentences_keep_every_letter_in_order_and_none_is_too_long(text: str) -> None:
    cut = list(sentences(text))
    assert "".join("".join(cut).split()) == "".join(text.split())
    assert all(0 < len(each) <= MAX_SENTENCE_CHARS for each in cut)


def test_joined_makes_one_of_what_espeak_cut() -> None:
    assert "".join(joined([list("dɑːktɚ."), list("smɪθ")])) == "dɑːktɚ. smɪθ"
    assert "".join(joined([list("wel, "), list("ok")])) == "wel, ok"
    assert joined([]) == joined([[]]) == []


def test_breaths_cut_at_pauses_and_drop_what_makes_no_sound() -> None:
    cut = ["".join(piece) for piece in breaths(list("aa bb cc dd"), 6)]
    assert cut == ["aa bb ", "cc dd"]
    assert list(breaths(list(" . ,"), 10)) == []


@settings(max_examples=200)
@given(st.lists(st.sampled_from([*"abc .,", "aɪ"]), max_size=80), st.integers(1, 12))
def test_breaths_keep_every_sound_within_the_limit(phonemes: list[str], limit: int) -> None:
    cut = list(breaths(phonemes, limit))
    sounds = [each for each in phonemes if each not in " .,"]
    assert [each for piece in cut for each in piece if each not in " .,"] == sounds
    assert all(len(piece) <= limit for piece in cut)
