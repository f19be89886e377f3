"""What the contract suite must know of an engine; a new engine joins by one entry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from alltalk_plugin.domain.engines import EngineSpec
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.models import OptionValue
from alltalk_plugin.engines import espeak_spec
from alltalk_plugin.engines.coqui import spec as coqui
from alltalk_plugin.engines.kokoro import spec as kokoro
from alltalk_plugin.engines.piper import spec as piper
from alltalk_plugin.engines.remote import spec as remote
from tests.checkpoints import coqui_models
from tests.checkpoints.kokoro import kokoro_model
from tests.checkpoints.piper import SPEAKERS as PIPER_SPEAKERS
from tests.checkpoints.piper import piper_voices
from tests.engines.remote.running import speech_server


@dataclass(frozen=True, slots=True)
class Candidate:
    """An engine with what it can be held to.

    `foreign` is a language it has no voice for; `unreadable` a text its default voice cannot read;
    `start_s` how long a cold first chunk may take here, four times what was measured on two busy cores;
    `stop_s` how long it may take to stop and then say another sentence: a model speaks a piece to its end;
    `beside` starts what has to run meanwhile and gives further options; `write` makes a model in a folder
    and gives the path that the suite then has in `path`.
    """

    spec: EngineSpec
    text: str
    language: LanguageTag
    speakers: tuple[str | None, ...]
    foreign: LanguageTag
    unreadable: str
    start_s: float
    stop_s: float = 2.0
    options: dict[str, OptionValue] = field(default_factory=dict)
    beside: Callable[[], AbstractContextManager[dict[str, OptionValue]]] = lambda: nullcontext({})
    write: Callable[[Path], Path] | None = None
    path: Path | None = None


@contextmanager
def _speech_server() -> Iterator[dict[str, OptionValue]]:
    with speech_server() as server:
        yield {"base_url": server.url}


def _coqui(name: str, *speakers: str | None) -> Candidate:
    return Candidate(
        spec=coqui.SPEC,
        text="The rain in Spain stays mainly in the plain.",
        language=LanguageTag("en"),
        speakers=speakers,
        foreign=LanguageTag("km"),
        unreadable="你好世界",
        start_s=60.0,
        stop_s=20.0,
        write=lambda folder: coqui_models(folder, (name,))[name],
    )


CANDIDATES = (
    Candidate(
        spec=espeak_spec.SPEC,
        text="The rain in Spain stays mainly in the plain.",
        language=LanguageTag("en"),
        speakers=(None, "+f3", "en-us", "de+m2"),
        foreign=LanguageTag("km"),
        unreadable="你好世界",
        start_s=2.0,
    ),
    Candidate(
        spec=remote.SPEC,
        text="The rain in Spain stays mainly in the plain.",
        language=LanguageTag("en"),
        speakers=(None, "nova", "en-storm"),
        foreign=LanguageTag("km"),
        unreadable="你好世界",
        start_s=2.0,
        options={"model": "fine", "languages": "en de"},
        beside=_speech_server,
    ),
    Candidate(
        spec=piper.SPEC,
        text="The rain in Spain stays mainly in the plain.",
        language=LanguageTag("en"),
        speakers=(None, "0"),
        foreign=LanguageTag("km"),
        unreadable="你好世界",
        start_s=6.0,
        write=lambda folder: piper_voices(folder)["single"],
    ),
    Candidate(
        spec=piper.SPEC,
        text="The rain in Spain stays mainly in the plain.",
        language=LanguageTag("en"),
        speakers=(None, *PIPER_SPEAKERS, "2"),
        foreign=LanguageTag("de"),
        unreadable="Привет, мир",
        start_s=6.0,
        write=lambda folder: piper_voices(folder)["speakers"],
    ),
    Candidate(
        spec=kokoro.SPEC,
        text="The rain in Spain stays mainly in the plain.",
        language=LanguageTag("en"),
        speakers=(None, "af_heart", "bm_george"),
        foreign=LanguageTag("km"),
        unreadable="你好世界",
        start_s=8.0,
        write=kokoro_model,
    ),
    _coqui("vits", None),
    _coqui("vits_languages", None, "Ada", "Dan"),
    _coqui("glow_melgan", None),
)
