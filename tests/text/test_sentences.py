"""Where sentences end, in many languages, and how long pieces may get."""

from __future__ import annotations

import pytest

from alltalk_plugin.domain.speech import Boundary
from alltalk_plugin.text.scanner import ScanRules
from tests.text.reading import read_whole

ENDS = [
    "One. | Two! | Three? | Four…",
    "What?! | No way.",
    "Wait... | What?",
    "Well... maybe not.",
    "Dr. Kim met Mrs. J. R. Lee at 4.30 p.m. yesterday.",
    "It is No. 5 on the list. | Good.",
    "No. | I won't.",
    "So did I. | He didn't.",
    "Version 2.5.1 is out. | Get it.",
    "e.g. this, i.e. that. | Fine.",
    "On Jan. 5 we met.",
    "Am 3. Mai kommt er. | Gut.",
    "Das ist z.B. so. | Ja.",
    "Er kam am 12. | Dann ging er.",
    "M. Dupont arrive. | Bien !",
    "¿Qué? | ¡No! | Sí.",
    "Sr. Gómez vino. | Se fue.",
    "你好。 | 我很好！ | 你呢？",
    "本当？！ | はい。",
    "مرحبا. | كيف حالك؟ | بخير.",
    "नमस्ते। | आप कैसे हैं?",
    "Он пришёл. | Она ушла.",
    "Visit example.org today. | Thanks.",
    "He left (finally!). | Good.",
    "Prices rose 5.5 percent. | Good.",
]


@pytest.mark.parametrize("marked", ENDS)
def test_one_segment_a_sentence(marked: str) -> None:
    sentences = marked.split(" | ")
    assert [segment.text for segment in read_whole(" ".join(sentences))] == sentences


def test_a_sentence_of_han_needs_no_space_to_end() -> None:
    assert [segment.text for segment in read_whole("你好。我很好。")] == ["你好。", "我很好。"]


def test_lines_end_sentences_unless_a_small_letter_goes_on() -> None:
    texts = [segment.text for segment in read_whole("Roses are red\nViolets are blue\nand so on")]
    assert texts == ["Roses are red", "Violets are blue and so on"]


def test_a_long_sentence_is_cut_after_a_clause() -> None:
    text = "one two three four five six, seven eight nine ten eleven twelve"
    segments = read_whole(text, rules=ScanRules(max_segment_chars=40))
    assert [segment.text for segment in segments] == [
        "one two three four five six,",
        "seven eight nine ten eleven twelve",
    ]
    assert segments[0].boundary is Boundary.CLAUSE


@pytest.mark.parametrize("text", ["word " * 50, "x" * 333, "你" * 333, "a, " * 99, "!" * 99 + "a" + "." * 99])
def test_no_piece_exceeds_the_limit_and_none_loses_a_letter(text: str) -> None:
    segments = read_whole(text, rules=ScanRules(max_segment_chars=40))
    assert max(len(segment.text) for segment in segments) <= 40
    spoken = "".join(segment.text for segment in segments)
    assert [char for char in spoken if char.isalnum()] == [char for char in text if char.isalnum()]
