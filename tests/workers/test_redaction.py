from __future__ import annotations

import pytest

from alltalk_plugin.workers.redaction import SPOKEN, OutputRing, redact


@pytest.mark.parametrize(
    ("output", "text", "kept"),
    [
        ("saying: I love you.", "I love you.", f"saying: {SPOKEN}"),
        ("ValueError: 'line\\nbreak'", "line\nbreak", f"ValueError: '{SPOKEN}'"),
        ("ValueError: 'caf\\xe9s'", "cafés", f"ValueError: '{SPOKEN}'"),
        ("second line here", "first line\nsecond line here", SPOKEN),
        ("at line 3: at", "at", "at line 3: at"),
        ("nothing of it", "", "nothing of it"),
    ],
)
def test_redact_takes_the_text_out(output: str, text: str, kept: str) -> None:
    assert redact(output, [text]) == kept


def test_ring_keeps_the_last_lines_within_its_limit() -> None:
    ring = OutputRing(limit_chars=20)
    for number in range(10):
        ring.append(f"line {number}\n")
    assert ring.text() == "line 8\nline 9\n"


def test_ring_redacts_what_was_spoken_before_the_line_came() -> None:
    ring = OutputRing()
    ring.append("my secret is mentioned by chance\n")
    ring.spoke("my secret")
    assert ring.append("error near my secret\n") == f"error near {SPOKEN}\n"
    assert ring.text().startswith("my secret is")
