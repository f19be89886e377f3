"""A VITS decoded window by window."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.neural import interpreter

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

INSIDE = Path(__file__).with_name("windows_inside.py")


def test_windows_of_any_size_then_the_sound_of_one_whole_decode(
    coqui: Mapping[str, Path], tmp_path: Path
) -> None:
    answer = tmp_path / "answer.json"
    command = [str(interpreter("coqui")), "-I", str(INSIDE), str(coqui["vits_languages"]), str(answer)]
    subprocess.run(command, check=True, timeout=200)
    for found in json.loads(answer.read_text()):
        assert found["pieces"] > 2
        assert found["apart"] < 1e-5
