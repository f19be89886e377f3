"""What is sent for each way a reply comes about, and that the host's text is never touched."""

from __future__ import annotations

import html
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from alltalk_plugin.cli.demo.host import HostDouble
from tests.hosts.fake_service import FakeService

MakeHost = Callable[..., HostDouble]
TRICKY = [
    "Plain.",
    '*waves* "Hi" & <b>bye</b>',
    "<think>secret</think>\n\nAnswer.",
    "```python\nprint('x')\n```",
    "  leading and trailing \n\n",
    "emoji 😀, \u202ebidi\u202c, \x00 nul, Grüße, 你好",
    "lone surrogate \ud800 here",
    "x" * 200_000,
]


def sent(service: FakeService) -> dict[str, Any]:
    return service.asked("/output")[-1]


@pytest.mark.parametrize("reply", TRICKY, ids=range(len(TRICKY)))
def test_reply_when_spoken_is_the_hosts_text_with_a_player_behind_it(
    connected: HostDouble, service: FakeService, reply: str
) -> None:
    shown = connected.send(connected.new_chat(), "Hi", reply)
    text, blank, player = shown.rpartition("\n\n")
    assert text == html.escape(reply)
    assert blank == "\n\n"
    assert player.startswith('<audio class="alltalk-player"')
    assert "autoplay" not in player
    assert sent(service)["text"] == html.escape(reply)
    assert sent(service)["escaped"] is True


def test_every_flow_when_spoken_leaves_history_as_without_us(connected: HostDouble) -> None:
    state = connected.new_chat(greeting="Hello {{user}}, I am {{char}}.")
    connected.send(state, "Hi", "One.")
    connected.regenerate(state, "Another <one>.")
    connected.go_on(state, " And more.")
    connected.stop(state, "Go", "Part")
    assert state["history"]["internal"] == [
        ["<|BEGIN-VISIBLE-CHAT|>", "Hello You, I am Mira."],
        ["Hi", "Another <one>. And more."],
        ["Go", "Part"],
    ]
    visible = [shown.partition("\n\n<audio")[0] for _, shown in state["history"]["visible"]]
    assert visible == ["Hello You, I am Mira.", "Another &lt;one&gt;. And more.", "Part"]


def test_body_when_a_character_speaks_names_the_menus_choice(
    connected: HostDouble, service: FakeService
) -> None:
    state = connected.new_chat(
        character_menu="Tester", name2="AI", name1="Ann", greeting="Hey {{user}} <BOT>"
    )
    connected.send(state, "Hi", "Yes.")
    body = sent(service)
    assert (body["character"], body["roster"], body["user_name"]) == ("Tester", ["AI"], "Ann")
    assert body["chat_id"] == state["unique_id"]
    assert body["greeting"] == "Hey Ann AI"
    assert (body["final"], body["continued"], body["is_greeting"]) == (True, False, False)


@pytest.mark.parametrize(
    ("fields", "character"),
    [
        ({"mode": "instruct"}, None),
        ({"mode": None}, None),
        ({"mode": "chat-instruct"}, "Mira"),
        ({"character_menu": None, "name2": "Bo"}, "Bo"),
        ({"character_menu": "", "name2": ""}, None),
        ({"unique_id": "incognito-20260101-00-00-00"}, "Mira"),
        ({"unique_id": None}, "Mira"),
    ],
)
def test_character_follows_mode_and_menu(
    connected: HostDouble, service: FakeService, fields: dict[str, Any], character: str | None
) -> None:
    connected.send(connected.new_chat(**fields), "Hi", "Yes.")
    assert sent(service)["character"] == character
    assert sent(service)["chat_id"] == (fields.get("unique_id", "20260101-00-00-01") or "")


def test_greeting_when_a_chat_is_opened_is_marked_as_one(connected: HostDouble, service: FakeService) -> None:
    state = connected.new_chat(greeting='"Hi {{user}}", says <BOT> & {{char}}')
    assert sent(service)["is_greeting"] is True
    assert "<audio" not in state["history"]["visible"][0][1]
    connected.send(state, "Hi", "Another text.")
    assert sent(service)["is_greeting"] is False


def test_continue_when_the_hook_gets_all_again_is_marked(connected: HostDouble, service: FakeService) -> None:
    state = connected.new_chat()
    connected.send(state, "Hi", "Well, <user>.")
    assert sent(service)["continued"] is False
    connected.go_on(state, " More.")
    assert sent(service)["continued"] is True
    connected.regenerate(state, "Something else.")
    assert sent(service)["continued"] is False


