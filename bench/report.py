"""How a measurement is shown and kept."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

OUT = Path(__file__).parent / "out"

Table = Mapping[str, Sequence[float]]
"""A row's name -> its samples."""


def save_and_print(name: str, table: Table) -> None:
    """Median, spread and count of each row, on the terminal and as JSON."""
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"\n{name}  ({machine}, {datetime.now(UTC):%Y-%m-%d})")
    width = max(len(row) for row in table)
    print(f"{'':{width}}  {'median':>9}  {'min':>9}  {'max':>9}  n")
    rows = {}
    for row, samples in table.items():
        middle = statistics.median(samples)
        print(f"{row:{width}}  {middle:9.2f}  {min(samples):9.2f}  {max(samples):9.2f}  {len(samples)}")
        rows[row] = {"median": middle, "min": min(samples), "max": max(samples), "samples": list(samples)}
    OUT.mkdir(exist_ok=True)
    (OUT / f"{name}.json").write_text(
        json.dumps({"machine": machine, "rows": rows}, indent=1), encoding="utf-8"
    )
