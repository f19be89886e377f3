"""The checkpoints of the comparisons, written once by the library's own classes with random weights."""

from __future__ import annotations

from pathlib import Path

from bench.report import OUT
from tests.checkpoints import coqui_models, write
from tests.checkpoints.piper import piper_voices

FOLDER = OUT / "checkpoints"


def vits_pair() -> tuple[Path, Path]:
    """Two VITS models of a published one's size, 141 MB each."""
    return _coqui("one", "vits_whole"), _coqui("two", "vits_whole")


def xtts() -> Path:
    """XTTS v2 with two layers, its decoder at full size: 92 MB."""
    folder = FOLDER / "xtts"
    if not (folder / "xtts" / "config.json").is_file():
        write("write_xtts.py", "coqui", folder)
    return folder / "xtts"


def piper() -> Path:
    folder = FOLDER / "piper"
    if not folder.is_dir():
        folder.mkdir(parents=True)
        piper_voices(folder)
    return next(folder.rglob("*.onnx"))


def _coqui(own: str, name: str) -> Path:
    folder = FOLDER / own
    if not (folder / name / "config.json").is_file():
        coqui_models(folder, (name,))
    return folder / name
