"""Cuts a sentence where its language can change, and says which of the parts are judged together.

That is at quotes, guillemets and asterisks, at colons and at changes of script; at commas and dashes where
clauses are asked for.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

from alltalk_plugin.text.scripts import LATIN, Run, script_runs

LETTER = re.compile(r"[^\W\d_]")
_COLON = re.compile(r"(?<=[:：])\s*")
_CLAUSE = re.compile(r"(?<=[,;—–])\s+|(?<=[，；、])")


def one_run(text: str) -> list[Run]:
    """All of an ASCII text as it is."""
    return [(0, len(text), LATIN if LETTER.search(text) else None)]


def runs_and_units(
    text: str, inserts: Sequence[tuple[int, int]], *, clauses: bool
) -> tuple[list[Run], list[list[Run]]]:
    """The runs, which cover the text in order, and the same by what is judged together.

    A unit has the runs of one script, across inserts; a colon parts them, and each insert is its own.
    """
    if not inserts and text.isascii() and ":" not in text and not (clauses and _CLAUSE.search(text)):
        runs = one_run(text)
        return runs, [runs]
    runs = []
    units: defaultdict[tuple[bool, int], defaultdict[str | None, list[Run]]]
    units = defaultdict(lambda: defaultdict(list))
    for start, end, place in _sections(text, inserts, clauses=clauses):
        of_place = units[place]
        section = script_runs(text, start, end)
        for run in section:
            of_place[run[2]].append(run)
        runs += section
    return runs, [unit for of_place in units.values() for unit in of_place.values()]


def _sections(
    text: str, inserts: Sequence[tuple[int, int]], *, clauses: bool
) -> Iterator[tuple[int, int, tuple[bool, int]]]:
    """What lies between the cuts, and its place: whether inside an insert, behind how many of those or
    of colons."""
    cuts = {0, len(text)}
    cuts.update(edge for insert in inserts for edge in insert)
    cuts.update(match.end() for match in _COLON.finditer(text))
    if clauses:
        cuts.update(match.end() for match in _CLAUSE.finditer(text))
    colons = entered = 0
    was_inner = False
    for start, end in pairwise(sorted(cuts)):
        inner = any(first <= start < last for first, last in inserts)
        entered += inner and not was_inner
        was_inner = inner
        yield start, end, (inner, entered if inner else colons)
        colons += text[start:end].rstrip().endswith((":", "："))
