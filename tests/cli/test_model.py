"""`model` and `import-alltalk` on a terminal and without one."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import click
import espeakng_loader
import pytest
from click.testing import CliRunner, Result

from alltalk_plugin.cli.main import cli
from tests.fakes.file_server import FileServer, file_server
from tests.library.alltalk_folders import make_version_2
from tests.library.catalogue_server import PIPER_KEY, serve_coqui, serve_piper


@pytest.fixture
def server() -> Iterator[FileServer]:
    with file_server() as running:
        yield running


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A model of the embedded engine: a copy of its data."""
    folder = tmp_path / "studio"
    shutil.copytree(espeakng_loader.get_data_path(), folder)
    return folder


def run(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--home", str(home / "home"), *arguments])


def one_line(result: Result, code: str) -> str:
    """The error that a command ends with: one line with its code."""
    assert result.exit_code == 1, result.output
    (line,) = [line for line in result.stderr.splitlines() if not line.startswith(("note:", "licence:"))][-1:]
    assert line.startswith("alltalk-plugin: ") and f"[{code}]" in line
    return line


@pytest.mark.slow
def test_model_when_added_checked_damaged_and_removed_then_each_step_says_so(
    tmp_path: Path, data: Path
) -> None:
    added = run(tmp_path, "model", "add", str(data), "--test")
    assert added.exit_code == 0, added.output
    assert added.stdout.startswith("added studio: espeak, ") and str(data) in added.stdout
    listed = {row["model"]: row for row in json.loads(run(tmp_path, "--json", "model", "list").stdout)}
    assert listed["studio"]["state"] == "ok" and "en-us" in [
        tag.lower() for tag in listed["studio"]["languages"]
    ]
    assert listed["espeak"]["where"] == "built in"
    good = run(tmp_path, "model", "check", "studio")
    assert good.exit_code == 0, good.output
    assert "loaded and spoke" in good.stdout
    content = bytearray((data / "en_dict").read_bytes())
    content[5_000] ^= 1
    (data / "en_dict").write_bytes(content)
    bad = run(tmp_path, "model", "check", "studio", "--no-speech")
    assert bad.exit_code == 1 and "hash_mismatch" in bad.stdout and "speech" not in bad.stdout
    removed = run(tmp_path, "model", "remove", "studio")
    assert removed.stdout == "removed studio\n" and data.is_dir()
    assert "no model 'studio'" in one_line(run(tmp_path, "model", "check", "studio"), "not_found")


def test_model_when_copied_then_removing_deletes_the_copy(tmp_path: Path, data: Path) -> None:
    added = run(tmp_path, "--json", "model", "add", str(data), "--id", "mine", "--copy", "--engine", "espeak")
    said = json.loads(added.stdout)
    copy = tmp_path / "home/models/espeak/mine"
    assert (said["id"], said["path"]) == ("mine", str(copy)) and len(said["files"]) > 100
    removed = run(tmp_path, "model", "remove", "mine", "--yes")
    assert f"deleted {copy}" in removed.stdout and not copy.exists()


def test_model_when_put_into_the_data_folder_then_listed_and_broken_ones_with_their_reason(
    tmp_path: Path, data: Path
) -> None:
    target = tmp_path / "home/models/espeak/dropped"
    target.parent.mkdir(parents=True)
    data.rename(target)
    (tmp_path / "home/models/espeak/half").mkdir()
    (tmp_path / "home/models/nobody/x").mkdir(parents=True)
    listed = run(tmp_path, "model", "list")
    assert listed.exit_code == 0
    rows = {line.split()[0]: line for line in listed.stdout.splitlines()}
    assert rows["dropped"].endswith("  ok") and "broken:" in rows["half"]
    assert "no engine is called so" in listed.stderr
    speakers = json.loads(run(tmp_path, "--json", "model", "speakers", "dropped").stdout)
    assert {"en-us", "de"} <= {row["speaker"] for row in speakers}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("add", "nowhere"), "not_found", "there is nothing at"),
        (("add", "nowhere", "--engine", "espeak"), "not_found", "there is nothing at"),
        (("add", "."), "bad_request", "is a model of no engine here"),
        (("add", ".", "--engine", "espeek"), "not_found", "did you mean 'espeak'"),
        (("add", ".", "--engine", "espeak", "--id", "../up"), "bad_request", "cannot be the name"),
        (("add", ".", "--engine", "espeak", "--id", "espeak"), "name_taken", "'espeak'"),
        (("remove", "espeak"), "bad_request", "built in"),
        (("remove", "nobody"), "not_found", "no model 'nobody'"),
        (("get", "http://example.com/a.zip"), "bad_request", "only https"),
        (
            ("get", "piper:x", "--catalogue", "http://127.0.0.1:9/voices.json"),
            "download_failed",
            "cannot be reached",
        ),
    ],
)
def test_model_when_something_is_wrong_then_one_line_with_the_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], code: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert said in one_line(run(tmp_path, "model", *arguments), code)


def test_model_when_an_option_has_no_value_then_wrong_usage(tmp_path: Path) -> None:
    assert run(tmp_path, "model", "add", ".", "--option", "voice").exit_code == 2


