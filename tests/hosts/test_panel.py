"""The panel: filled from the service, saved at once, and absent rather than in the way."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from alltalk_plugin.cli.demo.host import HostDouble
from tests.hosts import fake_gradio
from tests.hosts.conftest import trouble
from tests.hosts.fake_gradio import Component, Page
from tests.hosts.fake_service import FakeService

MakeHost = Callable[..., HostDouble]
CHAT = ("chat", "Mira")


def named(kind: str) -> list[Component]:
    return [component for component in Page.built if type(component).__name__ == kind]


def fill(*about: Any) -> tuple[str, Any, list[Any]]:
    """What pressing Refresh puts on the page: status, the remembered fields, what is visible."""
    status, known, *looks = refreshed(None, None, *about)[:-4]
    return status, known, [look for look in looks if look["visible"]]


def refreshed(*inputs: Any) -> list[Any]:
    handler, _, _ = named("Button")[0].events["click"]
    found: list[Any] = handler(*inputs)
    return found


@pytest.fixture
def panel(connected: HostDouble) -> HostDouble:
    """With the two fields of the host's page that say who speaks."""
    connected.shared.gradio.update(mode=Component(), character_menu=Component())
    connected.restart()
    return connected


def test_panel_when_the_service_is_up_shows_its_fields_and_state(
    panel: HostDouble, service: FakeService
) -> None:
    service.panel["status"]["last_error"] = "voice <b>x</b> is unknown"
    status, known, looks = fill(*CHAT)
    assert [look["label"] for look in looks] == ["Speak", "Voice", "Rate"]
    assert [look["value"] for look in looks] == [True, "default", "1.0"]
    assert "Model in use: espeak" in status
    assert "voice &lt;b&gt;x&lt;/b&gt; is unknown" in status
    assert {one["key"] for one in known if one} == {"activate", "voice", "rate"}


def test_panel_when_the_character_changes_is_filled_for_that_one(panel: HostDouble) -> None:
    for element in ("mode", "character_menu"):
        handler, inputs, _ = panel.shared.gradio[element].events["change"]
        assert len(inputs) == 2
    asked: list[Any] = []

    def note(character: str | None) -> dict[str, Any]:
        asked.append(character)
        return {}

    sys.modules["alltalk_host"].host().panel = note
    for about in (CHAT, ("instruct", "Mira"), ("chat", None)):
        handler(*about)
    assert asked == ["Mira", None, None]


@pytest.mark.parametrize(
    ("doing", "shown", "saved"),
    [
        (("Checkbox", "input"), False, {"activate": False}),
        (("Dropdown", "input"), "deep", {"voice": "deep"}),
        (("Textbox", "blur"), "1.5", {"rate": 1.5}),
        (("Textbox", "submit"), "2", {"rate": 2.0}),
    ],
)
def test_field_when_changed_is_saved_at_once(
    panel: HostDouble, service: FakeService, doing: tuple[str, str], shown: Any, saved: dict[str, Any]
) -> None:
    _, known, _ = fill(*CHAT)
    kind, event = doing
    handler, inputs, _ = named(kind)[0].events[event]
    assert len(inputs) == 4
    status, _ = handler(known, shown, *CHAT)
    assert "Saved." in status
    assert service.asked("/settings") == [{"values": saved, "character": "Mira"}]


def test_field_when_it_has_its_value_already_is_not_saved(panel: HostDouble, service: FakeService) -> None:
    _, known, _ = fill(*CHAT)
    handler, _, _ = named("Checkbox")[0].events["input"]
    handler(known, True, *CHAT)
    _, known = handler(known, False, *CHAT)
    handler(known, False, *CHAT)
    hidden, _, _ = named("Checkbox")[1].events["input"]
    hidden(known, True, *CHAT)
    assert len(service.asked("/settings")) == 1


def test_field_when_the_value_is_nonsense_is_said_and_not_saved(
    panel: HostDouble, service: FakeService
) -> None:
    _, known, _ = fill(*CHAT)
    handler, _, _ = named("Textbox")[0].events["blur"]
    status, _ = handler(known, "fast", *CHAT)
    assert "Not saved" in status
    assert service.asked("/settings") == []


def test_autoplay_when_switched_off_in_the_panel_is_off_for_the_page(
    panel: HostDouble, service: FakeService
) -> None:
    service.panel["autoplay"] = False
    fill(*CHAT)
    assert sys.modules["alltalk_host"].host().autoplay is False


def test_sentence_when_spoken_gives_a_player_of_the_live_path(
    panel: HostDouble, service: FakeService
) -> None:
    handler, _, _ = named("Button")[1].events["click"]
    player = handler("Hello.", *CHAT)
    assert service.asked("/test") == [{"text": "Hello.", "character": "Mira"}]
    assert f'src="alltalk_plugin/audio/{next(iter(service.audio))}.mp3"' in player


