"""Fixtures that several packages of tests use: each engine's tiny models, made once; copy what you change.

Imports are inside, because the environment of the browser tests lacks what they need.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def coqui(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """The folders of Coqui's models by name, XTTS left out."""
    from tests.checkpoints import coqui_models

    return coqui_models(tmp_path_factory.mktemp("coqui"))


@pytest.fixture(scope="session")
def xtts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the models `xtts` and `xtts_alone`, which has no speakers."""
    from tests.checkpoints import write

    folder = tmp_path_factory.mktemp("xtts")
    write("write_xtts.py", "coqui", folder)
    return folder


@pytest.fixture(scope="session")
def piper(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """The voices `single` and `speakers`."""
    from tests.checkpoints.piper import piper_voices

    return piper_voices(tmp_path_factory.mktemp("piper"))


@pytest.fixture(scope="session")
def kokoro(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model."""
    from tests.checkpoints.kokoro import kokoro_model
    from tests.neural import interpreter

    interpreter("kokoro")  # the model is made without it: its absence is told here as for the others
    return kokoro_model(tmp_path_factory.mktemp("kokoro"))
