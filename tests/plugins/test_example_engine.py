"""The engine of docs/example-engine: installed, registered, given an environment, held to the contract.

`docs/plugins.md` walks through it, so what it says works here.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from alltalk_plugin.domain.clock import SystemClock
from alltalk_plugin.domain.engines import EngineSpec
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.environments.places import EngineFolder
from alltalk_plugin.workers.supervisor import WorkerEnvironment, WorkerLoader
from tests.contract import test_engines as contract
from tests.contract.engines import Candidate

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).resolve().parent.parent.parent / "docs" / "example-engine"


@dataclass(frozen=True, slots=True)
class Service:
    """A service's environment in which the example was installed, and its data folder."""

    python: Path
    home: Path

    def run(self, *arguments: str) -> str:
        command = [str(self.python), "-m", "alltalk_plugin", "--home", str(self.home), *arguments]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=110)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """A fresh environment that has this package, and the example installed from its folder by pip."""
    folder = tmp_path_factory.mktemp("example")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], check=True)
    scripts = folder / "venv" / ("Scripts" if sys.platform == "win32" else "bin")
    python = scripts / ("python.exe" if sys.platform == "win32" else "python")
    packages = subprocess.run(
        [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    ours = sysconfig.get_path("purelib")
    Path(packages, "ours.pth").write_text(f"import site; site.addsitedir({ours!r})\n", "utf-8")
    pip = [str(python), "-m", "pip", "install", "--quiet", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, str(FOLDER)], check=True)
    return Service(python, folder / "home")


@pytest.fixture(scope="module")
def installed(service: Service) -> Service:
    service.run("engine", "install", "formant", "--device", "cpu")
    return service


@pytest.fixture(scope="module")
def candidate() -> Candidate:
    return Candidate(
        name="formant",
        spec=spec_of_the_example(),
        speakers=(None, "ada", "otto"),
        foreign=LanguageTag("de"),
        nearest=("oto", "otto"),
        start_s=4.0,
    )


@pytest.fixture(scope="module")
def loader(installed: Service, candidate: Candidate) -> Iterator[WorkerLoader]:
    interpreter = EngineFolder(installed.home, "formant").interpreter
    made = WorkerLoader(
        {"formant": candidate.spec},
        clock=SystemClock(),
        environment_of=lambda _spec: WorkerEnvironment(interpreter),
    )
    yield made
    made.close()


model = contract.model
whole = contract.whole
# Every test of the suite, with the candidate and the loader of this module.
globals().update({name: test for name, test in vars(contract).items() if name.startswith("test_")})


def spec_of_the_example() -> EngineSpec:
    """As the service gets it, but imported from the folder: it is not installed in this environment."""
    sys.path.insert(0, str(FOLDER / "src"))
    try:
        found = importlib.import_module("alltalk_formant.plugin").SPEC
    finally:
        sys.path.remove(str(FOLDER / "src"))
    assert isinstance(found, EngineSpec)
    return found


def test_plugin_is_found_by_its_entry_point(service: Service) -> None:
    listed = json.loads(service.run("--json", "plugins"))
    example = next(one for one in listed if one["plugin"] == "formant")
    assert example["hooks"] == ["alltalk_register_engines"]
    assert (example["version"], example["error"]) == ("1.0", None)


def test_engine_runs_in_an_environment_of_its_own(installed: Service) -> None:
    listed = json.loads(installed.run("--json", "engine", "list"))
    example = next(one for one in listed if one["engine"] == "formant")
    assert example["runs in"] == "its own environment"
    assert "numpy 2.3.5" in example["versions"]


def test_spec_does_not_import_the_engine() -> None:
    spec_of_the_example()
    assert "alltalk_formant.engine" not in sys.modules


def test_characters_speak_with_it(installed: Service, tmp_path: Path) -> None:
    settings = installed.home / "settings.yaml"
    settings.write_text(
        "models: {formant: {engine: formant}}\n"
        "voices: {ada: {model: formant, speaker: ada}, otto: {model: formant, speaker: otto}}\n",
        "utf-8",
    )
    out = tmp_path / "spoken.wav"
    installed.run("say", "Good morning.", "--voice", "otto", "--out", str(out))
    assert out.stat().st_size > 20_000
