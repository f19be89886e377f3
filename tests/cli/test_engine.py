"""`engine`, and what `doctor` says of engines, with a stranger's engine found by its entry point."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from alltalk_plugin.cli.engine_progress import PlainProgress, TerminalProgress, watcher
from alltalk_plugin.cli.main import cli
from alltalk_plugin.domain.errors import InstallError
from alltalk_plugin.environments.events import Downloading, InstallEvent, Remark, StageBegan, Working
from alltalk_plugin.environments.exclusive import alone
from alltalk_plugin.environments.places import EngineFolder
from tests.environments.tone import SOURCE, borrowed_numpy
from tests.environments.wheels import make_wheel

PLUGIN = """
from pathlib import Path
from alltalk_plugin.domain.engines import InstallStep
from alltalk_plugin.plugins import hookimpl
from tests.environments.tone import tone_spec

@hookimpl
def alltalk_register_engines(registry):
    steps = (InstallStep(("tone-plugin",)),)
    folder = Path(__file__).parent
    registry.register(tone_spec(folder, steps=steps, lock="", distributions=("tone-plugin", "tone-engine")))
"""
SETTINGS = "models: {studio: {engine: tone}}\n"


@pytest.fixture
def stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A distribution that brings an engine, installed into the service's environment from a local file."""
    site = tmp_path / "site"
    metadata = site / "tone_plugin-1.0.dist-info"
    metadata.mkdir(parents=True)
    files = {"tone_engine.py": SOURCE, "tone.pth": borrowed_numpy(tmp_path / "borrowed") + "\n"}
    wheel = make_wheel(tmp_path / "downloads", "tone-plugin", "1.0", files, requires=("alltalk-plugin>=99",))
    (site / "tone_plugin.py").write_text(PLUGIN)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: tone-plugin\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[alltalk_plugin]\ntone = tone_plugin\n")
    (metadata / "direct_url.json").write_text(json.dumps({"url": wheel.as_uri(), "archive_info": {}}))
    monkeypatch.syspath_prepend(str(site))
    return site


def run(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--home", str(home), *arguments])


def rows(home: Path) -> dict[str, dict[str, object]]:
    return {row["engine"]: row for row in json.loads(run(home, "--json", "engine", "list").output)}


@pytest.mark.slow
def test_engine_of_a_stranger_when_installed_from_a_local_file_then_listed_and_removed(
    stranger: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    assert rows(home)["tone"]["runs in"] == "missing"
    result = run(home, "engine", "install", "tone", "--device", "cpu")
    assert result.exit_code == 0, result.output
    assert "[2/3] install tone-plugin" in result.stderr
    assert "tone installed: tone-plugin 1.0; " in result.stdout
    row = rows(home)["tone"]
    assert (row["runs in"], row["versions"]) == ("its own environment", ["tone-plugin 1.0"])
    assert "already installed" in run(home, "engine", "install", "tone").output
    assert "its own environment" in run(home, "engine", "list").output
    assert run(home, "engine", "remove", "tone").output == "tone removed\n"
    assert rows(home)["tone"]["runs in"] == "missing"
    assert "nothing to remove" in run(home, "engine", "remove", "tone").output


@pytest.mark.parametrize("verb", ["install", "remove"])
def test_engine_when_its_name_is_misspelt_then_the_nearest_and_nothing_is_done(
    stranger: Path, tmp_path: Path, verb: str
) -> None:
    home = tmp_path / "home"
    result = run(home, "engine", verb, "tome")
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert "did you mean 'tone'?" in line
    assert "[install_failed]. Run 'alltalk-plugin engine list'" in line
    assert not home.exists()


def test_engines_when_one_fails_then_the_others_are_installed_and_the_exit_code_says_it(
    stranger: Path, tmp_path: Path
) -> None:
    with alone(EngineFolder(tmp_path / "home", "tone")):
        result = run(tmp_path / "home", "engine", "install", "tone", "espeak")
    assert result.exit_code == 1
    assert "another process is installing" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert "espeak runs in the service's environment" in result.stdout


def test_engine_when_no_name_is_given_then_wrong_usage(tmp_path: Path) -> None:
    assert run(tmp_path, "engine", "install").exit_code == 2


@pytest.mark.parametrize(("settings", "verdict", "code"), [("", "note", 0), (SETTINGS, "BAD", 1)])
@pytest.mark.slow
def test_doctor_when_an_engine_is_missing_then_bad_only_if_a_model_needs_it(
    stranger: Path, tmp_path: Path, *, settings: str, verdict: str, code: int
) -> None:
    (tmp_path / "settings.yaml").write_text(settings, encoding="utf-8")
    result = run(tmp_path, "--json", "doctor")
    found = {row["subject"]: row for row in json.loads(result.stdout)}
    assert found["engine tone"]["verdict"] == verdict
    assert f"--home {tmp_path} engine install tone'" in found["engine tone"]["detail"]
    assert found["engine espeak"]["verdict"] == "ok"
    assert result.exit_code == code


EVENTS: tuple[InstallEvent, ...] = (
    StageBegan(2, 3, "install torch"),
    Remark("never tried here"),
    Working("Downloading torch.whl (200 MB)"),
    Downloading(50_000_000, 200_000_000),
    Downloading(7_000_000, 0),
)


def test_progress_when_there_is_no_terminal_then_plain_lines() -> None:
    out = io.StringIO()
    for event in EVENTS:
        PlainProgress(out)(event)
    assert out.getvalue().splitlines() == [
        "[2/3] install torch",
        "note: never tried here",
        "      Downloading torch.whl (200 MB)",
    ]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("out", "last"), [(Terminal(), "\r\x1b[K"), (io.StringIO(), "here\n")])
def test_watcher_when_stderr_is_a_terminal_then_its_last_line_is_left_empty(
    monkeypatch: pytest.MonkeyPatch, out: io.StringIO, last: str
) -> None:
    monkeypatch.setattr(sys, "stderr", out)
    with pytest.raises(InstallError), watcher() as tell:
        tell(EVENTS[1])
        raise InstallError("it failed")
    assert out.getvalue().endswith(last)


def test_progress_when_on_a_terminal_then_a_bar_on_one_line_that_fits() -> None:
    out = io.StringIO()
    progress = TerminalProgress(out, 64)
    for event in EVENTS:
        progress(event)
    progress.close()
    stages, remark, *shown = out.getvalue().split("\r\x1b[K")[1:]
    assert (stages, remark) == ("[2/3] install torch\n", "note: never tried here\n")
    assert shown == [
        "Downloading torch.whl (200 MB)",
        "Downloading torch.whl (200 [#####               ] 50.0/200.0 MB",
        "Downloading torch.whl (200 MB) 7.0 MB",
        "",
    ]
    assert max(map(len, shown)) < 64
