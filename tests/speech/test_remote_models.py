"""A model whose server elsewhere is out takes nothing from the reply but its own voice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from alltalk_plugin.domain.errors import (
    ModelError,
    RemoteBusy,
    RemoteError,
    RemoteRefused,
    RemoteUnavailable,
)
from alltalk_plugin.domain.models import ModelRef
from tests.speech.studio import Studio


@pytest.fixture
def studio() -> Iterator[Studio]:
    made = Studio(fallbacks={"far": "plain"})
    yield made
    made.service.close()


@pytest.mark.parametrize("kind", [RemoteUnavailable, RemoteBusy, RemoteRefused])
def test_speak_when_the_server_is_out_then_it_is_asked_once_and_the_fallback_has_the_reply(
    studio: Studio, kind: type[ModelError]
) -> None:
    studio.loader.script("far").synthesis_errors = [kind("it is out")]
    spoken = studio.speak("far: one", "a: two", "far: three")
    assert [clip.choice.voice.name for clip in spoken.clips] == ["plain", "a", "plain"]
    assert spoken.fallbacks == ("far: it is out",)
    assert studio.pool.leased.count(ModelRef("far")) == 1
    assert studio.pool.open_leases == 0


def test_speak_when_the_server_fails_on_one_text_then_it_speaks_the_others(studio: Studio) -> None:
    studio.loader.script("far").fail_texts["two"] = RemoteError("status 500")
    spoken = studio.speak("far: one", "far: two", "far: three")
    assert [clip.choice.voice.name for clip in spoken.clips] == ["far", "plain", "far"]
    assert spoken.fallbacks == ("far: status 500",)
