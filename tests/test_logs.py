"""Sinks of entry points."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType

import pytest
from loguru import logger

from alltalk_plugin import logs


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """What came to standard error since the last look; our sinks are taken out afterwards."""
    yield lambda: capsys.readouterr().err
    for handler in logs._ours.values():
        logger.remove(handler)
    logs._ours.clear()


def test_line_when_written_then_has_level_message_and_fields(written: Callable[[], str]) -> None:
    logs.log_to_stderr("INFO")
    logger.debug("too quiet")
    logger.info("model <b>loaded", model="a b", dur_ms=3, at="", options={"x": 1})
    (line,) = written().splitlines()
    assert line.endswith(f"INFO    {__name__}: model <b>loaded model='a b' dur_ms=3 at='' options={{'x': 1}}")


@pytest.mark.parametrize(
    "leak",
    [
        "Authorization: Bearer 0123456789abcdef",
        "GET /audio?token=0123456789abcdef&x=1",
        "GET /k/0123456789abcdef/v1/models",
        '{"token": "0123456789abcdef"}',
        "token: '0123456789abcdef'",
    ],
)
def test_token_when_in_a_message_field_or_trace_then_hidden(written: Callable[[], str], leak: str) -> None:
    logs.log_to_stderr("INFO")
    logger.info("asked", url=leak, token="0123456789abcdef", Authorization="0123456789abcdef")
    try:
        int(leak)
    except ValueError:
        logger.exception("failed {}", leak)
    lines = written()
    assert "0123456789abcdef" not in lines
    assert "***" in lines
    assert "ValueError" in lines


def test_harmless_text_when_redacted_then_unchanged() -> None:
    text = "the token is short, bear with /k/ and 12 tokens"
    assert logs.redact(text) == text


def test_trace_when_logged_then_shows_no_values(written: Callable[[], str]) -> None:
    logs.log_to_stderr("INFO")
    spoken = "a secret of the chat"
    try:
        len(3 if spoken else "")  # type: ignore[arg-type]  # the fault
    except TypeError:
        logger.exception("failed")
    lines = written()
    assert "TypeError" in lines
    assert spoken not in lines


def test_sink_when_asked_for_twice_then_each_line_comes_once(written: Callable[[], str]) -> None:
    logs.log_to_stderr("INFO")
    logs.log_to_stderr("DEBUG")
    logger.debug("once")
    assert written().count("once") == 1


def test_console_when_there_is_none_then_nothing_breaks(
    written: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    logs.log_to_stderr("INFO")
    logger.info("nobody hears")
    assert not written()


def test_file_when_it_grows_then_rotated_and_only_some_are_kept(
    tmp_path: Path, written: Callable[[], str]
) -> None:
    file = tmp_path / "logs" / "service.log"
    logs.log_to_file(file, "INFO", keep=2)
    for _ in range(9):
        logger.info("x" * 1_000_000)
    sizes = [path.stat().st_size for path in file.parent.iterdir()]
    assert len(sizes) == 3
    assert max(sizes) <= 2_000_000


def test_sinks_of_the_program_when_ours_are_added_then_stay() -> None:
    """In a fresh interpreter, since the test run has sinks of its own."""
    program = (
        "import io; from loguru import logger; out = io.StringIO(); logger.remove(); "
        "logger.add(out, format='{message}'); from alltalk_plugin import logs; logs.log_to_stderr('INFO'); "
        "logger.info('heard'); print(out.getvalue().strip())"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert ran.stdout.strip() == "heard"
    assert ran.stderr.count("heard") == 1


def test_package_when_disabled_then_a_sink_turns_it_on_again(written: Callable[[], str]) -> None:
    ours = FunctionType(says.__code__, {"__name__": "alltalk_plugin.swap", "logger": logger})
    logs.log_to_stderr("INFO")
    logger.disable("alltalk_plugin")
    ours()
    assert written() == ""
    logs.enable()
    ours()
    assert written().count("said") == 1


def says() -> None:
    logger.info("said")
