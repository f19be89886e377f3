"""The known name nearest to one that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """The most similar of `known`, upper and lower case alike; None when nothing is close."""
    by_folded = {candidate.casefold(): candidate for candidate in known}
    close = difflib.get_close_matches(name.casefold(), by_folded, n=1)
    return by_folded[close[0]] if close else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A clause to end an error with: the nearest name, else all of a few, else nothing."""
    names = sorted(known)
    if (near := nearest_name(name, names)) is not None:
        return f"; did you mean '{near}'?"
    if names and len(names) <= 16:
        return f"; known: {', '.join(names)}"
    return ""
