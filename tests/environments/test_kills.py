"""`engine install` killed with kill -9: nothing is left running, and the next run ends the work."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from alltalk_plugin.domain.engines import EngineSpec, InstallStep
from alltalk_plugin.environments.install import install
from alltalk_plugin.environments.locate import Standing, place
from alltalk_plugin.environments.places import EngineFolder
from tests.environments.tone import STEPS, tone_spec
from tests.environments.workshop import Watched

pytestmark = pytest.mark.slow

# A source package whose build says that it was reached, then waits until it may go on.
BACKEND = """
import os, pathlib

def build_wheel(folder, config_settings=None, metadata_directory=None):
    for pipe in ("reached", "gate"):
        if os.path.exists(os.path.join({pipes!r}, pipe)):
            os.close(os.open(os.path.join({pipes!r}, pipe), os.O_WRONLY))
    from wheels import make_wheel
    return make_wheel(pathlib.Path(folder), "tone-slow", "1.0", {{"tone_slow.py": ""}}).name
"""
PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "tone-slow"
version = "1.0"
"""
INSTALL = """
import sys
from pathlib import Path
from alltalk_plugin.environments.install import install
from tests.environments.test_kills import slow_spec
install(Path(sys.argv[1]), slow_spec(Path(sys.argv[2])), tell=lambda event: None, device="cpu")
"""


def slow_spec(folder: Path) -> EngineSpec:
    steps = (STEPS[0], InstallStep((f"tone-slow @ {(folder / 'source').as_uri()}",)))
    return tone_spec(folder, steps=steps)


@pytest.fixture
def pipes(tmp_path: Path) -> Path:
    """What the build waits at: `reached` opens once it runs, `gate` lets it go on; without them it does."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "pyproject.toml").write_text(PROJECT)
    (source / "backend.py").write_text(BACKEND.format(pipes=str(tmp_path)))
    (source / "wheels.py").write_text((Path(__file__).with_name("wheels.py")).read_text())
    os.mkfifo(tmp_path / "reached")
    os.mkfifo(tmp_path / "gate")
    return tmp_path


def test_installation_when_killed_in_the_middle_then_pip_ends_too_and_the_next_run_goes_on(
    home: Path, shop: Path, pipes: Path
) -> None:
    command = [sys.executable, "-c", INSTALL, str(home), str(pipes)]
    installer = subprocess.Popen(command, cwd=Path(__file__).parents[2])
    with (pipes / "reached").open("rb") as reached:
        reached.read()
    below = psutil.Process(installer.pid).children(recursive=True)
    pips = [one for one in below if "install" in one.cmdline()]
    assert pips
    installer.kill()
    installer.wait()
    _, alive = psutil.wait_procs(pips, timeout=20)
    assert alive == []
    (pipes / "reached").unlink()
    with (pipes / "gate").open("rb"):  # the build may end
        (pipes / "gate").unlink()
    psutil.wait_procs(below, timeout=20)

    spec, told = slow_spec(pipes), Watched()
    assert place(home, spec).standing is Standing.UNFINISHED
    done = install(home, spec, tell=told)
    assert done.placement.standing is Standing.OWN
    assert told.stages[0].startswith("3/4")
    assert not EngineFolder(home, "tone").scratch.exists()
