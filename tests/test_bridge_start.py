"""Starting a service from a host."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from alltalk_plugin import bridge
from alltalk_plugin.bridge import BridgeError, attach_or_start, start
from tests.fakes.service import stand_in


def interpreter(folder: Path, script: str) -> Path:
    """A stand-in for a Python that runs `script` whatever it is asked to."""
    path = folder / "interpreter"
    path.write_text(f"#!{sys.executable}\n{script}")
    path.chmod(0o755)
    return path


@pytest.mark.skipif(sys.platform == "win32", reason="a script with a first line is no program there")
def test_start_when_it_works_is_detached_and_logs_into_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONHOME", "")
    monkeypatch.setenv("PYTHONPATH", "/foreign")
    home = tmp_path / "home"
    script = (
        "import os, sys\n"
        "print(sys.argv[1:], os.getcwd(), os.getsid(0) == os.getpid(), os.environ.get('PYTHONPATH'))"
    )
    child = start(home, interpreter=interpreter(tmp_path, script), settings_file="s.yaml")

    assert child.wait(20) == 0
    command = ["-m", "alltalk_plugin", "--home", str(home), "--settings", "s.yaml"]
    expected = f"{[*command, 'serve', '--started-by-program']} {home} True None\n"
    assert (home / bridge.OUTPUT_FILE).read_text() == expected


def test_start_when_there_is_no_interpreter_says_so(tmp_path: Path) -> None:
    with pytest.raises(BridgeError) as caught:
        start(tmp_path, interpreter=tmp_path / "no-python")
    assert "no-python" in caught.value.message


def test_attach_or_start_when_a_service_runs_starts_none(tmp_path: Path) -> None:
    with stand_in(tmp_path):
        service = attach_or_start(tmp_path, interpreter=tmp_path / "no-python")
        assert service.request("GET", "/x") == {"path": "/x"}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="a script with a first line is no program there")
def test_attach_or_start_when_none_runs_waits_for_the_new_one(tmp_path: Path) -> None:
    home = tmp_path / "home"
    script = f"""
import sys, os, json
sys.path.insert(0, {str(Path(__file__).parents[1])!r})
from pathlib import Path
from tests.test_bridge import stand_in
home = Path({str(home)!r})
with stand_in(home) as server:
    server.answer = lambda handler, path: handler.say({{"pid": os.getpid()}})
    sys.stdin = open(os.pipe()[0]).read()  # until killed
"""
    service = attach_or_start(home, interpreter=interpreter(tmp_path, script), deadline_s=20)
    child = next(one for one in bridge._children if one.pid == service.address.pid)
    try:
        assert service.request("GET", "/x") == {"pid": child.pid}
    finally:
        child.kill()
        child.wait()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="a script with a first line is no program there")
def test_attach_or_start_when_the_service_ends_at_once_tells_its_last_words(tmp_path: Path) -> None:
    broken = interpreter(tmp_path, "raise SystemExit('No module named alltalk_plugin')")
    with pytest.raises(BridgeError) as caught:
        attach_or_start(tmp_path / "home", interpreter=broken, deadline_s=20)
    assert "No module named alltalk_plugin" in caught.value.message


@pytest.mark.skipif(sys.platform == "win32", reason="a script with a first line is no program there")
def test_attach_or_start_when_the_service_never_answers_ends_at_the_deadline(tmp_path: Path) -> None:
    mute = interpreter(tmp_path, "import time; time.sleep(20)")
    with pytest.raises(BridgeError) as caught:
        attach_or_start(tmp_path / "home", interpreter=mute, deadline_s=0.3)
    assert caught.value.code == "deadline_exceeded"
    child = bridge._children[-1]
    child.kill()
    child.wait()
