"""`say` and `explain` as a user types them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner, Result

from alltalk_plugin import bridge
from alltalk_plugin.audio.measure import read_audio, rms_dbfs
from alltalk_plugin.cli.main import cli

MANY = ["en", "de", "fr", "es", "it", "pt", "nl", "pl", "tr", "cs", "hu"]

SETTINGS = """
voices: {aria: {speaker: f3}}
characters: {Aria: {voice: aria}}
languages: {candidates: [en, fr]}
server: {port: 0}
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "settings.yaml").write_text(SETTINGS, encoding="utf-8")
    yield tmp_path
    address = bridge.read_address(tmp_path)
    if address is not None and psutil.pid_exists(address.pid):
        service = psutil.Process(address.pid)
        service.terminate()
        service.wait(20)


def run(home: Path, *arguments: str, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(cli, ["--home", str(home), *arguments], input=stdin)


@pytest.mark.slow
def test_say_when_a_character_speaks_then_a_file_and_a_line_about_it(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "said.wav"
    result = run(home, "say", "*She nods.* “Hello there.”", "--character", "Aria", "--out", str(out))
    assert result.exit_code == 0, result.output
    assert "2 segments" in result.output
    audio = read_audio(out)
    assert audio.duration_s > 0.8
    assert rms_dbfs(audio.samples) > -35
    result = run(home, "--json", "say", "-", "--format", "flac", "--out", str(out), stdin="Aus der Pipe.")
    assert json.loads(result.output)["clips"][0]["text"] == "Aus der Pipe."
    result = run(home, "say", "Hello", "--voice", "nobody", "--out", str(out))
    assert result.exit_code == 1
    assert "[voice_not_found]" in result.output
    result = run(home, "say", "...", "--out", str(out))
    assert result.exit_code == 1
    assert "[nothing_to_say]" in result.output
    result = run(home, "say", "Hello", "--character", "Arya", "--out", str(out))
    assert "did you mean 'Aria'" in result.output


def test_say_when_the_format_is_unknown_then_wrong_usage(home: Path) -> None:
    result = run(home, "say", "Hello", "--out", "speech.docx")
    assert result.exit_code == 2
    assert "wav, flac, mp3, opus, ogg" in result.output


def test_explain_when_asked_then_who_says_what_and_why(home: Path) -> None:
    result = run(home, "--json", "explain", "*She nods.* “Hello.”", "--character", "Aria")
    assert result.exit_code == 0, result.output
    answer = json.loads(result.output)
    assert [(part["role"], part["voice"]) for part in answer["segments"]] == [
        ("narrator", "narrator"),
        ("character", "aria"),
    ]
    assert all(part["why"] for part in answer["segments"])
    assert "narrator" in run(home, "explain", "*She nods.* “Hello.”").output


def test_explain_when_given_lines_then_answers_in_order_with_their_ids(home: Path) -> None:
    lines = [
        {"id": "x", "text": "“Bonjour, comment allez-vous aujourd'hui ?”", "speaker": "Aria", "unknown": 1},
        {"text": "..."},
        {"text": "OK.", "default_language": "fr", "languages": MANY},
        {"text": "Aria: Hi.\nBram: Yes.", "speaker": "Aria", "roster": ["Aria", "Bram"], "languages": ["en"]},
    ]
    stdin = "\n".join(json.dumps(line) for line in lines)
    result = run(home, "explain", "--jsonl", stdin=stdin)
    assert result.exit_code == 0, result.output
    answers = [json.loads(line) for line in result.output.splitlines()]
    assert [answer["id"] for answer in answers] == ["x", 2, 3, 4]
    assert [answer["language"] for answer in answers] == ["fr", None, "fr", "en"]
    assert answers[1]["segments"] == []
    assert [part["speaker"] for part in answers[3]["segments"]] == ["Aria", "Bram"]
    begin, end = answers[0]["segments"][0]["span"]
    assert "Bonjour" in lines[0]["text"][begin:end]  # type: ignore[index]  # the text is a str


@pytest.mark.parametrize("line", ["not json", "[1]", '{"id": 1}'])
def test_explain_when_a_line_makes_no_sense_then_it_is_named(home: Path, line: str) -> None:
    result = run(home, "explain", "--jsonl", stdin=line)
    assert result.exit_code == 1
    assert "line 1" in result.output
    assert "[bad_request]" in result.output


def test_explain_when_there_is_nothing_to_explain_then_wrong_usage(home: Path) -> None:
    assert run(home, "explain").exit_code == 2
