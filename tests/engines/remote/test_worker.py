"""The engine where it lives: in a worker of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import psutil
import pytest
from loguru import logger

from alltalk_plugin.domain.audio import AudioChunk
from alltalk_plugin.domain.cancel import CancelSource
from alltalk_plugin.domain.clock import SystemClock
from alltalk_plugin.domain.engines import SynthesisRequest
from alltalk_plugin.domain.errors import (
    ModelIncompatible,
    RemoteError,
    RemoteRefused,
    RemoteUnavailable,
    SelfTestFailed,
)
from alltalk_plugin.domain.models import ModelKey, ModelProfile, ModelRef, OptionValue
from alltalk_plugin.engines.remote.spec import SPEC
from alltalk_plugin.workers.model import WorkerModel
from alltalk_plugin.workers.supervisor import WorkerLoader
from tests.engines.remote.running import SpeechServer
from tests.engines.remote.speech_server import KEY

pytestmark = pytest.mark.slow

PROMPT_S = 0.3
HELLO = SynthesisRequest(text="Hello there.")


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """Everything that is logged, DEBUG included, where the worker's own output goes."""
    told: list[str] = []
    logger.enable("alltalk_plugin")
    handler = logger.add(lambda message: told.append(f"{message} {message.record['extra']}"), level="DEBUG")
    yield told
    logger.remove(handler)
    logger.disable("alltalk_plugin")


@pytest.fixture
def loader() -> Iterator[WorkerLoader]:
    cautious = replace(SPEC, cautions=lambda _profile: ("the key is not safe",))
    made = WorkerLoader({"remote": cautious}, clock=SystemClock())
    yield made
    made.close()


def load(loader: WorkerLoader, server: SpeechServer, model: str, **options: OptionValue) -> WorkerModel:
    given: dict[str, OptionValue] = {"base_url": server.url, "model": model, **options}
    profile = ModelProfile(ModelRef("far"), "remote", options=given)
    return loader.load(profile, ModelKey("remote", profile.ref, ""), CancelSource(), lambda _death: None)


def say(model: WorkerModel, cancel: CancelSource | None = None) -> list[AudioChunk]:
    return list(model.synthesize(HELLO, cancel or CancelSource()))


def test_key_when_set_for_the_service_then_the_worker_sends_it_and_nobody_sees_it(
    loader: WorkerLoader, server: SpeechServer, monkeypatch: pytest.MonkeyPatch, lines: list[str]
) -> None:
    monkeypatch.setenv("SPEECH_KEY", KEY)
    model = load(loader, server, "fine", key_env="SPEECH_KEY")
    assert say(model)
    monkeypatch.setenv("SPEECH_KEY", "sk-of-another-time")
    assert {one["headers"]["authorization"] for one in server.requests} == {f"Bearer {KEY}"}
    assert KEY not in " ".join(psutil.Process(model.pid).cmdline())
    assert KEY not in "".join(lines)
    assert any("model used with caution" in line and "not safe" in line for line in lines)


@pytest.mark.alone
@pytest.mark.parametrize("behaviour", ["stall", "stall-body", "stall-late"])
def test_speech_when_cancelled_then_the_worker_is_free_at_once(
    loader: WorkerLoader, server: SpeechServer, behaviour: str
) -> None:
    model = load(loader, server, behaviour)
    cancel = CancelSource()
    timer = threading.Timer(0.2, cancel.cancel)
    timer.start()
    say(model, cancel)
    cancelled = time.monotonic()
    server.behave("fine")
    assert say(model)
    assert time.monotonic() - cancelled < PROMPT_S


def test_self_test_when_the_server_speaks_then_passed(loader: WorkerLoader, server: SpeechServer) -> None:
    load(loader, server, "fine").verify(CancelSource())


@pytest.mark.parametrize(("fault", "kind"), [("403", RemoteRefused), ("500", RemoteError)])
def test_self_test_when_the_server_fails_then_its_own_error(
    loader: WorkerLoader, server: SpeechServer, fault: str, kind: type[RemoteError]
) -> None:
    model = load(loader, server, fault, retries=0)
    with pytest.raises(RemoteError) as caught:
        model.verify(CancelSource())
    assert type(caught.value) is kind
    assert caught.value.context["url"] == f"{server.url}/v1"


def test_self_test_when_the_voice_is_unknown_then_it_says_which_there_are_and_what_to_set(
    loader: WorkerLoader, server: SpeechServer
) -> None:
    model = load(loader, server, "fine", voice="nobody")
    with pytest.raises(SelfTestFailed, match="Available voices: alloy") as caught:
        model.verify(CancelSource())
    assert "option voice" in caught.value.hint


@pytest.mark.alone
def test_breaker_when_open_then_errors_come_at_once_through_the_pipe(
    loader: WorkerLoader, server: SpeechServer
) -> None:
    model = load(loader, server, "fine", retries=0, open_after=1, open_s=60)
    server.behave("drop")
    with pytest.raises(RemoteUnavailable):
        say(model)
    server.behave("stall")
    begun = time.monotonic()
    with pytest.raises(RemoteUnavailable, match="left alone") as caught:
        say(model)
    assert time.monotonic() - begun < PROMPT_S
    wait_s = caught.value.context["retry_after_s"]
    assert isinstance(wait_s, float)
    assert 50.0 < wait_s <= 60.0
    assert server.requests == []


def test_load_when_the_options_are_wrong_then_refused(loader: WorkerLoader, server: SpeechServer) -> None:
    with pytest.raises(ModelIncompatible, match="format"):
        load(loader, server, "fine", format="midi")
