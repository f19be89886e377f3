"""Text cut to what one engine takes at once. Pure."""

from __future__ import annotations

from collections.abc import Iterator

# Where a cut hurts least, best first; a cut in the first third of the room would make crumbs.
_BREAKS = (".!?…。！？", ";:,—–；：，、", " ")


def pieces_of(text: str, max_chars: int) -> Iterator[str]:
    """`text` in order, in pieces of at most `max_chars`, cut after sentences, else clauses, else words."""
    rest = text.strip()
    while len(rest) > max_chars:
        cut = _cut(rest, max_chars)
        yield rest[:cut].rstrip()
        rest = rest[cut:].lstrip()
    if rest:
        yield rest


def _cut(text: str, max_chars: int) -> int:
    room = text[:max_chars]
    for breaks in _BREAKS:
        found = max(room.rfind(char) for char in breaks) + 1
        if found > max_chars // 3:
            return found
    return max_chars
