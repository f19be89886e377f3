"""An engine that is not installed makes its tests fail; they are never left out."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.engines import CANDIDATES

pytestmark = pytest.mark.slow

SUITE = Path(__file__).with_name("test_engines.py")


def test_without_the_engines_their_tests_fail_and_say_what_to_type(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", str(SUITE), "-p", "no:cacheprovider", "-k", "load_then_verify"],
        env={**os.environ, "ALLTALK_TEST_HOME": str(tmp_path), "COLUMNS": "300"},
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert ran.returncode == 1, ran.stdout[-2_000:]
    lines = ran.stdout.splitlines()
    missing = [candidate.name for candidate in CANDIDATES if candidate.checkpoint]
    for name in missing:
        (told,) = (line for line in lines if line.startswith("ERROR") and f"[{name}]" in line)
        assert "run 'make engines'" in told
    assert f"{len(CANDIDATES) - len(missing)} passed" in lines[-1]
    assert f"{len(missing)} errors" in lines[-1]
    assert "skipped" not in lines[-1]
