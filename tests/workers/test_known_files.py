"""A worker is told which files need not be read for their checksums again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from alltalk_plugin.domain.clock import SystemClock
from alltalk_plugin.domain.errors import ModelCorrupt
from alltalk_plugin.domain.models import ModelProfile
from alltalk_plugin.engines.revisions import files_revision
from alltalk_plugin.workers.supervisor import WorkerLoader
from tests.workers.rude_spec import RUDE, load, rude_environment, say

pytestmark = pytest.mark.slow


def revision(profile: ModelProfile) -> str:
    return "" if profile.path is None else files_revision([profile.path])


@pytest.fixture
def loader() -> Iterator[WorkerLoader]:
    spec = replace(RUDE, revision=revision)
    loader = WorkerLoader({spec.name: spec}, clock=SystemClock(), environment_of=rude_environment)
    yield loader
    loader.close()


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "weights"
    path.write_text("good")
    return path


def taken_for_whole(loader: WorkerLoader, path: Path | None, *, check: bool = True) -> bool:
    model = load(loader, path=path, check=check)
    try:
        return len(say(model, "whole")) == 2
    finally:
        model.unload()


def test_files_that_loaded_are_whole_until_they_change(loader: WorkerLoader, weights: Path) -> None:
    assert [taken_for_whole(loader, weights) for _ in range(3)] == [False, True, True]
    os.utime(weights, ns=(1, 1))
    assert [taken_for_whole(loader, weights) for _ in range(2)] == [False, True]


def test_files_loaded_with_other_options_are_not_known(loader: WorkerLoader, weights: Path) -> None:
    taken_for_whole(loader, weights, check=False)
    assert not taken_for_whole(loader, weights, check=True)


def test_files_of_which_nobody_can_say_whether_they_changed_are_never_known(loader: WorkerLoader) -> None:
    assert [taken_for_whole(loader, None) for _ in range(2)] == [False, False]


def test_files_that_failed_to_load_are_not_known_any_more(loader: WorkerLoader, weights: Path) -> None:
    """Damage that left name, size and time as they were: a failing disk, not an editor."""
    taken_for_whole(loader, weights)
    status = weights.stat()
    for content, loads in (("torn", False), ("good", True)):
        weights.write_text(content)
        os.utime(weights, ns=(status.st_atime_ns, status.st_mtime_ns))
        if loads:
            assert not taken_for_whole(loader, weights)
        else:
            with pytest.raises(ModelCorrupt):
                taken_for_whole(loader, weights)
