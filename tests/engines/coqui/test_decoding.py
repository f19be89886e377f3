"""A VITS, and the vocoders of models of two parts, window by window."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.neural import interpreter

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

INSIDE = Path(__file__).with_name("windows_inside.py")
VOCODERS_INSIDE = Path(__file__).with_name("vocoders_inside.py")


def test_windows_of_any_size_then_the_sound_of_one_whole_decode(
    coqui: Mapping[str, Path], tmp_path: Path
) -> None:
    answer = tmp_path / "answer.json"
    command = [str(interpreter("coqui")), "-I", str(INSIDE), str(coqui["vits_languages"]), str(answer)]
    subprocess.run(command, check=True, timeout=200)
    for found in json.loads(answer.read_text()):
        assert found["pieces"] > 2
        assert found["apart"] < 1e-5


def test_windows_of_a_vocoder_then_the_sound_of_one_whole_run(tmp_path: Path) -> None:
    answer = tmp_path / "answer.json"
    command = [str(interpreter("coqui")), "-I", str(VOCODERS_INSIDE), str(answer)]
    subprocess.run(command, check=True, timeout=200)
    found = {one["name"]: one for one in json.loads(answer.read_text())}
    assert [name for name, one in found.items() if not one["windowed"]] == ["uneven"]
    for one in found.values():
        if one["windowed"]:
            assert one["pieces"] > 2
            assert one["apart"] < 1e-5, one
            assert one["blind"] > 1e-3, one
