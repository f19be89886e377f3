"""Text cut to what XTTS speaks to its end. Pure; standard library only."""

from __future__ import annotations

from collections.abc import Iterator

# Where a cut hurts least, best first.
_BREAKS = (".!?…。！？।؟", ";:,—–；：，、،", " ")


def parts_of(text: str, limit_chars: int, *, spaced: bool = True) -> Iterator[str]:
    """`text` in order, in parts of at most `limit_chars`, cut after sentences, else clauses, else words.

    A word is left whole, however long, unless the language puts no spaces between words (`spaced`).
    """
    rest = text.strip()
    while len(rest) > limit_chars and (cut := _cut(rest, limit_chars, spaced)) < len(rest):
        yield rest[:cut].rstrip()
        rest = rest[cut:].lstrip()
    if rest:
        yield rest


def _cut(text: str, limit_chars: int, spaced: bool) -> int:
    room = text[:limit_chars]
    for breaks in _BREAKS:
        found = max(room.rfind(char) for char in breaks) + 1
        if found > limit_chars // 3:  # earlier ones would make crumbs
            return found
    if not spaced:
        return limit_chars
    last = room.rfind(" ") + 1
    return last or text.find(" ", limit_chars) + 1 or len(text)
