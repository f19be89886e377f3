"""What it costs to turn a reply into segments, and how often two other programs' rules and ours are right.

"Found" rows detect languages, "known" rows have one candidate, so that only the scanner works. "Dense" text
is marks and short lines; random text is any Unicode; the other kinds are what a scanner could stumble over.
Times are processor time.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.speech import Reply
from alltalk_plugin.settings.schema import LanguageSettings, SpeechSettings
from alltalk_plugin.text.language import LangidDetector
from alltalk_plugin.text.prepare import ReplyPreparer
from bench.report import Table
from bench.text_rules import alltalk, sillytavern
from tests.corpus.judge import Line, Said, judge, lines, said

_PARAGRAPH = (
    "*She smiles and walks over to the window, looking out at the rain.* “I told you,” she said, stepping "
    "closer, “not to come here. It isn't safe!” He nods; the café is quiet. “Why not?” he asks.\n\n"
)
_DENSE = (
    '*waves* "Hi!" she said. "It\'s *so* good, really, 5 of them…" **Bold** text, (aside) and `code`.\n'
    "- item one\n- item two\n\n"
)
_HARD = {
    "one line": "She walks on and on, then says nothing at all. ",
    "one word": "a",
    "asterisks": "*",
    "bold": "**a",
    "narration that nobody closes": "*a ",
    "quotes": '"',
    "nested quotes": "“a «b „c ",
    "single quotes": "‘a ",
    "brackets": "[",
    "links that nobody closes": "[a](",
    "tags that nobody closes": "<a href='",
    "fences": "```\n",
    "thoughts that nobody closes": "<think>a ",
    "formulas that nobody closes": "$a ",
    "combining marks": "e\u0301\u0300",
    "alternating scripts": "aяあ漢한αابก",
    "entities": "&quot;",
    "ampersands": "&",
    "addresses": "https://a.b/c ",
    "one address": "https://a",
    "short lines": "A\n",
    "list items": "* a\n",
    "dashes": "— a ",
    "newlines": "\n",
}
"""What is repeated to make text of each kind."""
_SAMPLES = 200
_LONG_SAMPLES = 3
_MILLION = 1_000_000
_HARD_CHARS = 200_000


def measure() -> Table:
    """Milliseconds; rows "over" are ratios of times; rows "of ... lines" are shares of the corpus."""
    detector = LangidDetector()
    began = time.process_time()
    detector.detect("Hello there, my friend", LanguageSettings().candidates)
    loading_ms = (time.process_time() - began) * 1000
    speech, languages = SpeechSettings(), LanguageSettings()
    preparer = ReplyPreparer(lambda: speech, lambda: languages, detector)
    known = (LanguageTag("en"),)
    usual = (_PARAGRAPH * 6)[:1000]
    table: dict[str, list[float]] = {
        "loading the language model, ms": [loading_ms],
        "1,000 characters, language found, ms": [_cost_ms(preparer, usual, None) for _ in range(_SAMPLES)],
        "1,000 characters, language known, ms": [_cost_ms(preparer, usual, known) for _ in range(_SAMPLES)],
    }
    chance = random.Random(1)
    anything = "".join(map(chr, chance.choices(range(32, 0x30000), k=_MILLION)))
    for name, text in (("chat", _PARAGRAPH), ("dense", _DENSE), ("random", anything)):
        whole_ms, ratio = _doubled(preparer, text, _MILLION)
        table[f"1,000,000 characters of {name} text, language known, ms"] = whole_ms
        table[f"1,000,000 over 500,000 characters of {name} text"] = [ratio]
    for name, text in _HARD.items():
        whole_ms, ratio = _doubled(preparer, text, _HARD_CHARS)
        table[f"{_HARD_CHARS:,} characters, {name}, ms"] = whole_ms
        table[f"{_HARD_CHARS:,} over {_HARD_CHARS // 2:,} characters, {name}"] = [ratio]
    return {**table, **_compared(preparer)}


def _doubled(preparer: ReplyPreparer, unit: str, chars: int) -> tuple[list[float], float]:
    """What `chars` characters of a repeated text cost, and over what the half of them costs."""
    whole = (unit * (chars // len(unit) + 1))[:chars]
    known = (LanguageTag("en"),)
    half_ms = [_cost_ms(preparer, whole[: chars // 2], known) for _ in range(_LONG_SAMPLES)]
    whole_ms = [_cost_ms(preparer, whole, known) for _ in range(_LONG_SAMPLES)]
    return whole_ms, min(whole_ms) / min(half_ms)


def _compared(preparer: ReplyPreparer) -> Table:
    """The same lines read by each rule; unmarked text by the reading that suits the rule better."""
    corpus = lines()
    rules: dict[str, Callable[[Line], tuple[Said, ...]]] = {
        "AllTalk, unmarked is the character's": lambda line: alltalk(line.text, "character"),
        "AllTalk, unmarked is the narrator's": lambda line: alltalk(line.text, "narrator"),
        "SillyTavern, unmarked is the character's": lambda line: sillytavern(line.text, "character"),
        "SillyTavern, unmarked is the narrator's": lambda line: sillytavern(line.text, "narrator"),
        "ours": lambda line: said(preparer.segments(line.reply)),
        "ours, growing, without history": lambda line: _grown(preparer, line),
    }
    table: dict[str, list[float]] = {}
    for name, read in rules.items():
        verdicts = [judge(line, read(line)) for line in corpus]
        table[f"{name}: roles and words right, of {len(corpus)} lines"] = [
            sum(verdict.roles for verdict in verdicts) / len(corpus)
        ]
        table[f"{name}: words right, of {len(corpus)} lines"] = [
            sum(verdict.words for verdict in verdicts) / len(corpus)
        ]
    return table


def _grown(preparer: ReplyPreparer, line: Line) -> tuple[Said, ...]:
    growing = preparer.growing(line.reply)
    segments = [segment for char in line.text for segment in growing.add(char)]
    return said((*segments, *growing.finish()))


def _cost_ms(preparer: ReplyPreparer, text: str, languages: tuple[LanguageTag, ...] | None) -> float:
    began = time.process_time()
    preparer.segments(Reply(text=text, character="Aria", languages=languages))
    return (time.process_time() - began) * 1000
