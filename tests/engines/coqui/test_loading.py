"""What a load leaves in memory, and what a process that waits for a model has done before it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.neural import interpreter

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

Found = Mapping[str, Any]
INSIDE = Path(__file__).with_name("loading_inside.py")
MODELS = ("vits_speakers", "glow", "tacotron2_melgan")


def run(*arguments: object, **environment: str) -> str:
    command = [str(interpreter("coqui")), "-I", str(INSIDE), *map(str, arguments)]
    ran = subprocess.run(
        command, check=True, timeout=200, stdout=subprocess.PIPE, env={**os.environ, **environment}
    )
    return ran.stdout.decode()


@pytest.fixture(scope="module")
def inside(coqui: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Found:
    answer = tmp_path_factory.mktemp("loading") / "answer.json"
    run(answer, *(coqui[name] for name in MODELS))
    found: Found = json.loads(answer.read_text())
    return found


@pytest.fixture(params=MODELS)
def found(inside: Found, coqui: Mapping[str, Path], request: pytest.FixtureRequest) -> Found:
    of_model: Found = inside[coqui[request.param].name]
    return of_model


def test_weights_are_those_of_the_file_and_no_copies(found: Found) -> None:
    assert found["weights"] > 20
    assert found["of the file"] >= 0.8 * found["weights"]  # Glow-TTS turns some of its own into others
    assert found["speaks"] > 0.001


def test_a_model_that_is_let_go_lets_go_of_its_file(found: Found) -> None:
    assert not found["mapped afterwards"]


def test_a_file_of_halves_then_the_model_is_whole_again(found: Found) -> None:
    assert found["kinds from halves"] == ["torch.float32"]
    assert found["speaks from halves"] > 0.001


def test_prepare_then_the_first_window_of_a_published_vits_compiles_nothing() -> None:
    before, after = run("prepare", ONEDNN_VERBOSE="2").split("prepared\n")
    assert compiled(before) > 20
    assert compiled(after) == 0
    assert ",exec," in after


def compiled(said: str) -> int:
    """How many convolutions oneDNN made a program for."""
    return sum("create:cache_miss" in line and "convolution" in line for line in said.splitlines())
