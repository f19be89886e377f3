"""Text and phonemes cut to what a voice in an ONNX file says in one go. Pure.

A voice makes no sound before it has worked out a whole piece, and needs memory in proportion to its length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

MAX_SENTENCE_CHARS = 170
MAX_PHONEMES = 170
"""Some 13 seconds of speech at an ordinary pace; a listener waits for all of it, at a fifth to all of that
time, and it takes 300 MB."""

_SENTENCE_END = re.compile(r"(?:\w{4,}\.|[!?…؟۔।॥]|\.{2,})['’)\]]*\s+|[。！？｡]+\s*")
"""A full stop ends a sentence after a word of four letters. Shorter ones may be abbreviations, initials or
dates; eSpeak would stop after every "Dr.", and the text arrives in sentences anyway."""
_CLAUSE_END = re.compile(r"[,;:،؛](?=\s)|[、，；：]")

_PAUSES = frozenset(".,:;!? ")


def sentences(text: str) -> Iterator[str]:
    """The sentences of `text`, none longer than `MAX_SENTENCE_CHARS`."""
    begin = 0
    for match in _SENTENCE_END.finditer(text):
        yield from _shortened(text[begin : match.end()].strip())
        begin = match.end()
    yield from _shortened(text[begin:].strip())


def _shortened(sentence: str) -> Iterator[str]:
    """Cut after a clause, else a word, else anywhere."""
    while len(sentence) > MAX_SENTENCE_CHARS:
        room = sentence[:MAX_SENTENCE_CHARS]
        clauses = [match.end() for match in _CLAUSE_END.finditer(sentence, 0, MAX_SENTENCE_CHARS)]
        cut = next((end for end in reversed(clauses) if end > MAX_SENTENCE_CHARS // 3), 0)
        cut = cut or room.rfind(" ") + 1 or MAX_SENTENCE_CHARS
        yield sentence[:cut].rstrip()
        sentence = sentence[cut:].lstrip()
    if sentence:
        yield sentence


def joined(parts: Sequence[Sequence[str]]) -> list[str]:
    """What eSpeak took for several sentences, as the one it is."""
    phonemes: list[str] = []
    for part in parts:
        if phonemes and phonemes[-1] != " ":
            phonemes.append(" ")
        phonemes.extend(part)
    return phonemes


def breaths(phonemes: Sequence[str], limit: int) -> Iterator[list[str]]:
    """`phonemes` in pieces of at most `limit`, cut at pauses if there are any, without empty ones.

    A sentence of 170 characters can have a thousand phonemes: "%%%" or a long number is said in words.
    """
    begin = 0
    while begin < len(phonemes):
        end = min(begin + limit, len(phonemes))
        if end < len(phonemes):
            pauses = (place + 1 for place in range(end - 1, begin, -1) if phonemes[place] in _PAUSES)
            end = next(pauses, end)
        piece = list(phonemes[begin:end])
        if not _PAUSES.issuperset(piece):
            yield piece
        begin = end
