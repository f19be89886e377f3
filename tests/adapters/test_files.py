"""Putting an adapter into a host, and taking it out without a trace."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from alltalk_plugin import __version__
from alltalk_plugin.adapters import files, plain
from alltalk_plugin.adapters.text_generation_webui import ADAPTER
from alltalk_plugin.domain.errors import RequestError

PYTHON = Path(sys.executable)


def host_folder(tmp_path: Path, *, user_place: bool = True) -> Path:
    """As much of a text-generation-webui as installing looks at."""
    host = tmp_path / "textgen"
    (host / "modules").mkdir(parents=True)
    (host / "extensions").mkdir()
    (host / "user_data").mkdir()
    (host / "server.py").write_text("")
    loader = "load('user_ext_' + name)" if user_place else "load('extensions.' + name)"
    (host / "modules" / "extensions.py").write_text(loader)
    return host


def tree(folder: Path) -> dict[str, bytes]:
    """Every file and folder below, so that two states can be compared."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b"folder"
        for path in sorted(folder.rglob("*"))
    }


def install(host: Path, tmp_path: Path) -> Path:
    return files.install(ADAPTER, host, home=tmp_path / "home", interpreter=PYTHON)


def test_install_when_the_host_is_recent_then_into_its_user_folder_and_whole(tmp_path: Path) -> None:
    host = host_folder(tmp_path)
    target = install(host, tmp_path)
    assert target == host / "user_data" / "extensions" / "alltalk_plugin"
    names = {path.name for path in target.iterdir()}
    assert names == {*ADAPTER.files, "alltalk_bridge.py", "alltalk_host.json"}
    config = json.loads((target / "alltalk_host.json").read_text())
    assert (config["interpreter"], config["version"]) == (sys.executable, __version__)
    assert files.check(ADAPTER, host).ok
    assert sum(path.stat().st_size for path in target.iterdir()) < 100_000


def test_install_when_the_host_is_old_then_into_the_only_place_it_loads_from(tmp_path: Path) -> None:
    host = host_folder(tmp_path, user_place=False)
    assert install(host, tmp_path) == host / "extensions" / "alltalk_plugin"


def test_remove_when_installed_then_the_host_is_as_before(tmp_path: Path) -> None:
    host = host_folder(tmp_path)
    before = tree(host)
    target = install(host, tmp_path)
    (target / "__pycache__").mkdir()
    (target / "__pycache__" / "script.cpython-311.pyc").write_bytes(b"x")
    files.remove(ADAPTER, host)
    assert tree(host) == before
    with pytest.raises(RequestError, match="nothing of ours"):
        files.remove(ADAPTER, host)


def test_remove_when_the_user_put_something_of_their_own_there_then_it_stays(tmp_path: Path) -> None:
    host = host_folder(tmp_path)
    target = install(host, tmp_path)
    (target / "notes.txt").write_text("mine")
    files.remove(ADAPTER, host)
    assert [path.name for path in target.iterdir()] == ["notes.txt"]


def test_install_when_an_older_version_is_there_then_replaced_and_its_leftovers_gone(tmp_path: Path) -> None:
    host = host_folder(tmp_path)
    target = install(host, tmp_path)
    config = json.loads((target / "alltalk_host.json").read_text())
    config["version"], config["files"] = "0.0.1", [*config["files"], "old_part.py"]
    (target / "alltalk_host.json").write_text(json.dumps(config))
    (target / "old_part.py").write_text("old")
    (target / "script.py").write_text("old")
    assert not files.check(ADAPTER, host).ok
    install(host, tmp_path)
    assert files.check(ADAPTER, host).ok
    assert not (target / "old_part.py").exists()
    files.remove(ADAPTER, host)
    assert not target.exists()


def test_install_when_a_folder_of_that_name_is_not_ours_then_refused_and_untouched(tmp_path: Path) -> None:
    host = host_folder(tmp_path)
    other = host / "user_data" / "extensions" / "alltalk_plugin"
    other.mkdir(parents=True)
    (other / "script.py").write_text("somebody else's")
    before = tree(host)
    with pytest.raises(RequestError, match="not ours"):
        install(host, tmp_path)
    assert tree(host) == before


def test_install_when_the_path_is_no_such_host_then_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="is not a text_generation_webui folder"):
        install(tmp_path, tmp_path)
    with pytest.raises(RequestError, match="needs no files"):
        files.install(plain.ADAPTER, tmp_path, home=tmp_path, interpreter=PYTHON)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda target: (target / "script.py").unlink(), "script.py is missing"),
        (lambda target: (target / "alltalk.js").write_text("x"), "alltalk.js was changed"),
        (lambda target: (target / "alltalk_host.json").write_text("{"), "not installed"),
    ],
)
def test_check_when_something_is_wrong_then_it_says_what(tmp_path: Path, spoil: object, said: str) -> None:
    host = host_folder(tmp_path)
    target = install(host, tmp_path)
    assert callable(spoil)
    spoil(target)
    found = files.check(ADAPTER, host)
    assert not found.ok
    assert said in " ".join(found.findings)


def test_check_when_the_interpreter_is_gone_then_it_says_so(tmp_path: Path) -> None:
    host = host_folder(tmp_path)
    files.install(ADAPTER, host, home=tmp_path, interpreter=tmp_path / "gone" / "python")
    assert "is gone" in " ".join(files.check(ADAPTER, host).findings)


def test_adapter_files_are_exactly_those_of_its_folder() -> None:
    folder = files._source_folder(ADAPTER.name)
    assert {path.name for path in folder.iterdir() if path.suffix in (".py", ".js")} == set(ADAPTER.files)
