"""What it costs to turn a reply into segments: one of a usual length, and one of a million characters.

"Found" rows detect languages, "known" rows have one candidate, so that only the scanner works.
"""

from __future__ import annotations

import time

from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.speech import Reply
from alltalk_plugin.settings.schema import LanguageSettings, SpeechSettings
from alltalk_plugin.text.language import LangidDetector
from alltalk_plugin.text.prepare import ReplyPreparer
from bench.report import Table

_PARAGRAPH = (
    "*She smiles and walks over to the window, looking out at the rain.* “I told you,” she said, stepping "
    "closer, “not to come here. It isn't safe!” He nods; the café is quiet. “Why not?” he asks.\n\n"
)
_SAMPLES = 20
_LONG_SAMPLES = 3


def measure() -> Table:
    """Milliseconds; the last row is the time of 1,000,000 characters over that of 500,000."""
    detector = LangidDetector()
    began = time.perf_counter()
    detector.detect("Hello there, my friend", LanguageSettings().candidates)
    loading_ms = (time.perf_counter() - began) * 1000
    preparer = ReplyPreparer(SpeechSettings, LanguageSettings, detector)
    known = (LanguageTag("en"),)
    half = [_cost_ms(preparer, 500_000, known) for _ in range(_LONG_SAMPLES)]
    whole = [_cost_ms(preparer, 1_000_000, known) for _ in range(_LONG_SAMPLES)]
    return {
        "loading the language model, ms": [loading_ms],
        "1,000 characters, language found, ms": [_cost_ms(preparer, 1000, None) for _ in range(_SAMPLES)],
        "1,000 characters, language known, ms": [_cost_ms(preparer, 1000, known) for _ in range(_SAMPLES)],
        "1,000,000 characters, language found, ms": [_cost_ms(preparer, 1_000_000, None)],
        "1,000,000 characters, language known, ms": whole,
        "1,000,000 over 500,000 characters": [long / short for long, short in zip(whole, half, strict=True)],
    }


def _cost_ms(preparer: ReplyPreparer, chars: int, languages: tuple[LanguageTag, ...] | None) -> float:
    text = (_PARAGRAPH * (chars // len(_PARAGRAPH) + 1))[:chars]
    began = time.perf_counter()
    preparer.segments(Reply(text=text, character="Aria", languages=languages))
    return (time.perf_counter() - began) * 1000
