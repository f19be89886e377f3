"""A voice on an engine that is not installed: the reply is spoken, it says why, and an installation helps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from alltalk_plugin.domain.engines import EngineSpec
from alltalk_plugin.domain.models import ModelRef, SwapOutcome
from alltalk_plugin.domain.speech import Reply, SpokenReply
from alltalk_plugin.environments.install import install
from alltalk_plugin.plugins import hookimpl
from alltalk_plugin.plugins.manager import Plugins, load_plugins
from alltalk_plugin.plugins.registries import Registrar
from alltalk_plugin.runtime import Runtime, build_runtime
from tests.environments.tone import tone_spec
from tests.environments.workshop import Watched

pytestmark = pytest.mark.slow

SETTINGS = """
voices:
  tony: {model: studio, fallback: plain}
  plain: {model: espeak, speaker: f2}
characters: {Tony: {voice: tony}}
languages: {candidates: [en], default: en}
models: {studio: {engine: tone}}
swap: {min_interval_s: 0}
audio: {format: wav}
"""


class Stranger:
    """A plugin with one engine."""

    def __init__(self, spec: EngineSpec) -> None:
        self._spec = spec

    @hookimpl
    def alltalk_register_engines(self, registry: Registrar[EngineSpec]) -> None:
        registry.register(self._spec)


@pytest.fixture
def plugins(tmp_path: Path) -> Plugins:
    found = load_plugins(())
    found.add("stranger", Stranger(tone_spec(tmp_path)))
    return found


@pytest.fixture
def runtime(home: Path, plugins: Plugins) -> Iterator[Runtime]:
    (home / "settings.yaml").write_text(SETTINGS, encoding="utf-8")
    with build_runtime(home, plugins=plugins) as made:
        yield made


def speak(runtime: Runtime) -> SpokenReply:
    return runtime.speech.speak(Reply(text="“I speak in any case.”", character="Tony"))


def test_voice_whose_engine_is_missing_when_spoken_then_the_fallback_says_why_until_it_is_installed(
    runtime: Runtime, plugins: Plugins, home: Path, shop: Path
) -> None:
    spoken = speak(runtime)
    assert [clip.choice.voice.name for clip in spoken.clips] == ["plain"]
    assert spoken.skipped == ()
    (why,) = spoken.fallbacks
    assert "the engine tone cannot run: it is not installed" in why
    errors = [record.error or "" for record in runtime.journal.since(0) if record.model == "studio"]
    assert any(error.startswith("engine_missing:") for error in errors)

    install(home, plugins.engines["tone"], tell=Watched(), device="cpu")
    ticket = runtime.models.swap(ModelRef("studio"), force=True)
    assert ticket.wait(60) is SwapOutcome.COMMITTED
    spoken = speak(runtime)
    assert [clip.choice.voice.name for clip in spoken.clips] == ["tony"]
    assert spoken.fallbacks == ()
