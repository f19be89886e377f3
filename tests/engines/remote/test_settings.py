"""A remote model in the settings file: what is accepted, and what its user is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from alltalk_plugin.cli.main import cli
from alltalk_plugin.domain.errors import ModelIncompatible
from alltalk_plugin.engines.remote.spec import SPEC
from alltalk_plugin.runtime import broken_models
from alltalk_plugin.settings.load import read_settings

FAR = "models:\n  far: {{engine: remote, options: {{base_url: 'http://10.9.8.7:8880', {option}}}}}\n"


@pytest.mark.parametrize("option", ["connect_s: 2", "connect_s: 2.5", "retries: 0", "voice: 'no'"])
def test_option_when_of_its_kind_then_accepted(option: str) -> None:
    settings = read_settings(FAR.format(option=option), Path("s.yaml"))
    assert dict(broken_models(settings, {"remote": SPEC, "espeak": SPEC})) == {}


@pytest.mark.parametrize("option", ["connect_s: true", "connect_s: soon", "retries: 1.5", "key: sk-secret"])
def test_option_when_of_another_kind_or_unknown_then_refused_without_its_value(option: str) -> None:
    settings = read_settings(FAR.format(option=option), Path("s.yaml"))
    ((model, fault),) = broken_models(settings, {"remote": SPEC, "espeak": SPEC})
    assert model == "far" and isinstance(fault, ModelIncompatible)
    assert fault.context["option"] == option.partition(":")[0]
    assert "sk-secret" not in fault.message + fault.hint


@pytest.mark.slow
def test_doctor_when_a_key_would_travel_unencrypted_then_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "settings.yaml").write_text(FAR.format(option="key_env: FAR_KEY"), encoding="utf-8")
    told = CliRunner().invoke(cli, ["--home", str(tmp_path), "doctor"]).output
    assert "http://10.9.8.7:8880/v1 unencrypted" in " ".join(told.split())
