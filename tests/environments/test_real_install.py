"""Real environments from a folder of wheels: no network, a few seconds each."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from alltalk_plugin.domain.clock import SystemClock
from alltalk_plugin.domain.errors import InstallError
from alltalk_plugin.environments import making
from alltalk_plugin.environments.distributions import sweep_unfinished, versions
from alltalk_plugin.environments.events import InstallEvent, Working
from alltalk_plugin.environments.install import install
from alltalk_plugin.environments.locate import environment_of
from alltalk_plugin.environments.pip import Pip, PipFailed
from alltalk_plugin.environments.places import EngineFolder
from alltalk_plugin.environments.remove import remove
from alltalk_plugin.workers.supervisor import WorkerLoader
from tests.environments.tone import STEPS, fill_shop, tone_spec
from tests.environments.wheels import simple_index
from tests.environments.workshop import Watched
from tests.workers.rude_spec import load, say

pytestmark = pytest.mark.slow

BOTH = ("tone-engine", "tone-extra")


def frozen() -> bytes:
    """What is installed in the service's environment."""
    return subprocess.run([sys.executable, "-m", "pip", "freeze"], capture_output=True, check=True).stdout


@pytest.fixture
def loader(home: Path, tmp_path: Path) -> Iterator[WorkerLoader]:
    made = WorkerLoader(
        {"tone": tone_spec(tmp_path)},
        clock=SystemClock(),
        environment_of=lambda spec: environment_of(home, spec),
    )
    yield made
    made.close()


def test_engine_when_installed_then_it_speaks_from_its_own_environment_and_ours_is_as_before(
    home: Path, shop: Path, tmp_path: Path, loader: WorkerLoader
) -> None:
    spec, folder, told, before = tone_spec(tmp_path), EngineFolder(home, "tone"), Watched(), frozen()
    done = install(home, spec, tell=told, device="cpu")
    assert done.changed
    assert versions(BOTH, folder.packages) == ("tone-engine 1.0", "tone-extra 1.0")
    assert [one for one in told if isinstance(one, Working) and "tone_engine-1.0" in one.line]
    assert f"$ pip install --constraint {tmp_path}" in folder.log.read_text()
    assert not folder.scratch.exists()
    assert done.placement.size_mb is not None and done.placement.size_mb >= 5
    assert frozen() == before

    model = load(loader, engine="tone")
    assert len(say(model, "Hum.")) == 16_000
    with pytest.raises(InstallError, match="in use by 1 running") as caught:
        remove(home, "tone")
    assert "--force" in caught.value.hint
    assert remove(home, "tone", force=True)
    assert not folder.root.exists()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> EngineFolder:
    """An environment with a pip and nothing else; each test leaves it so."""
    base = tmp_path_factory.mktemp("made")
    folder = EngineFolder(base, "tone")
    making.make(folder)
    fill_shop(base / "shop")
    return folder


def pip_of(folder: EngineFolder) -> Pip:
    return Pip(folder.interpreter, log=folder.log, scratch=folder.scratch, tell=Watched())


def test_pip_when_it_fails_then_its_first_word_of_it_and_the_whole_in_the_log(
    shop: Path, made: EngineFolder
) -> None:
    with pytest.raises(PipFailed, match="Could not find a version") as caught:
        pip_of(made).run("install", "no-such-thing")
    assert "No matching distribution" in caught.value.last_lines[-1]
    assert "No matching distribution" in made.log.read_text()


def test_pip_when_we_are_interrupted_then_it_is_ended(shop: Path, made: EngineFolder) -> None:
    def interrupted(_event: InstallEvent) -> None:
        raise KeyboardInterrupt

    before = set(psutil.Process().children())
    pip = Pip(made.interpreter, log=made.log, scratch=made.scratch, tell=interrupted)
    with pytest.raises(KeyboardInterrupt):
        pip.run("install", "tone-engine")
    assert set(psutil.Process().children()) == before


def test_index_when_asked_then_only_it_answers(
    shop: Path, made: EngineFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    index = simple_index(tmp_path / "index", next(shop.glob("tone_extra*")))
    assert pip_of(made).offers("tone-extra", index)
    assert not pip_of(made).offers("tone-engine", index)  # the shop has it, and the shop is not asked
    assert not pip_of(made).offers("tone-extra", (tmp_path / "nowhere").as_uri())


def test_distribution_when_pip_was_killed_over_it_then_it_is_installed_again(
    shop: Path, made: EngineFolder
) -> None:
    pip = pip_of(made)
    pip.run("install", *STEPS[0].requirements)
    module = made.packages / "tone_engine.py"
    module.unlink()
    (made.packages / "tone_engine-2.0.dist-info" / "INSTALLER").unlink()
    pip.run("install", *STEPS[0].requirements)
    assert not module.exists()  # its metadata is there, and pip believes metadata
    assert sweep_unfinished(made.packages) == ("tone_engine-2.0",)
    pip.run("install", *STEPS[0].requirements)
    assert module.is_file()
    pip.run("uninstall", "--yes", *STEPS[0].requirements)


def test_import_when_it_fails_then_its_last_words_and_the_whole_in_the_log(
    made: EngineFolder, tmp_path: Path
) -> None:
    with pytest.raises(
        InstallError, match=r"tone was installed, but cannot be imported: ModuleNotFoundError"
    ):
        making.try_import(made, tone_spec(tmp_path))
    assert "Traceback" in made.log.read_text()


def test_environment_when_it_cannot_be_made_then_virtualenvs_last_words(tmp_path: Path) -> None:
    folder = EngineFolder(tmp_path, "tone")
    folder.root.mkdir(parents=True)
    (folder.root / "bin").write_text("in the way")
    with pytest.raises(InstallError, match="no environment could be made in"):
        making.make(folder)
