"""Plain aligned tables and JSON for the terminal."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click

Row = Sequence[object]


def print_rows(headings: Sequence[str], rows: Sequence[Row], *, as_json: bool) -> None:
    """Rows under headings, aligned; as JSON a list of objects keyed by the headings."""
    if as_json:
        print_json([dict(zip(headings, row, strict=True)) for row in rows])
        return
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(len(heading), *(len(row[i]) for row in cells), 0) for i, heading in enumerate(headings)]
    click.echo(_line([heading.upper() for heading in headings], widths))
    for row in cells:
        click.echo(_line(row, widths))


def print_json(value: Any) -> None:
    """`value` as indented JSON, other scripts kept readable."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _cell(value: object) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.3f}" if 0 < abs(value) < 0.1 else f"{value:.2f}"
        case list() | tuple():
            return ", ".join(_cell(item) for item in value) or "-"
        case _:
            return str(value)