def test_get_when_nobody_can_be_asked_then_terms_not_accepted_and_size_and_licence_are_shown(
    tmp_path: Path, server: FileServer
) -> None:
    gated = run(
        tmp_path,
        "model",
        "get",
        "coqui:multilingual/multi-dataset/xtts_v2",
        "--catalogue",
        serve_coqui(server),
        "--yes",
    )
    assert "--accept-terms" in one_line(gated, "terms_not_accepted")
    assert "licence: CPML" in gated.stderr
    plain = run(tmp_path, "model", "get", f"piper:{PIPER_KEY}", "--catalogue", serve_piper(server))
    assert "--yes" in one_line(plain, "terms_not_accepted")
    assert f"{PIPER_KEY} (English low): 0.3 MB, from {server.url}" in plain.stderr
    assert "licence: CC0, see URL" in plain.stderr
    assert not (tmp_path / "home/models").exists()


def test_get_when_the_fetched_files_are_of_no_engine_then_one_line_and_no_model(
    tmp_path: Path, server: FileServer
) -> None:
    url = serve_piper(server)
    fetched = run(tmp_path, "model", "get", f"piper:{PIPER_KEY}", "--catalogue", url, "--yes")
    assert "Piper" in one_line(fetched, "not_found")
    assert not (tmp_path / "home/models").exists()


def test_get_when_the_archive_is_a_model_then_added(tmp_path: Path, server: FileServer, data: Path) -> None:
    archive = shutil.make_archive(str(tmp_path / "packed"), "gztar", data.parent, data.name)
    url = server.put("/dl/packed.tar.gz", Path(archive).read_bytes())
    got = run(tmp_path, "model", "get", url, "--id", "fetched", "--accept-terms")
    assert got.exit_code == 0, got.output
    assert got.stdout.startswith("added fetched: espeak, ")
    assert (tmp_path / "home/models/espeak/fetched/phontab").is_file()
    assert "name_taken" in run(tmp_path, "model", "get", url, "--id", "fetched", "--yes").stderr


def on_terminal(home: Path, answer: str, *arguments: str) -> tuple[int, str]:
    """A command with a person before it, who types `answer`; gives the exit code and what was shown."""
    import pty

    master, slave = pty.openpty()
    command = [sys.executable, "-m", "alltalk_plugin", "--home", str(home / "home"), *arguments]
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, close_fds=True)
    os.close(slave)
    os.write(master, answer.encode())
    shown = b""
    with suppress(OSError):  # Linux's word for the other end being closed
        while block := os.read(master, 4096):
            shown += block
    os.close(master)
    return process.wait(30), shown.decode()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals in the standard library")
def test_terminal_when_asked_then_the_answer_decides(tmp_path: Path, server: FileServer, data: Path) -> None:
    archive = shutil.make_archive(str(tmp_path / "packed"), "gztar", data.parent, data.name)
    url = server.put("/packed.tar.gz", Path(archive).read_bytes())
    code, shown = on_terminal(tmp_path, "n\n", "model", "get", url, "--id", "mine")
    assert code == 1 and "Fetch it?" in shown and "terms_not_accepted" in shown
    code, shown = on_terminal(tmp_path, "y\n", "model", "get", url, "--id", "mine")
    assert code == 0 and "added mine" in shown and "fetching" in shown
    folder = tmp_path / "home/models/espeak/mine"
    code, shown = on_terminal(tmp_path, "n\n", "model", "remove", "mine")
    assert code == 1 and f"Delete {folder}?" in shown.replace("\r\n", "") and folder.is_dir()
    assert on_terminal(tmp_path, "y\n", "model", "remove", "mine")[0] == 0
    assert not folder.exists()
    gated = (
        "model",
        "get",
        "coqui:multilingual/multi-dataset/xtts_v2",
        "--catalogue",
        serve_coqui(server),
        "--yes",
    )
    code, shown = on_terminal(tmp_path, "n\n", *gated)
    assert code == 1 and "do you accept them?" in shown


def shown_commands() -> list[str]:
    text = (Path(__file__).parents[2] / "docs/models.md").read_text(encoding="utf-8")
    return re.findall(r"^\$ alltalk-plugin (.+)$", text, re.MULTILINE)


@pytest.mark.parametrize("line", shown_commands())
def test_docs_when_they_show_a_command_then_it_takes_these_words(line: str) -> None:
    command: click.Command = cli
    words = shlex.split(line)
    while isinstance(command, click.Group):
        command = command.commands[words.pop(0)]
    command.make_context("shown", words, resilient_parsing=True)


def test_import_when_dry_then_a_report_and_nothing_else(tmp_path: Path) -> None:
    folder = make_version_2(tmp_path / "alltalk_tts")
    result = run(tmp_path, "--json", "import-alltalk", str(folder), "--dry-run")
    assert result.exit_code == 0, result.output
    rows = {(row["what"], row["name"]): row for row in json.loads(result.stdout)}
    # What these files are worth to the real engines is theirs to say; each has its fate and reason.
    assert rows["model", "xtts - half"]["fate"] == "left"
    assert rows["setting", "tgwui_language"] == {
        "what": "setting",
        "name": "tgwui_language",
        "fate": "would be taken",
        "detail": "languages.default: de (used where a reply's own is undecided)",
    }
    assert not (tmp_path / "home/settings.yaml").exists()
    assert run(tmp_path, "import-alltalk", str(folder)).exit_code == 0
    assert "default: de" in (tmp_path / "home/settings.yaml").read_text()
    assert "bad_request" in run(tmp_path, "import-alltalk", str(tmp_path)).stderr
