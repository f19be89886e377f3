"""A voiced chat in a real browser, on a page of real gradio."""

from __future__ import annotations

import http.client
import io
import math
import os
import struct
import threading
import time
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.chat_page import ChatPage
from tests.hosts.fake_service import Audio, FakeService

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

RATE_HZ = 24_000
SECONDS = 8
PLAYER = "#chat audio.alltalk-player"
STATE = """(player) => ({paused: player.paused, t: player.currentTime, src: player.getAttribute("src"),
  ended: player.ended, autoplay: player.hasAttribute("autoplay"), duration: player.duration})"""
COUNT_PIECES = """
window.pieces = 0;
const start = AudioBufferSourceNode.prototype.start;
AudioBufferSourceNode.prototype.start = function (...values) {
  window.pieces += 1;
  return start.apply(this, values);
};
"""


def tone() -> list[float]:
    return [0.3 * math.sin(2 * math.pi * 330 * n / RATE_HZ) for n in range(SECONDS * RATE_HZ)]


@pytest.fixture(scope="module")
def mp3() -> bytes:
    import numpy as np
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, np.array(tone(), dtype="float32"), RATE_HZ, format="MP3")
    return file.getvalue()


@pytest.fixture(scope="module")
def wav() -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE_HZ)
        out.writeframes(b"".join(struct.pack("<h", int(32767 * sample)) for sample in tone()))
    return file.getvalue()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[FakeService]:
    fake = FakeService(tmp_path / "home")
    yield fake
    fake.die()


@pytest.fixture
def chat(tmp_path: Path, service: FakeService) -> Iterator[ChatPage]:
    page = ChatPage(tmp_path / "host", service)
    yield page
    page.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    flags = [
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--mute-audio",
    ]
    with sync_playwright() as playwright:
        chromium = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        found = playwright.chromium.launch(executable_path=chromium, headless=True, args=flags)
        yield found
        found.close()


@pytest.fixture
def page(browser: Any, chat: ChatPage) -> Iterator[Any]:
    context = browser.new_context()
    tab = context.new_page()
    tab.errors = []
    tab.on("pageerror", lambda error: tab.errors.append(str(error)))
    opened(tab, chat)
    yield tab
    assert tab.errors == []
    context.close()


def opened(tab: Any, chat: ChatPage) -> None:
    tab.goto(chat.url)
    tab.wait_for_selector("#chat-input textarea, #chat-input input")
    tab.wait_for_function("window.alltalkPlugin === true")


def say(tab: Any, text: str = "Hi") -> None:
    players = tab.locator(PLAYER).count()
    box = tab.locator("#chat-input textarea, #chat-input input").first
    box.fill(text)
    box.press("Enter")
    tab.wait_for_function(f"document.querySelectorAll('{PLAYER}').length > {players}")


