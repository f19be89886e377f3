"""A host with the adapter in it, and a service to speak."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from alltalk_plugin.cli.demo.host import HostDouble
from tests.hosts import fake_gradio
from tests.hosts.fake_service import VERSION, FakeService

ROOT = Path(__file__).parents[2]
ADAPTER = ROOT / "hosts" / "text_generation_webui"
BRIDGE = ROOT / "alltalk_plugin" / "bridge.py"

USERS = "user_data/extensions/alltalk_plugin"
SYSTEM = "extensions/alltalk-plugin"


def put_into(folder: Path, home: Path, *, interpreter: str = "/nowhere/python") -> None:
    """The adapter's files as an installation leaves them."""
    folder.mkdir(parents=True)
    for file in ADAPTER.iterdir():
        if file.suffix in (".py", ".js"):
            shutil.copy(file, folder)
    shutil.copy(BRIDGE, folder / "alltalk_bridge.py")
    config = {"interpreter": interpreter, "home": str(home), "version": VERSION}
    (folder / "alltalk_host.json").write_text(json.dumps(config), encoding="utf-8")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def service(home: Path) -> Iterator[FakeService]:
    fake = FakeService(home)
    yield fake
    fake.die()


@pytest.fixture
def make_host(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., HostDouble]]:
    """Puts the adapter into a new host; the test starts it, so that it can spoil something first."""
    made: list[HostDouble] = []
    monkeypatch.setitem(sys.modules, "gradio", fake_gradio.module())

    def make(place: str = USERS, *, interpreter: str = "/nowhere/python", in_cwd: bool = False) -> HostDouble:
        folder = tmp_path / "host"
        put_into(folder / place, home, interpreter=interpreter)
        user_data = Path("user_data") if in_cwd else None
        made.append(HostDouble(folder, (Path(place).name,), user_data_dir=user_data, page=fake_gradio.Page))
        return made[-1]

    yield make
    for host in made:
        host.close()


@pytest.fixture
def connected(make_host: Callable[..., HostDouble], service: FakeService) -> HostDouble:
    """A started host that has said hello to the service."""
    host = make_host()
    host.start()
    service.wait_for("/panel")  # the last thing it asks at the start
    return host


def trouble(host: HostDouble) -> list[str]:
    """What the log says beyond good news."""
    return [line for level, line in host.log.lines if level != "info"]
