"""`model add` and `voice add` with a speech server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from alltalk_plugin.cli.main import cli
from tests.engines.remote.running import SpeechServer
from tests.engines.remote.speech_server import KEY


def run(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--home", str(home), *arguments])


def settings(home: Path) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = yaml.safe_load((home / "settings.yaml").read_text(encoding="utf-8"))
    return found


def test_server_when_added_with_its_voices_then_the_settings_have_them(
    tmp_path: Path, server: SpeechServer
) -> None:
    told = run(tmp_path, "model", "add", server.url, "--id", "up", "--option", "model=fine", "--voices")
    assert told.exit_code == 0, told.output
    assert "alloy, nova, en-storm" in told.stderr
    options = {"base_url": f"{server.url}/v1", "model": "fine"}
    assert settings(tmp_path)["models"] == {"up": {"engine": "remote", "options": options}}
    assert settings(tmp_path)["voices"]["up - en-storm"] == {"model": "up", "speaker": "en-storm"}
    assert "ok" in run(tmp_path, "model", "check", "up", "--no-speech").stdout


def test_server_with_one_model_for_speech_when_added_then_that_one_and_a_voice_that_it_has(
    tmp_path: Path, server: SpeechServer
) -> None:
    told = run(tmp_path, "model", "add", f"{server.url}/listing", "--id", "up", "--voices")
    assert told.exit_code == 0, told.output
    options = {"base_url": f"{server.url}/listing/v1", "model": "piper", "voice": "amy"}
    assert settings(tmp_path)["models"]["up"] == {"engine": "remote", "options": options}
    amy = {"model": "up", "speaker": "amy", "language": "en-US"}
    assert settings(tmp_path)["voices"] == {"up - amy": amy}


@pytest.mark.slow
def test_server_when_added_with_a_test_then_it_has_spoken(tmp_path: Path, server: SpeechServer) -> None:
    told = run(tmp_path, "model", "add", server.url, "--id", "up", "--option", "model=fine", "--test")
    assert told.exit_code == 0, told.output
    assert "/v1/audio/speech" in [request["path"] for request in server.requests]


@pytest.mark.parametrize(
    ("fault", "arguments", "code"),
    [
        ("", (), "bad_request"),  # several models and nobody to ask
        ("", ("--option", "key_env=NOT_SET_ANYWHERE"), "remote_refused"),
        ("", ("--option", "key_env=sk-secret"), "remote_refused"),
        ("", ("--option", "model=fine", "--option", "colour=red"), "bad_request"),
        ("401", ("--option", "model=fine"), "remote_refused"),
        ("500", ("--option", "model=fine"), "remote_failed"),
        ("drop", ("--option", "model=fine"), "remote_unavailable"),
    ],
)
def test_server_that_cannot_be_added_then_an_error_and_nothing_is_written(
    tmp_path: Path, server: SpeechServer, fault: str, arguments: tuple[str, ...], code: str
) -> None:
    server.behave(fault)
    told = run(tmp_path, "model", "add", server.url, "--id", "up", *arguments)
    assert told.exit_code == 1 and f"[{code}]" in told.stderr, told.output
    assert not (tmp_path / "settings.yaml").exists()
    assert KEY not in told.output


def test_server_that_is_away_when_added_then_it_says_so(tmp_path: Path) -> None:
    told = run(tmp_path, "model", "add", "http://127.0.0.1:9", "--id", "up")
    assert told.exit_code == 1 and "[remote_unavailable]" in told.stderr


@pytest.mark.parametrize("more", [("--copy",), ("--engine", "espeak")])
def test_address_with_what_is_for_files_then_a_usage_error(tmp_path: Path, more: tuple[str, ...]) -> None:
    assert run(tmp_path, "model", "add", "http://127.0.0.1:9", *more).exit_code == 2


def speakers_of(home: Path, url: str, *options: str) -> Result:
    """What `model speakers` says of a model that is in the settings already."""
    given = dict(option.split("=") for option in options)
    told = {"models": {"up": {"engine": "remote", "options": {"base_url": url, **given}}}}
    (home / "settings.yaml").write_text(yaml.safe_dump(told), encoding="utf-8")
    return run(home, "--json", "model", "speakers", "up")


def test_speakers_of_a_server_then_those_that_it_lists(tmp_path: Path, server: SpeechServer) -> None:
    told = speakers_of(tmp_path, f"{server.url}/listing/v1", "model=piper", "voice=amy")
    assert (told.exit_code, told.stderr) == (0, "")
    assert json.loads(told.stdout) == [{"speaker": "amy", "name": "amy", "languages": ["en-US"]}]


def test_speakers_of_a_server_that_lists_none_then_that_of_the_settings_and_a_note(
    tmp_path: Path, server: SpeechServer
) -> None:
    told = speakers_of(tmp_path, f"{server.url}/nothing/v1", "voice=nova")
    assert told.exit_code == 0
    assert [row["speaker"] for row in json.loads(told.stdout)] == ["nova"]
    assert told.stderr.startswith("note: the server lists no voices")


@pytest.mark.parametrize(
    ("fault", "options", "code"),
    [
        ("401", (), "remote_refused"),
        ("500", (), "remote_failed"),
        ("drop", (), "remote_unavailable"),
        ("", ("key_env=NOT_SET_ANYWHERE",), "remote_refused"),
    ],
)
def test_speakers_of_a_server_that_does_not_say_then_one_line_why(
    tmp_path: Path, server: SpeechServer, fault: str, options: tuple[str, ...], code: str
) -> None:
    server.behave(fault)
    told = speakers_of(tmp_path, f"{server.url}/v1", *options)
    assert told.exit_code == 1
    (line,) = told.stderr.splitlines()
    assert line.startswith("alltalk-plugin: ") and f"[{code}]" in line


def test_voice_of_a_server_when_added_then_its_speaker_is_checked_there(
    tmp_path: Path, server: SpeechServer
) -> None:
    assert run(tmp_path, "model", "add", server.url, "--id", "up", "--option", "model=fine").exit_code == 0
    good = run(tmp_path, "voice", "add", "storm", "--model", "up", "--speaker", "en-storm")
    assert good.exit_code == 0, good.output
    bad = run(tmp_path, "voice", "add", "calm", "--model", "up", "--speaker", "en-calm")
    assert bad.exit_code == 1 and "[voice_not_found]" in bad.stderr
