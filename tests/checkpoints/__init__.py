"""Tiny real checkpoints, made by the engines' own libraries in their own environments.

Random weights: they say nothing of how a voice sounds, and everything of how a model is found, loaded,
spoken with and let go.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.neural import interpreter

COQUI_MODELS = (
    "vits",
    "vits_speakers",
    "vits_languages",
    "glow",
    "glow_melgan",
    "tacotron2_melgan",
    "vits_phonemes",
    "vits_safetensors",
    "vits_nan",
)


def write(script: str, engine: str, folder: Path, *names: str) -> None:
    """Run one of the writers of this folder with an engine's interpreter; importing the library is most
    of the time."""
    path = Path(__file__).with_name(script)
    subprocess.run([str(interpreter(engine)), "-I", str(path), str(folder), *names], check=True, timeout=110)


def coqui_models(folder: Path, names: tuple[str, ...] = COQUI_MODELS) -> Mapping[str, Path]:
    """The folder of each of Coqui's tiny models, made below `folder`."""
    write("write_coqui.py", "coqui", folder, *names)
    return {name: folder / name for name in names}


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder that `make` filled. Of several processes that run the tests together, the first one makes it
    while the others wait."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        folder = factory.mktemp(name)
        make(folder)
        return folder
    import fcntl

    everybodys = factory.getbasetemp().parent
    folder, made = everybodys / name, everybodys / f"{name}.made"
    with (everybodys / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            folder.mkdir(exist_ok=True)
            make(folder)
            made.touch()
    return folder
