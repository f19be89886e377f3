"""Tiny voices and their workers, made once for each module."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from alltalk_plugin.domain.clock import SystemClock
from alltalk_plugin.engines.piper.spec import SPEC
from alltalk_plugin.workers.model import WorkerModel
from alltalk_plugin.workers.supervisor import WorkerLoader
from tests.checkpoints.piper import piper_voices
from tests.engines.piper.speaking import UNFILTERED, environment_of, loaded


@pytest.fixture(scope="module")
def loader() -> Iterator[WorkerLoader]:
    engines = {spec.name: spec for spec in (SPEC, UNFILTERED)}
    loader = WorkerLoader(engines, clock=SystemClock(), environment_of=environment_of)
    yield loader
    loader.close()


@pytest.fixture(scope="module")
def voices(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return piper_voices(tmp_path_factory.mktemp("voices"))


@pytest.fixture(scope="module")
def single(loader: WorkerLoader, voices: dict[str, Path]) -> WorkerModel:
    return loaded(loader, voices["single"])


@pytest.fixture(scope="module")
def speakers(loader: WorkerLoader, voices: dict[str, Path]) -> WorkerModel:
    return loaded(loader, voices["speakers"])


@pytest.fixture
def own(voices: dict[str, Path], tmp_path: Path) -> Path:
    """A copy of the single voice to damage."""
    for path in (voices["single"], voices["single"].with_name("single.onnx.json")):
        shutil.copy(path, tmp_path)
    return tmp_path / "single.onnx"
