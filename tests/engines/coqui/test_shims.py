"""What is put right before the library is imported; here without the library."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from alltalk_plugin.engines.coqui import shims


def test_nothing_may_fetch_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE"):
        monkeypatch.setenv(name, "0")
    shims.go_offline()
    assert os.environ["HF_HUB_OFFLINE"] == os.environ["TRANSFORMERS_OFFLINE"] == "1"


def test_threads_wait_asleep_unless_somebody_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    shims.wait_asleep()
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    shims.wait_asleep()
    assert os.environ["OMP_WAIT_POLICY"] == "ACTIVE"


def test_no_file_of_the_engine_reaches_for_the_terminal_or_the_terms() -> None:
    folder = Path(shims.__file__).parent
    for path in folder.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "input(" not in text.replace("_input(", ""), path.name
        assert "COQUI_TOS_AGREED" not in text, path.name