@pytest.mark.parametrize(
    "reply", ["", "   ", "\n", "<tool_call>{}</tool_call>", 'Wait. <tool_call>{"name": "x"}</tool_call>']
)
def test_reply_when_there_is_nothing_to_read_out_is_not_asked_for(
    connected: HostDouble, service: FakeService, reply: str
) -> None:
    assert connected.send(connected.new_chat(), "Hi", reply) == html.escape(reply)
    assert service.asked("/output") == []


def test_tool_call_when_tools_are_offered_is_recognised_with_and_without_the_hosts_parser(
    connected: HostDouble, service: FakeService
) -> None:
    tools = [{"function": {"name": "clock"}}]
    state = connected.new_chat(tools=tools)
    call = '{"name": "clock", "arguments": {}}'
    connected.send(state, "Hi", call)
    assert service.asked("/output") == []
    parsing = ModuleType("modules.tool_parsing")
    vars(parsing)["parse_tool_call"] = lambda text, names: (
        [text] if text == "clock()" and names == ["clock"] else []
    )
    sys.modules["modules.tool_parsing"] = parsing
    connected.send(state, "Hi", "clock()")
    assert service.asked("/output") == []
    connected.send(state, "Hi", "It is late.")
    assert len(service.asked("/output")) == 1
    connected.send(connected.new_chat(), "Hi", call)  # no tools: somebody talks about JSON
    assert len(service.asked("/output")) == 2


def test_reply_when_extensions_are_to_be_skipped_is_not_asked_for(
    connected: HostDouble, service: FakeService
) -> None:
    assert connected.send(connected.new_chat(_skip_output_extensions=True), "Hi", "A.") == "A."
    assert service.asked("/output") == []


def test_api_and_notebook_get_their_text_and_ask_for_nothing(
    connected: HostDouble, service: FakeService
) -> None:
    assert connected.api_chat("Yes <b>.") == "Yes <b>."
    assert connected.api_chat("Yes.", character="Mira", mode="instruct") == "Yes."
    assert connected.complete("raw <text>") == "raw <text>"
    assert service.asked("/output") == []


def test_stop_when_pressed_speaks_nothing_and_stops_what_speaks_in_that_chat(
    connected: HostDouble, service: FakeService
) -> None:
    state = connected.new_chat()
    assert connected.stop(state, "Hi", "Half a") == "Half a"
    assert service.wait_for("/stop") == [{"chat_id": state["unique_id"]}]
    assert service.asked("/output") == []


def test_media_url_when_user_data_is_relative_is_relative(
    make_host: MakeHost, service: FakeService, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "host").mkdir()
    monkeypatch.chdir(tmp_path / "host")
    host = make_host(in_cwd=True)
    host.start()
    service.wait_for("/panel")
    host.send(host.new_chat(), "Hi", "Yes.")
    assert sent(service)["media_url"] == "file/user_data/cache/alltalk_plugin"


@pytest.mark.parametrize(
    ("folder", "url"),
    [
        (Path("/srv/my data/user_data"), "file//srv/my%20data/user_data/cache/alltalk_plugin"),
        (Path('/srv/a"b'), "file//srv/a%22b/cache/alltalk_plugin"),
        (Path("/srv/app/../user_data"), "file//srv/user_data/cache/alltalk_plugin"),
    ],
)
def test_media_url_of_other_folders_is_one_that_a_browser_keeps(
    connected: HostDouble, folder: Path, url: str
) -> None:
    assert sys.modules["alltalk_reply"].media_url(folder) == url


def test_answers_when_they_are_not_the_hosts_text_are_not_shown(
    connected: HostDouble, service: FakeService
) -> None:
    state = connected.new_chat()
    for answer in ({}, {"text": None}, {"text": ""}, {"text": "Other."}, {"text": 7}):
        service.answer = answer
        assert connected.send(state, "Hi", "Mine.") == "Mine."


@pytest.mark.parametrize("state", [None, [], "state"])
def test_state_when_it_is_no_mapping_changes_nothing(connected: HostDouble, state: Any) -> None:
    assert connected.string_hook("output_modifier", "Text.", state, is_chat=True) == "Text."


def test_new_players_are_new_once(connected: HostDouble, service: FakeService) -> None:
    connected.send(connected.new_chat(), "Hi", "Yes.")
    name = f"{next(iter(service.audio))}.mp3"
    host = sys.modules["alltalk_host"].host()
    assert host.claim(["0" * 32 + ".mp3", name]) == [name]
    assert host.claim([name]) == []
