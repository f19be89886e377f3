"""`[voice:NAME]`: a reply that names its voices, where the settings allow it."""

from __future__ import annotations

import pytest

from alltalk_plugin.text.scanner import ScanRules
from tests.text.reading import scan

ALLOWED = ScanRules(inline_voices=True)


def chosen(text: str, rules: ScanRules = ALLOWED) -> list[tuple[str, str | None]]:
    segments, _ = scan([text], rules=rules)
    by_letters, _ = scan(text, rules=rules)
    assert segments == by_letters
    return [(segment.text, segment.voice) for segment in segments]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[voice:claire] Bonjour. Ça va?", [("Bonjour.", "claire"), ("Ça va?", "claire")]),
        ("One. [Voice: Old Man ] Two.", [("One.", None), ("Two.", "Old Man")]),
        ("I say [voice:a] hello [voice:] to you.", [("I say", None), ("hello", "a"), ("to you.", None)]),
        ("[voice:a] One.\nTwo.\n\nThree.", [("One.", "a"), ("Two.", "a"), ("Three.", None)]),
        ("[voice:a]*nods* Yes.", [("nods", "a"), ("Yes.", "a")]),
        ("[voices] of [voice] reason", [("voices of voice reason", None)]),
        ("cut off [voice:cla", [("cut off voice:cla", None)]),
    ],
)
def test_voice_mark_when_allowed_then_holds_to_the_end_of_the_paragraph(
    text: str, expected: list[tuple[str, str | None]]
) -> None:
    assert chosen(text) == expected


def test_voice_mark_when_not_allowed_then_chooses_nothing() -> None:
    assert chosen("[voice:claire] Bonjour.", ScanRules()) == [("voice:claire Bonjour.", None)]
