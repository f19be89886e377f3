"""The engine with a real server in another process."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from alltalk_plugin.domain.audio import AudioChunk
from alltalk_plugin.domain.cancel import CancelSource
from alltalk_plugin.domain.engines import LoadRequest, SynthesisRequest
from alltalk_plugin.domain.errors import (
    AlltalkError,
    ModelIncompatible,
    RemoteBusy,
    RemoteError,
    RemoteRefused,
    RemoteUnavailable,
    VoiceNotFound,
)
from alltalk_plugin.domain.models import CPU, OptionValue
from alltalk_plugin.engines.remote.engine import RemoteEngine, create
from tests.engines.remote.running import ENCODED_S, SpeechServer
from tests.engines.remote.speech_server import KEY

HELLO = SynthesisRequest(text="Hello there.")


def loaded(server: SpeechServer, model: str, **options: OptionValue) -> RemoteEngine:
    given: dict[str, OptionValue] = {
        "base_url": server.url,
        "model": model,
        "first_byte_s": 0.4 if model.startswith("stall") else 20.0,
        "between_chunks_s": 0.2 if model.startswith("stall") else 10.0,
        **options,
    }
    return create(LoadRequest(model="far", path=None, device=CPU, options=given))


def speak(engine: RemoteEngine, request: SynthesisRequest = HELLO) -> list[AudioChunk]:
    try:
        return list(engine.synthesize(request, CancelSource()))
    finally:
        engine.close()


@pytest.mark.parametrize(
    "model", ["fine", "odd", "sized", "until-close", "wav-sized", "wav-float-stereo", "always-wav", "flaky"]
)
def test_speech_when_the_server_sends_it_so_then_heard(server: SpeechServer, model: str) -> None:
    chunks = speak(loaded(server, model))
    samples = np.concatenate([chunk.samples for chunk in chunks])
    assert len(samples) == 72 * 240  # 12 characters of 0.06 s
    assert np.abs(samples).max() == pytest.approx(9_000 / 32_768, rel=0.01)
    assert samples[60] == pytest.approx(9_000 / 32_768, rel=0.01)  # in step with the wave: no byte is lost


@pytest.mark.parametrize(
    ("wire", "rate_hz"),
    [("pcm", 24_000), ("wav", 24_000), ("mp3", 24_000), ("flac", 24_000), ("opus", 24_000)],
)
def test_speech_when_in_another_format_then_heard(server: SpeechServer, wire: str, rate_hz: int) -> None:
    chunks = speak(loaded(server, "fine", format=wire))
    seconds = sum(chunk.duration_s for chunk in chunks)
    assert seconds == pytest.approx(ENCODED_S if wire in ("mp3", "flac", "opus") else 0.72, abs=0.15)
    assert {chunk.sample_rate_hz for chunk in chunks} == {rate_hz}


@pytest.mark.parametrize(
    ("model", "kind", "word"),
    [
        ("stall", RemoteUnavailable, "did not begin to answer within 0.4 s"),
        ("stall-body", RemoteUnavailable, "did not begin to answer within 0.4 s"),
        ("stall-late", RemoteError, "fell silent for 0.2 s after"),
        ("drop", RemoteUnavailable, "closed without an answer"),
        ("drop-late", RemoteError, "broke off after"),
        ("cut-until-close", RemoteError, "broke off after"),
        ("html", RemoteError, "text/html"),
        ("json", RemoteError, "model is loading"),
        ("sse", RemoteError, "text/event-stream"),
        ("empty", RemoteError, "sent no audio"),
        ("garbage", RemoteError, "cannot be read"),
        ("endless", RemoteError, "more audio than the text can have"),
        ("redirect", RemoteError, "redirects to http://127.0.0.1:9/"),
        ("401", RemoteRefused, "wants a key"),
        ("403", RemoteRefused, "wants a key"),
        ("404", ModelIncompatible, "does not exist"),
        ("422", ModelIncompatible, "Input should be a number"),
        ("echo-422", ModelIncompatible, "Input should be a number"),
        ("429", RemoteBusy, "429"),
        ("429-later", RemoteBusy, "429"),
        ("429-quota", RemoteRefused, "no credit"),
        ("500", RemoteError, "500"),
        ("503", RemoteError, "503"),
        ("503-later", RemoteBusy, "503"),
    ],
)
def test_speech_when_the_server_fails_so_then_typed(
    server: SpeechServer, model: str, kind: type[AlltalkError], word: str
) -> None:
    with pytest.raises(AlltalkError) as caught:
        speak(loaded(server, model))
    assert type(caught.value) is kind
    assert word in caught.value.message
    assert caught.value.context["url"] == f"{server.url}/v1"
    assert "Hello there" not in f"{caught.value.message} {caught.value.context}"


def test_speech_when_the_voice_is_unknown_then_voice_not_found(server: SpeechServer) -> None:
    with pytest.raises(VoiceNotFound, match="Available voices: alloy"):
        speak(loaded(server, "fine"), replace(HELLO, speaker="nobody"))


def test_load_when_nobody_listens_then_unavailable() -> None:
    with pytest.raises(RemoteUnavailable, match="nobody listens there"):
        create(LoadRequest(model="far", path=None, device=CPU, options={"base_url": "http://127.0.0.1:9"}))


@pytest.mark.parametrize(("fault", "kind"), [("401", RemoteRefused), ("stall", RemoteUnavailable)])
def test_load_when_the_server_will_not_have_us_then_typed(
    server: SpeechServer, fault: str, kind: type[AlltalkError]
) -> None:
    server.behave(fault)
    with pytest.raises(AlltalkError) as caught:
        loaded(server, "fine", first_byte_s=0.4)
    assert type(caught.value) is kind


def test_load_when_the_server_lists_no_models_then_loaded(server: SpeechServer) -> None:
    loaded(server, "fine", base_url=f"{server.url}/elsewhere").close()


def test_key_when_the_variable_is_set_then_sent(
    server: SpeechServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPEECH_KEY", f" {KEY}\n")
    assert speak(loaded(server, "fine", key_env="SPEECH_KEY"))
    assert {one["headers"]["authorization"] for one in server.requests} == {f"Bearer {KEY}"}


@pytest.mark.parametrize("value", ["", "  ", "clé", "two\nlines"])
def test_key_when_the_variable_holds_none_then_refused_and_nobody_is_asked(
    server: SpeechServer, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("SPEECH_KEY", value)
    with pytest.raises(RemoteRefused) as caught:
        loaded(server, "fine", key_env="SPEECH_KEY")
    assert "SPEECH_KEY" in caught.value.message
    assert value.strip() == "" or value not in caught.value.message
    assert server.requests == []


def test_key_when_the_server_repeats_it_then_not_in_the_error(
    server: SpeechServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPEECH_KEY", "sk-wrong-but-secret")
    with pytest.raises(RemoteRefused, match="refuses the key") as caught:
        speak(loaded(server, "fine", key_env="SPEECH_KEY"))
    assert "sk-wrong" not in f"{caught.value.message} {caught.value.hint} {caught.value.context}"
