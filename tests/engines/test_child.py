"""Workers as processes of an engine's own environment, and what becomes of them without their service."""

from __future__ import annotations

import importlib.util
import signal
import subprocess
import sys
import venv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from alltalk_plugin.domain.cancel import CancelSource
from alltalk_plugin.domain.clock import SystemClock
from alltalk_plugin.domain.errors import ModelIncompatible
from alltalk_plugin.engines.espeak_spec import SPEC
from alltalk_plugin.workers.supervisor import CHILD, WorkerEnvironment, WorkerLoader
from tests.workers.rude_spec import RUDE, RUDE_FOLDER, load

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def bare_environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with numpy and espeakng_loader alone: ours is not installed there."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    for name in ("numpy", "numpy.libs", "espeakng_loader"):
        spec = importlib.util.find_spec(name.partition(".")[0])
        assert spec is not None
        assert spec.origin is not None
        source = Path(spec.origin).parent.parent / name
        if source.is_dir():
            (packages / name).symlink_to(source)
    return folder / "bin" / "python"


def loader_in(interpreter: Path) -> Iterator[WorkerLoader]:
    loader = WorkerLoader(
        {spec.name: spec for spec in (SPEC, RUDE, replace(RUDE, name="gone", entry="nowhere.to:create"))},
        clock=SystemClock(),
        environment_of=lambda _spec: WorkerEnvironment(interpreter, (RUDE_FOLDER,)),
    )
    yield loader
    loader.close()


@pytest.fixture
def bare_loader(bare_environment: Path) -> Iterator[WorkerLoader]:
    yield from loader_in(bare_environment)


def test_engine_in_an_environment_without_our_package_speaks(bare_loader: WorkerLoader) -> None:
    load(bare_loader, engine="espeak").verify(CancelSource())


def test_engine_from_a_search_path_speaks_there_too(bare_loader: WorkerLoader) -> None:
    load(bare_loader, engine="rude").verify(CancelSource())


def test_engine_does_not_see_the_packages_of_the_service(bare_loader: WorkerLoader) -> None:
    with pytest.raises(ModelIncompatible, match="loguru"):
        load(bare_loader, engine="rude", load="import loguru")


def test_engine_whose_entry_is_not_installed_then_incompatible(bare_loader: WorkerLoader) -> None:
    with pytest.raises(ModelIncompatible, match="nowhere"):
        load(bare_loader, engine="gone")


def test_worker_imports_nothing_heavy_of_ours() -> None:
    script = (
        "import runpy, sys\n"
        f"sys.argv = [{str(CHILD)!r}]\n"
        f"namespace = runpy.run_path({str(CHILD)!r})\n"
        "namespace['adopt_package']()\n"
        "import alltalk_plugin.engines.session\n"
        "found = {'loguru', 'psutil', 'pydantic', 'asyncio', 'soundfile', 'pluggy'} & set(sys.modules)\n"
        "sys.exit(str(found) if found else 0)\n"
    )
    ran = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


SERVICE = """
import sys
from pathlib import Path
from alltalk_plugin.domain.cancel import CancelSource
from alltalk_plugin.domain.clock import SystemClock
from alltalk_plugin.domain.engines import SynthesisRequest
from alltalk_plugin.workers.supervisor import WorkerLoader
from tests.workers.rude_spec import ENGINES, load, rude_environment
loader = WorkerLoader(ENGINES, clock=SystemClock(), environment_of=rude_environment)
model = load(loader)
stream = model.synthesize(SynthesisRequest(text=sys.argv[1]), CancelSource())
if sys.argv[1] == "endless":
    next(stream)
print(model.pid, flush=True)
list(stream)
"""


@pytest.mark.parametrize("doing", ["endless", "hang"])
def test_worker_when_its_service_is_killed_then_it_ends(doing: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SERVICE, doing],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=Path(__file__).resolve().parents[2],
    ) as service:
        assert service.stdout is not None
        worker = psutil.Process(int(service.stdout.readline()))
        service.send_signal(signal.SIGKILL)
        worker.wait(10.0)
    assert not worker.is_running()
