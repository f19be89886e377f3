"""`voice` and what `voices` shows of recordings in the data folder."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import espeakng_loader
import psutil
import pytest
import soundfile
from click.testing import CliRunner, Result

from alltalk_plugin import bridge
from alltalk_plugin.cli.main import cli

SETTINGS = "characters: {Aria: {voice: aria}}\nvoices: {aria: {speaker: f3}}\nserver: {port: 0}\n"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "settings.yaml").write_text(SETTINGS, encoding="utf-8")
    yield tmp_path
    address = bridge.read_address(tmp_path)
    if address is not None and psutil.pid_exists(address.pid):
        service = psutil.Process(address.pid)
        service.terminate()
        service.wait(20)


def run(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--home", str(home), *arguments])


@pytest.mark.slow
def test_voice_when_added_while_the_service_runs_then_it_can_be_heard_at_once(home: Path) -> None:
    first = run(home, "voice", "preview", "aria", "--out", str(home / "aria.wav"))
    assert first.exit_code == 0, first.output
    shutil.copytree(espeakng_loader.get_data_path(), home / "studio")
    assert run(home, "model", "add", str(home / "studio")).exit_code == 0
    added = run(
        home, "voice", "add", "old anna", "--model", "studio", "--speaker", "de+f2", "--language", "de"
    )
    assert added.exit_code == 0, added.output
    assert added.stdout.endswith("alltalk-plugin voice preview 'old anna'\n")
    out = home / "anna.wav"
    heard = run(home, "voice", "preview", "old anna", "--out", str(out))
    assert heard.exit_code == 0, heard.output
    assert soundfile.info(out).duration > 0.5
    assert run(home, "voice", "preview", "old anna", "--text", "Guten Tag.", "--out", str(out)).exit_code == 0
    used = run(home, "model", "remove", "studio")
    assert used.exit_code == 1 and "'old anna'" in used.stderr
    assert run(home, "voice", "remove", "old anna").exit_code == 0
    assert run(home, "model", "remove", "studio").exit_code == 0
    kinds = [(one["kind"], one["model"]) for one in json.loads(run(home, "--json", "journal").stdout)]
    assert ("drain", "studio") in kinds  # the service that spoke with it let go of it


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("add", "aria", "--model", "espeak"), "name_taken", "'aria'"),
        (("add", "new", "--model", "espeek"), "not_found", "did you mean 'espeak'"),
        (("add", "new", "--model", "espeak", "--speaker", "xx9"), "voice_not_found", "no speaker 'xx9'"),
        (("add", "new", "--model", "espeak", "--reference", "a.wav"), "bad_request", "does not imitate"),
        (("add", "new", "--model", "espeak", "--language", "deutsch!"), "bad_request", "--language"),
        (("add", "a/b", "--model", "espeak"), "bad_request", "cannot be the name"),
        (("preview", "arai"), "voice_not_found", "did you mean 'aria'"),
        (("remove", "arai"), "voice_not_found", "did you mean 'aria'"),
        (("remove", "aria"), "bad_request", "character 'Aria'"),
        (("remove", "default"), "bad_request", "built in"),
    ],
)
def test_voice_when_something_is_wrong_then_one_line_with_the_code(
    home: Path, arguments: tuple[str, ...], code: str, said: str
) -> None:
    result = run(home, "voice", *arguments)
    assert result.exit_code == 1, result.output
    (line,) = result.stderr.splitlines()
    assert said in line and f"[{code}]" in line
    assert (home / "settings.yaml").read_text(encoding="utf-8") == SETTINGS


def test_voice_when_added_as_json_then_an_object(home: Path) -> None:
    result = run(home, "--json", "voice", "add", "new", "--model", "espeak", "--speaker", "f3")
    assert json.loads(result.stdout) == {"voice": "new", "model": "espeak", "warnings": []}


def test_voice_when_removed_by_force_then_the_character_has_the_default_voice(home: Path) -> None:
    result = run(home, "voice", "remove", "aria", "--force")
    assert result.exit_code == 0 and "character 'Aria'" in result.stderr
    rows = {row["voice"]: row for row in json.loads(run(home, "--json", "voices").stdout)}
    assert rows["default"]["used by"] == ["default", "Aria"]


def test_voices_when_a_recording_has_no_model_then_told_beside_the_list(home: Path) -> None:
    (home / "voices").mkdir()
    (home / "voices/anna.wav").write_bytes(b"RIFF")
    listed = run(home, "voices")
    assert listed.exit_code == 0 and "aria" in listed.stdout
    assert "anna.wav: no model here speaks in the voice of a recording" in listed.stderr
