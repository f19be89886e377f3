"""What is not spoken, and what is left of what wraps words."""

from __future__ import annotations

import pytest

from alltalk_plugin.domain.speech import Boundary
from alltalk_plugin.text.scanner import ScanRules
from tests.text.reading import read_whole, script

SPOKEN = [
    ("Use `pip install x` now.", "Use pip install x now."),
    ("Use `` a`b `` now.", "Use a b now."),
    ("A stray ` tick.", "A stray tick."),
    ('See [the *docs*](https://a.b/c_(d) "T") now.', "See the docs now."),
    ("See [the docs][1] now.", "See the docs now."),
    ("See https://www.example.org/a?b=c#d.", "See example.org."),
    ("See www.example.org, please.", "See example.org, please."),
    ("See https://example.org/a_(b)! And (https://example.org/c).", "See example.org! And (example.org)."),
    ("x**2", "x 2"),
    ("Awww. Nice.", "Awww. Nice."),
    ("看https://example.org/x吧。", "看example.org吧。"),
    ("![alt text](http://a.b/c.png) Nice.", "Nice."),
    ("![alt](data:image/png;base64," + "A" * 5000 + ") Nice.", "Nice."),
    ("Wow![^1] Yes.", "Wow! Yes."),
    ("<b>Bold</b> and <span style='x:\"y\"'>plain</span>.", "Bold and plain."),
    ("a < b and b > c, I <3 you", "a b and b > c, I 3 you"),
    ("One<br>Two<br/>three", "One Two three"),
    ("<p>One</p><p>Two</p>", "One Two"),
    ("<!-- hidden -->Shown.", "Shown."),
    ('<audio src="f.wav" controls autoplay></audio>\n\nHi.', "Hi."),
    ('<audio src="f.wav" controls>\n\nHi.', "Hi."),
    ("<script>var a = 1;</script>Hi.", "Hi."),
    ('<tool_call>{"a": 1}</tool_call>Hi.', "Hi."),
    ("Hi.<|im_end|>", "Hi."),
    ("Tom &amp; Jerry &#169; &eacute;t&eacute;&nbsp;ok", "Tom & Jerry © été ok"),
    ("AT&T &unknown; x", "AT&T &unknown; x"),
    ("Costs $5 or $10.", "Costs $5 or $10."),
    ("Let $x$ be $x^2 + 1$ here.", "Let x be here."),
    ("So $$E = mc^2$$ it is.", "So it is."),
    ("So \\[ a\nb \\] it \\(c\\) is.", "So it is."),
    ("\\begin{align}a\\end{align}Done.", "Done."),
    ("Make $$ fast.\n\nYes.", "Make fast. Yes."),
    ("\\*not narrated\\* ok", "not narrated ok"),
    ("# Title\n\nText.", "Title Text."),
    ("> quoted *line*", "quoted line"),
    ("1. One\n2. Two\n10) Ten", "One Two 10) Ten"),
    ("2024. A year.", "2024. A year."),
    ("- [x] done\n- [ ] open", "done open"),
    ("• first\n• second", "first second"),
    ("* one\n* two *really*", "one two really"),
    ("| A | B |\n|:--|--:|\n| 1 | 2 |", "A, B 1, 2"),
    ("A\n\n* * *\n\nB\n\n---\n\nC\n\n~~~\n\nD", "A B C D"),
    ("Text.\n```py\nx = 1\n```\nMore.", "Text. More."),
    ("Text.\n````\n```\n````\nMore.", "Text. More."),
    ("Text.\n~~~sh\nls\n~~~\nMore.", "Text. More."),
    ("Text. ```x\n``` More.", "Text. More."),
    ("Text.\n```py\nx = 1", "Text."),
    ("    indented roleplay stays", "indented roleplay stays"),
    ("~~struck~~ nice~", "struck nice"),
    ("Hi 👨‍👩‍👧 you 👍🏽 1️⃣ ❤️ 🇩🇪!", "Hi you !"),
    ("Keep © and ™, 20 °C.", "Keep © and ™, 20 °C."),
    ("Nul\x00l, s\u00adoft, zero\u200bwidth, \ud800lone.", "Null, soft, zerowidth, lone."),
    ("می\u200cخواهم", "می\u200cخواهم"),
    ("tab\tand\u00a0hard\u3000space", "tab and hard space"),
]


@pytest.mark.parametrize(("text", "expected"), SPOKEN)
def test_what_is_spoken_of_marked_up_text(text: str, expected: str) -> None:
    assert " ".join(segment.text for segment in read_whole(text)) == expected


@pytest.mark.parametrize(
    "text", ["", " ", "\n\n", "...", "*...*", '"?!"', "😀😀", "***", "\x00\ud800", "```\nx\n```"]
)
def test_nothing_to_say_gives_no_segments(text: str) -> None:
    assert read_whole(text) == ()


def test_a_code_block_is_announced_where_the_setting_says_so() -> None:
    segments = read_whole("Look:\n```py\nx = 1\n```\nDone.", rules=ScanRules(code="announce"))
    assert [segment.text for segment in segments] == ["Look:", "Code.", "Done."]
    assert segments[1].said is False


def test_an_address_is_left_out_where_the_setting_says_so() -> None:
    segments = read_whole("See https://example.org/x now.", rules=ScanRules(urls="skip"))
    assert script(segments) == "C: See now."


def test_every_span_points_at_the_words_in_the_original() -> None:
    text = "<think>x</think> &quot;Hé&amp;llo   *you*,&quot; she\nsaid. [Link](http://a.b)"
    for segment in read_whole(text):
        for char, source in zip(segment.text, segment.sources, strict=True):
            if char.isalnum():
                assert text[source] == char
        assert text[segment.span.start] == segment.text[0]
        assert text[segment.span.end - 1] == segment.text[-1]


@pytest.mark.parametrize(
    ("text", "boundaries"),
    [
        ("One. Two.\n\nThree", [Boundary.SENTENCE, Boundary.PARAGRAPH, Boundary.PARAGRAPH]),
        ('"One," she says.', [Boundary.CLAUSE, Boundary.PARAGRAPH]),
        ("One\nTwo", [Boundary.SENTENCE, Boundary.PARAGRAPH]),
        ("One line\nwrapped softly.", [Boundary.PARAGRAPH]),
    ],
)
def test_boundaries_say_what_follows(text: str, boundaries: list[Boundary]) -> None:
    assert [segment.boundary for segment in read_whole(text)] == boundaries
