"""What the contract suite must know of an engine; a new engine joins by one entry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from alltalk_plugin.domain.audio import Samples
from alltalk_plugin.domain.engines import EngineSpec
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.models import OptionValue
from alltalk_plugin.engines import espeak_spec
from alltalk_plugin.engines.coqui import spec as coqui
from alltalk_plugin.engines.kokoro import spec as kokoro
from alltalk_plugin.engines.piper import spec as piper
from alltalk_plugin.engines.remote import spec as remote
from tests.checkpoints import kokoro as kokoro_ears
from tests.checkpoints import piper as piper_ears
from tests.engines.remote.running import speech_server

ENGLISH, KHMER = LanguageTag("en"), LanguageTag("km")
RAIN = "The rain in Spain stays mainly in the plain."
STEADY: dict[str, OptionValue] = {"noise_scale": 0.0}
"""With random weights, noise would drown what tells one word from another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An engine with what it can be held to.

    `foreign` is a language it has no voice for; `unreadable` a text its default voice cannot read;
    `nearest` a speaker with a slip in its name, and the right name.
    `words` are two texts that sound different. `hears` tells what was said of what sounds; without it the
    spectrum decides, and where everything sounds the same (`one_tone`), nothing does.
    `start_s` bounds a cold first chunk: four times what was measured on two busy cores; `stop_s` a stop with
    the next sentence after it: a model speaks a piece to its end.
    `close`: its estimate is at most 15 % above what it takes. `follows_rate`: its pace can be changed.
    `longest_word` is how many letters without a space it says.
    `beside` starts what has to run meanwhile and gives further options; `checkpoint` gives the path of the
    model, which the suite then has in `path`.
    """

    name: str
    spec: EngineSpec
    speakers: tuple[str | None, ...]
    start_s: float
    text: str = RAIN
    language: LanguageTag = ENGLISH
    foreign: LanguageTag = KHMER
    unreadable: str = "你好世界"
    nearest: tuple[str, str] | None = None
    words: tuple[str, str] = ("Mama, mama, mama, mama, mama.", "Six, six, six, six, six, six.")
    hears: Callable[[Samples], str] | None = None
    one_tone: bool = False
    stop_s: float = 2.0
    close: bool = False
    follows_rate: bool = True
    longest_word: int = 1_200
    options: dict[str, OptionValue] = field(default_factory=dict)
    beside: Callable[[], AbstractContextManager[dict[str, OptionValue]]] = lambda: nullcontext({})
    checkpoint: Callable[[pytest.FixtureRequest], Path] | None = None
    path: Path | None = None


@contextmanager
def _speech_server() -> Iterator[dict[str, OptionValue]]:
    with speech_server() as server:
        yield {"base_url": server.url}


def _coqui(
    name: str,
    *speakers: str | None,
    nearest: tuple[str, str] | None = None,
    close: bool = False,
    follows_rate: bool = True,
    options: dict[str, OptionValue] | None = None,
) -> Candidate:
    return Candidate(
        name=name,
        spec=coqui.SPEC,
        speakers=speakers,
        nearest=nearest,
        close=close,
        follows_rate=follows_rate,
        start_s=60.0,
        stop_s=20.0,
        options=options or {},
        checkpoint=lambda request: request.getfixturevalue("coqui")[name],
    )


_XTTS_SENTENCE = f"{' and '.join([RAIN[:-1]] * 5)[:210]}."
"""XTTS says short sentences together, so only one of this length is a piece of its own."""

CANDIDATES = (
    Candidate(
        name="espeak",
        spec=espeak_spec.SPEC,
        speakers=(None, "+f3", "en-us", "de+m2"),
        nearest=("en-uss", "en-us"),
        start_s=2.0,
    ),
    Candidate(
        name="remote",
        spec=remote.SPEC,
        speakers=(None, "nova", "en-storm"),
        one_tone=True,
        start_s=2.0,
        options={"model": "fine", "languages": "en de"},
        beside=_speech_server,
    ),
    Candidate(
        name="piper",
        spec=piper.SPEC,
        speakers=(None, "0"),
        hears=lambda samples: piper_ears.heard(samples)[0],
        start_s=6.0,
        checkpoint=lambda request: request.getfixturevalue("piper")["single"],
    ),
    Candidate(
        name="piper_speakers",
        spec=piper.SPEC,
        speakers=(None, *piper_ears.SPEAKERS, "2"),
        foreign=LanguageTag("de"),
        unreadable="Привет, мир",
        nearest=("ana", "anna"),
        hears=lambda samples: piper_ears.heard(samples)[0],
        start_s=6.0,
        checkpoint=lambda request: request.getfixturevalue("piper")["speakers"],
    ),
    Candidate(
        name="kokoro",
        spec=kokoro.SPEC,
        speakers=(None, "af_heart", "bm_george"),
        nearest=("af_hart", "af_heart"),
        hears=lambda samples: kokoro_ears.heard(samples)[0],
        start_s=8.0,
        checkpoint=lambda request: request.getfixturevalue("kokoro"),
    ),
    _coqui("vits", None, close=True, options=STEADY),
    _coqui("vits_languages", None, "Ada", "Dan", nearest=("Dam", "Dan"), close=True, options=STEADY),
    _coqui("glow_melgan", None),
    _coqui("tacotron2_melgan", None, close=True, follows_rate=False),
    Candidate(
        name="xtts",
        spec=coqui.SPEC,
        speakers=(None, "Ada Frost", "Ben Hill"),
        text=_XTTS_SENTENCE,
        nearest=("Ada Frist", "Ada Frost"),
        words=("Mama, " * 35 + "mama.", "Six, " * 42 + "six."),
        longest_word=300,
        start_s=60.0,
        stop_s=20.0,
        # The likeliest token always, and one thread: two busy cores would wait for each other in every layer.
        options={"threads": 1, "top_k": 1},
        checkpoint=lambda request: request.getfixturevalue("xtts") / "xtts",
    ),
)
