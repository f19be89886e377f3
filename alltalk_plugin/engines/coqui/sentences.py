"""A text in the pieces that are spoken one by one, so that the first sound comes early. Stdlib only."""

from __future__ import annotations

import re
from collections.abc import Iterator

_ENDS = re.compile(r"(?:(?<=[.!?…])|(?<=[.!?…][\"'”’»)\]]))\s+|(?<=[。！？])")
_CLAUSES = (";:,—–；：，、", " ")


def sentences_of(text: str, limit: int) -> Iterator[str]:
    """`text` in order, cut after sentences; one longer than `limit` characters after clauses, else words."""
    for sentence in _ENDS.split(text):
        rest = sentence.strip()
        while len(rest) > limit:
            cut = _cut(rest, limit)
            yield rest[:cut].rstrip()
            rest = rest[cut:].lstrip()
        if rest:
            yield rest


def _cut(text: str, limit: int) -> int:
    room = text[:limit]
    for marks in _CLAUSES:
        found = max(room.rfind(mark) for mark in marks) + 1
        if found > limit // 3:  # sooner would make crumbs
            return found
    return limit
