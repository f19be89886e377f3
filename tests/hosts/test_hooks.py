"""The hooks as the host sees them: which there are, their signatures, and what a failure in each does."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alltalk_plugin.cli.demo.host import HostDouble
from tests.hosts.conftest import SYSTEM, USERS, trouble
from tests.hosts.fake_service import FakeService

ALL_HOOKS = [
    "setup", "ui", "custom_css", "custom_js", "history_modifier", "state_modifier", "chat_input_modifier",
    "input_modifier", "custom_generate_chat_prompt", "bot_prefix_modifier", "custom_generate_reply",
    "tokenizer_modifier", "logits_processor_modifier", "custom_tokenized_length", "output_modifier",
]  # fmt: skip

MakeHost = Callable[..., HostDouble]
FAILURES = (
    RuntimeError("on purpose"),
    ModuleNotFoundError("No module named 'gone'"),
    KeyError("character_menu"),
)


@pytest.mark.parametrize("place", [USERS, SYSTEM])
def test_extension_when_loaded_has_these_hooks_and_no_other(make_host: MakeHost, place: str) -> None:
    host = make_host(place)
    host.start()
    (module,) = host.loaded.values()
    assert {hook for hook in ALL_HOOKS if hasattr(module, hook)} == {
        "setup",
        "ui",
        "custom_js",
        "output_modifier",
    }
    assert list(inspect.signature(module.output_modifier).parameters) == ["string", "state", "is_chat"]
    for hook in ("setup", "ui", "custom_js"):
        assert not inspect.signature(getattr(module, hook)).parameters


def test_params_when_settings_name_them_are_taken(make_host: MakeHost) -> None:
    host = make_host()
    host.shared.settings["alltalk_plugin-is_tab"] = True
    host.start()
    assert host.loaded["alltalk_plugin"].params["is_tab"] is True


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
@pytest.mark.parametrize("method", ["start", "build_panel", "page_script", "output"])
def test_host_when_a_hook_fails_starts_and_chats_with_one_line_in_the_log(
    connected: HostDouble, monkeypatch: pytest.MonkeyPatch, method: str, failure: Exception
) -> None:
    def fail(*_values: object) -> None:
        raise failure

    monkeypatch.setattr(sys.modules["alltalk_host"].Host, method, fail)
    connected.log.lines.clear()
    connected.restart()
    state = connected.new_chat(greeting="Hello <you>.")
    shown = [connected.send(state, "Hi", '"I am" <b>here</b>.') for _ in range(3)]
    ours = {"start": "setup", "build_panel": "ui", "page_script": "custom_js", "output": "output_modifier"}[
        method
    ]
    lines = [line for line in trouble(connected) if ours in line]
    assert len(lines) == 1
    assert type(failure).__name__ in lines[0]
    assert all(text.startswith("&quot;I am&quot; &lt;b&gt;here&lt;/b&gt;.") for text in shown)
    assert state["history"]["visible"][0] == ["", "Hello &lt;you&gt;."]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: (folder / "alltalk_host.json").unlink(),
        lambda folder: (folder / "alltalk_host.json").write_text("{broken", encoding="utf-8"),
        lambda folder: (folder / "alltalk_host.json").write_text("[]", encoding="utf-8"),
        lambda folder: (folder / "alltalk_bridge.py").unlink(),
        lambda folder: (folder / "alltalk_host.py").write_text("import no_such_module", encoding="utf-8"),
        lambda folder: (folder / "alltalk_reply.py").write_text("def broken(:", encoding="utf-8"),
    ],
    ids=["no config", "broken config", "other config", "no bridge", "missing module", "syntax error"],
)
def test_host_when_the_adapter_is_damaged_chats_unchanged(
    make_host: MakeHost, spoil: Callable[[Path], Any]
) -> None:
    host = make_host()
    spoil(host.folder / USERS)
    host.start()
    state = host.new_chat()
    assert [host.send(state, "Hi", "A <b>") for _ in range(3)] == ["A &lt;b&gt;"] * 3
    assert host.js == ""
    assert len(trouble(host)) == 4  # one for each hook


def test_page_script_when_the_file_is_gone_is_empty(connected: HostDouble) -> None:
    (connected.folder / USERS / "alltalk.js").unlink()
    connected.restart()
    assert connected.js == ""
    assert [line for line in trouble(connected) if "custom_js" in line]


def test_page_script_stands_alone_between_others(connected: HostDouble) -> None:
    assert connected.js.startswith("\n;")
    assert connected.js.endswith(";\n")


@pytest.mark.parametrize("place", [USERS, SYSTEM])
def test_restart_inside_the_process_keeps_the_one_connection(
    make_host: MakeHost, service: FakeService, place: str
) -> None:
    host = make_host(place)
    host.start()
    service.wait_for("/panel")
    first = host.loaded[Path(place).name]
    one = sys.modules["alltalk_host"].host()
    for _ in range(3):
        host.restart()
    assert (host.loaded[Path(place).name] is first) == (place == SYSTEM)
    assert sys.modules["alltalk_host"].host() is one
    assert len(service.asked("/hello")) == 1
    assert "<audio" in host.send(host.new_chat(), "Hi", "Still here.")


def test_setup_when_there_is_no_page_starts_nothing(make_host: MakeHost, service: FakeService) -> None:
    host = make_host()
    host.shared.args.nowebui = True
    host.start()
    assert service.requests == []


def test_host_when_it_ends_says_bye_as_the_one_that_said_hello(
    connected: HostDouble, service: FakeService
) -> None:
    sys.modules["alltalk_host"].host().close()
    assert service.asked("/bye") == service.asked("/hello")


def test_log_when_the_host_has_no_logger_of_its_own_is_standard_error(
    make_host: MakeHost, capsys: pytest.CaptureFixture[str]
) -> None:
    host = make_host()
    (host.folder / USERS / "alltalk_host.json").unlink()
    del sys.modules["modules.logging_colors"]
    del vars(sys.modules["modules"])["logging_colors"]
    host.start()
    assert "alltalk_host.json" in capsys.readouterr().err
