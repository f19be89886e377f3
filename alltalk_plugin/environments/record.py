"""What is known of an environment: a small file in it, replaced as a whole after every step."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallRecord:
    """How far an installation came.

    recipe: what it was made from (`recipe.recipe_of`); another one makes it outdated.
    steps_done: of the recipe; an installation that goes on begins with the next.
    complete: everything is there and the engine was imported once.
    duration_s: of all its runs together. size_mb: measured at the end, 0 before.
    """

    recipe: str
    python: str
    platform: str
    device: str
    steps_done: int = 0
    complete: bool = False
    duration_s: float = 0.0
    size_mb: int = 0


_FIELDS = fields(InstallRecord)
_KINDS = {
    field.name: {"str": str, "int": int, "bool": bool, "float": float}[str(field.type)] for field in _FIELDS
}


def read_record(path: Path) -> InstallRecord | None:
    """The record, or None for one that is missing, torn or of another make; never an error."""
    try:
        told = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):  # the last: JSON nested deeper than Python's stack
        return None
    if not isinstance(told, dict) or {field.name: type(told.get(field.name)) for field in _FIELDS} != _KINDS:
        return None
    return InstallRecord(**{field.name: told[field.name] for field in _FIELDS})


def write_record(path: Path, record: InstallRecord) -> None:
    """Replace the record; a crash leaves the old one or the new one. Raises: OSError."""
    fresh = path.with_suffix(".new")
    with fresh.open("w", encoding="utf-8") as file:
        json.dump(asdict(record), file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
