"""What users install: the wheel, with the hosts' files inside the package."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (found,) = folder.glob("*.whl")
    return found


def test_wheel_when_built_then_hosts_are_inside_the_package_and_nothing_else_is_on_top(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"alltalk_plugin"}
    assert "alltalk_plugin/_hosts/text_generation_webui/script.py" in names
    assert "alltalk_plugin/py.typed" in names
    locks = {path.name for path in (ROOT / "alltalk_plugin" / "engines" / "locks").iterdir()}
    assert {"coqui.txt", "piper.txt"} <= locks
    assert {f"alltalk_plugin/engines/locks/{name}" for name in locks} <= set(names)
    assert any(name.endswith("licenses/NOTICE") for name in names)


def test_host_install_when_run_from_the_wheel_then_its_own_files_are_copied(
    wheel: Path, tmp_path: Path
) -> None:
    site, host = tmp_path / "site", tmp_path / "textgen"
    zipfile.ZipFile(wheel).extractall(site)
    (host / "modules").mkdir(parents=True)
    (host / "extensions").mkdir()
    (host / "server.py").write_text("")
    (host / "modules" / "extensions.py").write_text("")
    script = (
        f"import sys; sys.path.insert(0, {str(site)!r}); import alltalk_plugin; "
        f"assert alltalk_plugin.__file__.startswith({str(site)!r}); "
        "from alltalk_plugin.cli.main import cli; "
        f"cli(['host', 'install', 'text-generation-webui', {str(host)!r}])"
    )
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    installed = host / "extensions" / "alltalk_plugin"
    source = site / "alltalk_plugin" / "_hosts" / "text_generation_webui"
    assert (installed / "script.py").read_bytes() == (source / "script.py").read_bytes()
    assert (installed / "alltalk_bridge.py").read_bytes() == (
        site / "alltalk_plugin" / "bridge.py"
    ).read_bytes()
