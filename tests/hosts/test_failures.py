"""Whatever happens to the service or the disk, the host chats on, in time, with one line in its log."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from alltalk_plugin.cli.demo.host import HostDouble
from tests.hosts.conftest import trouble
from tests.hosts.fake_service import FakeService

pytestmark = pytest.mark.alone  # a chat is to wait for nothing, measured in tenths of a second

MakeHost = Callable[..., HostDouble]
BUDGET_S = 1.5
SLACK_S = 0.5


def chat(host: HostDouble, count: int = 4) -> list[float]:
    """How long each reply took; every one came through unchanged."""
    state = host.new_chat()
    took: list[float] = []
    for number in range(count):
        began = time.monotonic()
        shown = host.send(state, "Hi", f'Reply {number} "<b>".')
        took.append(time.monotonic() - began)
        assert shown == f"Reply {number} &quot;&lt;b&gt;&quot;."
    return took


def settled() -> None:
    """No search for the service is running."""
    link = sys.modules["alltalk_host"].host().link
    with link._changed:
        assert link._changed.wait_for(lambda: not link._trying, 10)


def test_service_when_it_cannot_be_started_leaves_the_chat_alone(make_host: MakeHost) -> None:
    host = make_host()  # nobody runs, and the interpreter does not exist
    host.start()
    settled()
    assert max(chat(host)) < 0.3
    assert len(trouble(host)) == 1
    assert "/nowhere/python" in trouble(host)[0]


@pytest.mark.slow
def test_service_when_it_ends_at_once_says_why(make_host: MakeHost, tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho 'settings.yaml, line 3: speech.actvate is unknown'\nexit 1\n")
    broken.chmod(0o755)
    host = make_host(interpreter=str(broken))
    host.start()
    assert max(chat(host)) < BUDGET_S + SLACK_S
    settled()
    assert len(trouble(host)) == 1
    assert "line 3: speech.actvate is unknown" in trouble(host)[0]


def test_service_when_it_died_leaves_the_chat_alone(connected: HostDouble, service: FakeService) -> None:
    service.die()
    assert max(chat(connected)) < BUDGET_S + SLACK_S
    settled()
    assert len(trouble(connected)) == 1


def test_service_when_killed_in_the_middle_of_output_leaves_the_text(
    connected: HostDouble, service: FakeService
) -> None:
    service.gate = threading.Event()

    def kill() -> None:
        service.wait_for("/output")
        service.die()

    killer = threading.Thread(target=kill)
    killer.start()
    assert max(chat(connected, 1)) < BUDGET_S + SLACK_S
    killer.join()


def test_service_when_slow_costs_the_budget_once_and_is_asked_again_later(
    connected: HostDouble, service: FakeService
) -> None:
    service.gate = threading.Event()
    first, *others = chat(connected)
    assert BUDGET_S <= first < BUDGET_S + SLACK_S
    assert max(others) < 0.2
    assert len(trouble(connected)) == 1
    assert "deadline_exceeded" in trouble(connected)[0]


def test_greeting_when_the_service_is_slow_does_not_hold_up_the_page(
    connected: HostDouble, service: FakeService
) -> None:
    service.gate = threading.Event()
    began = time.monotonic()
    state = connected.new_chat(greeting="Welcome.")
    assert time.monotonic() - began < 1.0
    assert state["history"]["visible"] == [["", "Welcome."]]


def test_token_when_wrong_leaves_the_chat_alone(connected: HostDouble, service: FakeService) -> None:
    service.wrong_token = True
    assert max(chat(connected)) < BUDGET_S + SLACK_S
    settled()
    assert len(trouble(connected)) <= 2  # the reply, and the search that followed
    assert "token_required" in trouble(connected)[0]


def test_port_when_taken_by_a_stranger_leaves_the_chat_alone(
    make_host: MakeHost, service: FakeService, home: Path
) -> None:
    address = home / "address.json"
    address.write_text(address.read_text("utf-8").replace('"pid": ', '"pid": 9'), "utf-8")
    host = make_host()
    host.start()
    settled()
    assert max(chat(host)) < 0.3
    assert service.asked("/hello") == []
    assert len(trouble(host)) == 1


def test_versions_when_they_differ_leave_the_chat_alone_and_say_what_to_do(
    make_host: MakeHost, service: FakeService, home: Path
) -> None:
    address = home / "address.json"
    address.write_text(address.read_text("utf-8").replace("0.0.0", "9.9.9"), "utf-8")
    host = make_host()
    host.start()
    settled()
    assert max(chat(host)) < 0.3
    assert len(trouble(host)) == 1
    assert "9.9.9" in trouble(host)[0]
    assert "host install" in trouble(host)[0]


@pytest.mark.parametrize(
    ("status", "code"),
    [(500, "settings_invalid"), (503, "too_many_replies"), (413, "text_too_long"), (507, "store_failed")],
)
def test_service_when_it_refuses_is_one_line_until_it_speaks_again(
    connected: HostDouble, service: FakeService, status: int, code: str
) -> None:
    service.problem = (status, code)
    chat(connected)
    assert len(trouble(connected)) == 1
    assert code in trouble(connected)[0]
    service.problem = None
    assert "<audio" in connected.send(connected.new_chat(), "Hi", "Back.")
    assert ("info", "alltalk-plugin: replies are spoken again") in connected.log.lines
    service.problem = (status, code)
    chat(connected)
    assert len(trouble(connected)) == 2


def test_service_when_another_took_over_is_found_within_the_same_reply(
    connected: HostDouble, service: FakeService, home: Path
) -> None:
    service.die()
    heir = FakeService(home)
    try:
        shown = connected.send(connected.new_chat(), "Hi", "Who is there?")
        assert "<audio" in shown
        assert len(heir.asked("/hello")) == 1
        assert trouble(connected) == []
    finally:
        heir.die()


def test_adapter_folder_when_removed_while_running_leaves_the_chat_alone(
    connected: HostDouble, service: FakeService
) -> None:
    shutil.rmtree(connected.folder / "user_data" / "extensions")
    assert "<audio" in connected.send(connected.new_chat(), "Hi", "Still here.")


@pytest.mark.slow
def test_service_when_none_runs_is_started_in_the_background(
    make_host: MakeHost, home: Path, tmp_path: Path
) -> None:
    starter = tmp_path / "python"
    script = Path(__file__).with_name("fake_service.py")
    starter.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}" "{home}"\n')
    starter.chmod(0o755)
    host = make_host(interpreter=str(starter))
    began = time.monotonic()
    host.start()
    assert time.monotonic() - began < 0.5
    settled()
    bridge = sys.modules["alltalk_bridge"]
    try:
        assert "<audio" in host.send(host.new_chat(), "Hi", "First words.")
    finally:
        for child in bridge._children:
            child.terminate()
            child.wait(10)