def state(tab: Any, index: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = tab.locator(PLAYER).nth(index).evaluate(STATE)
    return found


def until_playing(tab: Any, index: int = 0) -> None:
    tab.wait_for_function(f"document.querySelectorAll('{PLAYER}')[{index}].currentTime > 0.2", timeout=15_000)


def press_play(tab: Any, index: int = 0) -> None:
    tab.locator(PLAYER).nth(index).evaluate("(player) => { player.play().catch(() => {}); }")
    until_playing(tab, index)


def growing(service: FakeService, data: bytes) -> Audio:
    audio = Audio(data, complete=False)
    service.new_audio = lambda: audio
    return audio


def test_new_reply_starts_by_itself_while_it_grows_and_survives_a_redraw(
    page: Any, chat: ChatPage, service: FakeService, mp3: bytes
) -> None:
    audio = growing(service, mp3[: len(mp3) // 4])
    say(page)
    until_playing(page)
    assert not audio.complete
    page.locator("#redraw").click()
    page.wait_for_timeout(500)
    assert state(page)["paused"] is False
    audio.grow(mp3[len(mp3) // 4 :], complete=True)
    page.wait_for_function(f"document.querySelector('{PLAYER}').duration > {SECONDS - 1}")
    service.wait_for("/kept")
    stored = chat.chat["history"]["visible"][-1][1]
    assert stored.startswith("Hello there. &lt;b&gt;How&lt;/b&gt; are you?\n\n<audio ")
    assert "autoplay" not in stored
    assert [path.read_bytes() for path in chat.cache.iterdir()] == [mp3]


def test_reload_starts_nothing_and_the_old_player_plays_its_file(
    page: Any, chat: ChatPage, service: FakeService, mp3: bytes
) -> None:
    service.new_audio = lambda: Audio(mp3)
    say(page)
    until_playing(page)
    service.wait_for("/kept")
    page.reload()
    page.wait_for_selector(PLAYER, state="attached")
    page.wait_for_timeout(1500)
    assert (state(page)["paused"], state(page)["t"]) == (True, 0)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    press_play(page)
    assert any("/file/" in url for url in asked)
    assert not any("/alltalk_plugin/audio/" in url for url in asked)


def test_old_player_when_our_script_and_the_service_are_gone_plays_its_file(
    page: Any, chat: ChatPage, service: FakeService, mp3: bytes
) -> None:
    service.new_audio = lambda: Audio(mp3)
    say(page)
    service.wait_for("/kept")
    service.die()
    page.add_init_script("window.alltalkPlugin = true;")  # the script takes itself for loaded already
    opened(page, chat)
    page.wait_for_selector(PLAYER, state="attached")
    press_play(page)


def test_old_player_when_its_file_is_missing_plays_what_the_service_has(
    page: Any, chat: ChatPage, service: FakeService, mp3: bytes
) -> None:
    service.new_audio = lambda: Audio(mp3)
    say(page)
    service.wait_for("/kept")
    chat.forget_kept_audio()
    opened(page, chat)
    page.wait_for_selector(PLAYER, state="attached")
    press_play(page)
    assert str(state(page)["src"]).startswith("alltalk_plugin/audio/")


def test_next_reply_stops_the_one_that_plays_and_starts_itself(
    page: Any, service: FakeService, mp3: bytes
) -> None:
    service.new_audio = lambda: Audio(mp3)
    say(page)
    until_playing(page)
    say(page, "More")
    until_playing(page, 1)
    assert state(page, 0)["paused"] is True
    assert str(state(page, 0)["src"]).startswith("file/")


def test_stop_button_stops_what_plays(page: Any, service: FakeService, mp3: bytes) -> None:
    growing(service, mp3[: len(mp3) // 2])
    say(page)
    until_playing(page)
    page.locator("#stop").click()
    page.wait_for_function(f"document.querySelector('{PLAYER}').paused", timeout=3000)


def test_second_window_when_opened_starts_nothing(
    page: Any, chat: ChatPage, service: FakeService, mp3: bytes
) -> None:
    service.new_audio = lambda: Audio(mp3)
    say(page)
    until_playing(page)
    other = page.context.new_page()
    opened(other, chat)
    other.wait_for_selector(PLAYER, state="attached")
    other.wait_for_timeout(1000)
    assert state(other)["paused"] is True


def test_autoplay_when_off_starts_nothing(page: Any, service: FakeService, mp3: bytes) -> None:
    service.panel["autoplay"] = False
    page.get_by_text("AllTalk: spoken replies").click()
    page.get_by_role("button", name="Refresh").click()
    page.get_by_text("Model in use: espeak").wait_for()
    service.new_audio = lambda: Audio(mp3)
    say(page)
    page.wait_for_timeout(1500)
    assert (state(page)["paused"], state(page)["t"]) == (True, 0)


def test_wav_when_it_grows_is_played_piece_by_piece(
    page: Any, chat: ChatPage, service: FakeService, wav: bytes
) -> None:
    page.add_init_script(COUNT_PIECES)
    opened(page, chat)
    service.ending = "wav"
    audio = growing(service, wav[: len(wav) // 4])
    say(page)
    page.wait_for_function("window.pieces > 0")
    before = page.evaluate("window.pieces")
    audio.grow(wav[len(wav) // 4 :], complete=True)
    page.wait_for_function(f"window.pieces > {before}")


def test_audio_when_the_service_has_none_leaves_an_ordinary_player(page: Any, service: FakeService) -> None:
    service.new_audio = lambda: None
    say(page)
    page.wait_for_timeout(1000)
    assert state(page)["paused"] is True
    assert str(state(page)["src"]).startswith("file/")


def test_restart_inside_the_process_keeps_replies_playing(
    page: Any, chat: ChatPage, service: FakeService, mp3: bytes
) -> None:
    chat.restart()
    opened(page, chat)
    growing(service, mp3[: len(mp3) // 2])
    say(page)
    until_playing(page)
    assert len(service.asked("/hello")) == 1


def test_panel_when_used_saves_at_once_and_speaks_a_sentence(
    page: Any, service: FakeService, mp3: bytes
) -> None:
    page.get_by_text("AllTalk: spoken replies").click()
    page.get_by_text("Model in use: espeak").wait_for()
    page.get_by_label("Speak", exact=True).first.click()
    assert service.wait_for("/settings") == [{"values": {"activate": False}, "character": "Mira"}]
    page.get_by_text("Saved.").wait_for()
    service.new_audio = lambda: Audio(mp3)
    page.get_by_role("button", name="Speak", exact=True).click()
    page.wait_for_selector("audio[src^='alltalk_plugin/audio/']", state="attached")


def test_words_when_changed_in_the_panel_are_saved_and_a_bad_line_is_named(
    page: Any, chat: ChatPage, service: FakeService
) -> None:
    service.panel["fields"] += [
        {"key": "lexicon.languages.en", "label": "Language en", "kind": "entries", "value": {}},
        {"key": "lexicon.voices.deep", "label": "Voice deep", "kind": "entries", "value": {"lead": "led"}},
    ]
    opened(page, chat)
    page.get_by_text("AllTalk: spoken replies").click()
    page.get_by_text("Pronunciation").click()
    box = page.locator("#alltalk-words textarea")
    page.wait_for_function("document.querySelector('#alltalk-words textarea').value === 'lead = led'")
    box.fill("lead = led\nnguyen")
    page.get_by_role("button", name="Save words").click()
    page.get_by_text("Not saved: line 2 is not 'word = as it is said': nguyen").wait_for()
    assert service.asked("/settings") == []
    box.fill("nguyen = win")
    page.get_by_role("button", name="Save words").click()
    page.get_by_text("Saved.").wait_for()
    changed = {"lead": None, "nguyen": "win"}
    assert service.asked("/settings")[-1] == {"values": {"lexicon.voices.deep": changed}, "character": "Mira"}
    page.locator("#alltalk-words-in input").click()
    page.get_by_role("option", name="Language en").click()
    page.wait_for_function("document.querySelector('#alltalk-words textarea').value === ''")
    box.fill("U.S. = U S")
    page.get_by_role("button", name="Save words").click()
    service.wait_for("/settings", 2)
    assert service.asked("/settings")[-1]["values"] == {"lexicon.languages.en": {"U.S.": "U S"}}


def test_forty_five_listeners_do_not_hold_up_the_page(
    page: Any, chat: ChatPage, service: FakeService
) -> None:
    audio = service.audio["e" * 32] = Audio(b"x" * 1000, complete=False)

    def listen() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", chat.port, timeout=60)
        connection.request("GET", f"/alltalk_plugin/audio/{'e' * 32}.mp3")
        connection.getresponse().read()
        connection.close()

    listeners = [threading.Thread(target=listen) for _ in range(45)]
    for one in listeners:
        one.start()
    with audio.changed:
        assert audio.changed.wait_for(lambda: audio.readers == 45, 20)
    began = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", chat.port, timeout=20)
    connection.request("GET", "/config")
    assert connection.getresponse().status == 200
    connection.close()
    assert time.monotonic() - began < 1.0
    audio.grow(b"end", complete=True)
    for one in listeners:
        one.join(20)
