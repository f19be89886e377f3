"""A character who speaks from another machine, and what is heard when that machine is out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from alltalk_plugin.domain.models import ModelState
from alltalk_plugin.domain.speech import Chat, ChatId, Reply, SpokenReply
from alltalk_plugin.runtime import Runtime, build_runtime
from tests.engines.remote.running import SpeechServer
from tests.fakes.waiting import until

pytestmark = pytest.mark.slow

SETTINGS = """
voices:
  storm: {{model: far, speaker: en-storm, fallback: near}}
  near: {{model: espeak, speaker: f2}}
characters:
  Storm: {{voice: storm}}
languages: {{candidates: [en], default: en}}
models:
  far:
    engine: remote
    options: {{base_url: {url}, model: fine, retries: 0, open_after: 2, open_s: 0.5, first_byte_s: 5}}
swap: {{budget_mb: {{cpu: 2000}}, min_interval_s: 0, retry_base_s: 0.3, retry_max_s: 0.3}}
speech: {{cache_mb: 0, narrator: "off"}}
audio: {{format: wav}}
"""
TEXT = "First I speak. Then I speak again. And once more."


@pytest.fixture
def open_runtime(tmp_path: Path, server: SpeechServer) -> Iterator[Callable[[], Runtime]]:
    opened: list[Runtime] = []

    def build() -> Runtime:
        (tmp_path / "settings.yaml").write_text(SETTINGS.format(url=server.url), encoding="utf-8")
        opened.append(build_runtime(tmp_path))
        return opened[0]

    yield build
    for runtime in opened:
        runtime.close()


def speak(runtime: Runtime, text: str = TEXT) -> SpokenReply:
    return runtime.speech.speak(Reply(text=text, character="Storm", chat=Chat(id=ChatId("chat"))))


def voices(spoken: SpokenReply) -> set[str]:
    return {clip.choice.voice.name for clip in spoken.clips}


def far(runtime: Runtime) -> tuple[ModelState, int]:
    return next((one.state, one.leases) for one in runtime.models.snapshot() if one.ref == "far")


def test_reply_when_the_server_speaks_then_its_voice(
    open_runtime: Callable[[], Runtime], server: SpeechServer
) -> None:
    runtime = open_runtime()
    spoken = speak(runtime)
    assert voices(spoken) == {"storm"}
    assert spoken.fallbacks == ()
    assert {one["body"].get("voice") for one in server.requests if one["body"]} == {"alloy", "en-storm"}


def test_reply_when_the_server_goes_out_then_the_fallback_speaks_is_named_and_the_lease_is_free(
    open_runtime: Callable[[], Runtime], server: SpeechServer
) -> None:
    runtime = open_runtime()
    speak(runtime)
    server.behave("drop")
    spoken = speak(runtime)
    assert voices(spoken) == {"near"}
    assert not spoken.skipped
    assert all("storm" in reason and "closed without an answer" in reason for reason in spoken.fallbacks)
    assert spoken.fallbacks
    assert {one["body"]["input"] for one in server.requests} == {"First I speak."}  # and no other sentence
    until(lambda: far(runtime) == (ModelState.READY, 0))


def test_reply_when_the_server_is_left_alone_then_it_is_not_asked_and_speaks_again_later(
    open_runtime: Callable[[], Runtime], server: SpeechServer
) -> None:
    runtime = open_runtime()
    speak(runtime)
    server.behave("drop")
    for _ in range(2):
        speak(runtime)
    asked = len(server.requests)
    begun = time.monotonic()
    spoken = speak(runtime)
    if time.monotonic() - begun < 0.4:  # else the half second of the breaker may have gone by
        assert len(server.requests) == asked
        assert all("left alone" in reason for reason in spoken.fallbacks)
    assert voices(spoken) == {"near"}
    server.behave("fine")
    until(lambda: voices(speak(runtime, "Now?")) == {"storm"})


def test_reply_when_one_text_fails_then_only_that_has_another_voice(
    open_runtime: Callable[[], Runtime], server: SpeechServer
) -> None:
    runtime = open_runtime()
    speak(runtime)
    server.behave("500")
    assert voices(speak(runtime, "Only this one.")) == {"near"}
    server.behave("fine")
    assert voices(speak(runtime)) == {"storm"}


def test_reply_when_the_server_is_out_from_the_start_then_the_fallback_until_it_comes(
    open_runtime: Callable[[], Runtime], server: SpeechServer
) -> None:
    server.behave("401")
    runtime = open_runtime()
    spoken = speak(runtime)
    assert voices(spoken) == {"near"}
    assert "wants a key" in spoken.fallbacks[0]
    assert far(runtime)[0] is ModelState.FAILED
    server.behave("fine")
    until(lambda: voices(speak(runtime, "Now?")) == {"storm"})
