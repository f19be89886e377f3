"""Listings, swaps and the journal against a real service; doctor without one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner, Result

from alltalk_plugin import bridge
from alltalk_plugin.cli.main import cli

SETTINGS = """
voices: {aria: {model: studio, speaker: f3}}
characters: {Aria: {voice: aria}}
models:
  espeak: {engine: espeak, pinned: true}
  studio: {engine: espeak}
  missing: {engine: espeak, path: nowhere}
swap: {min_interval_s: 0}
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


def run(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--home", str(home), *arguments])


@pytest.mark.slow
def test_swap_when_it_works_fails_or_is_only_planned_then_said_in_one_line(home: Path) -> None:
    planned = run(home, "swap", "studio", "--dry-run")
    assert planned.exit_code == 0, planned.output
    assert "needs" in planned.output
    assert "committed" not in planned.output
    done = run(home, "swap", "studio")
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[-1] == "committed"
    listed = json.loads(run(home, "--json", "models").output)
    assert {row["model"]: row["state"] for row in listed}["studio"] == "ready"
    assert run(home, "models", "pin", "studio").exit_code == 0
    refused = run(home, "models", "unload", "studio")
    assert refused.exit_code == 1 and "pinned" in refused.output
    assert run(home, "models", "pin", "studio", "--off").exit_code == 0
    assert run(home, "models", "unload", "studio").exit_code == 0
    again = run(home, "swap", "studio")
    assert again.output.splitlines()[-1] == "committed" and "unknown" not in again.output
    failed = run(home, "swap", "missing")
    assert failed.exit_code == 1
    assert "nowhere" in failed.output
    unknown = run(home, "swap", "studioo")
    assert unknown.exit_code == 1
    assert "[not_found]" in unknown.output
    records = json.loads(run(home, "--json", "journal").output)
    assert "commit" in [record["kind"] for record in records]
    assert [record["seq"] for record in records] == sorted(record["seq"] for record in records)
    assert "studio" in run(home, "journal", "--since", "3").output
    assert "espeak" in run(home, "models").output


def test_voices_when_listed_then_who_uses_them_is_said(home: Path) -> None:
    rows = {row["voice"]: row for row in json.loads(run(home, "--json", "voices").output)}
    assert rows["aria"]["used by"] == ["Aria"]
    assert rows["default"]["used by"] == ["default"]


def test_plugins_and_hosts_when_listed_then_our_own_are_there(home: Path) -> None:
    assert "alltalk_register_engines" in run(home, "plugins").output
    assert "plain" in run(home, "hosts").output


@pytest.mark.slow
def test_doctor_when_all_is_well_then_it_has_spoken_and_exits_0(home: Path) -> None:
    result = run(home, "doctor")
    assert result.exit_code == 0, result.output
    assert "loaded and spoke" in result.output
    assert "BAD" not in result.output


def test_doctor_when_settings_are_bad_then_it_says_where_and_exits_1(home: Path) -> None:
    (home / "settings.yaml").write_text("voices:\n  aria: {modell: espeak}\n", encoding="utf-8")
    result = run(home, "doctor")
    assert result.exit_code == 1
    assert "modell" in result.output
    assert "BAD" in result.output


def test_any_command_when_the_named_settings_file_is_missing_then_one_line_and_exit_1(home: Path) -> None:
    result = CliRunner().invoke(cli, ["--home", str(home), "--settings", str(home / "no.yaml"), "voices"])
    assert result.exit_code == 1
    assert "no.yaml" in result.output
    assert len(result.output.strip().splitlines()) == 1


def test_command_when_unknown_then_wrong_usage() -> None:
    assert CliRunner().invoke(cli, ["speek"]).exit_code == 2