def test_panel_when_the_service_is_not_up_says_so_in_words(make_host: MakeHost) -> None:
    host = make_host()
    host.start()
    status, known, looks = fill()
    assert "start" in status
    assert (known, looks) == ([], [])
    spoken, _, _ = named("Button")[1].events["click"]
    assert "start" in spoken("Hello.")


@pytest.mark.parametrize("lacking", ["Accordion", "Dropdown", "State", "update"])
def test_panel_when_gradio_lacks_something_is_left_out_and_the_host_starts(
    make_host: MakeHost, service: FakeService, monkeypatch: pytest.MonkeyPatch, lacking: str
) -> None:
    host = make_host()
    monkeypatch.setitem(sys.modules, "gradio", fake_gradio.module(without=(lacking,)))
    host.start()
    assert len(trouble(host)) == 1
    assert lacking in trouble(host)[0]
    assert named("HTML") == []
    assert "<audio" in host.send(host.new_chat(), "Hi", "Yes.")


def test_panel_when_gradio_knows_change_only_still_saves(
    make_host: MakeHost, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = make_host()
    monkeypatch.setitem(sys.modules, "gradio", fake_gradio.module(events=("change", "click", "load")))
    host.start()
    service.wait_for("/panel")
    _, known, _ = fill()
    handler, _, _ = named("Textbox")[0].events["change"]
    handler(known, "1.25")
    assert service.asked("/settings") == [{"values": {"rate": 1.25}, "character": None}]


WORDS = [
    {"key": "lexicon.languages.en", "label": "Language en", "kind": "entries", "value": {}},
    {
        "key": "lexicon.voices.deep",
        "label": "Voice deep",
        "kind": "entries",
        "value": {"cach*": "cash", "x=1": "x is one", "torn": "two\nlines"},
    },
]


@pytest.fixture
def words(panel: HostDouble, service: FakeService) -> FakeService:
    service.panel["fields"] += [dict(one) for one in WORDS]
    return service


def word_lists(key: Any = None, whose: str | None = None) -> tuple[Any, ...]:
    """What Refresh makes of the lists: the lists, the choice, the words, the note."""
    return tuple(refreshed(key, whose, *CHAT)[-4:])


def save_words(lists: Any, whose: str, shown: str) -> list[Any]:
    handler, _, _ = named("Button")[2].events["click"]
    found: list[Any] = handler(lists, whose, shown, *CHAT)
    return found


def test_words_when_there_are_lists_then_the_first_that_has_some_is_shown(words: FakeService) -> None:
    lists, choice, shown, note = word_lists()
    assert choice == {"choices": ["Language en", "Voice deep (3)"], "value": "Voice deep (3)"}
    assert shown["value"] == "cach* = cash\nx=1 = x is one"
    assert "1 more can only be changed in the settings file" in note
    handler, _, _ = named("Dropdown")[-1].events["input"]
    assert handler(lists, "Language en")[0] == {"value": ""}
    assert word_lists(lists, "Language en")[1]["value"] == "Language en"


def test_words_when_saved_then_only_what_changed_is_sent_and_the_list_stays_chosen(
    words: FakeService,
) -> None:
    lists, _, _, _ = word_lists()
    new = "x=1 = x is one\n\n nguyen = win \nU S=you ess"
    lists, choice, shown, note = save_words(lists, "Voice deep (3)", new)
    changed = {"cach*": None, "nguyen": "win", "U S": "you ess"}
    assert words.asked("/settings") == [{"values": {"lexicon.voices.deep": changed}, "character": "Mira"}]
    assert choice["value"] == "Voice deep (4)"
    assert shown["value"] == "x=1 = x is one\nnguyen = win\nU S = you ess"
    assert "Saved." in note
    assert "Nothing was changed" in save_words(lists, "Voice deep (4)", shown["value"])[3]
    assert len(words.asked("/settings")) == 1


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        ("nguyen = win\nlead", "line 2 is not"),
        ("lead =", "line 1 is not"),
        ("= led", "line 1 is not"),
        ("lead = led\nlead = leed", "is there twice"),
    ],
)
def test_words_when_a_line_is_bad_then_it_is_named_and_nothing_is_sent(
    words: FakeService, shown: str, said: str
) -> None:
    lists, _, _, _ = word_lists()
    same, choice, box, note = save_words(lists, "Voice deep (3)", shown)
    assert "Not saved" in note
    assert said in note
    assert (same, choice, box) == (lists, {}, {})
    assert words.asked("/settings") == []


def test_words_when_the_service_is_not_up_then_the_panel_says_so(make_host: MakeHost) -> None:
    host = make_host()
    host.start()
    lists, choice, shown, _ = refreshed(None, None)[-4:]
    assert (lists, choice["choices"], shown["value"]) == ({}, [], "")
    handler, _, _ = named("Button")[2].events["click"]
    assert "press Refresh" in handler(lists, None, "a = b")[3]
