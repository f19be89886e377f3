"""Text reduced to what no engine chokes on; for the second try of a piece that failed."""

from __future__ import annotations

import unicodedata

_KEPT = ".,?!"


def reduce_text(text: str) -> str:
    """`text` with letters, their marks, digits and `. , ? !` only; everything else becomes one space."""
    kept: list[str] = []
    for char in unicodedata.normalize("NFC", text):
        kind = unicodedata.category(char)
        is_mark = kind in {"Mn", "Mc"} and bool(kept) and kept[-1] != " " and kept[-1] not in _KEPT
        if kind[0] == "L" or kind == "Nd" or char in _KEPT or is_mark:
            kept.append(char)
        elif kept and kept[-1] != " ":
            kept.append(" ")
    return "".join(kept).strip()
