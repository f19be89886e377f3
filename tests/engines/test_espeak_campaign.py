"""Many random strings through the filter: without it about one in two thousand kills the library."""

from __future__ import annotations

import random

import pytest

from alltalk_plugin.domain.cancel import CancelSource
from alltalk_plugin.domain.clock import SystemClock
from alltalk_plugin.domain.engines import SynthesisRequest
from alltalk_plugin.domain.errors import LanguageUnsupported, WorkerCrashed
from alltalk_plugin.engines.espeak_data import data_folder, read_data
from alltalk_plugin.engines.espeak_spec import SPEC
from alltalk_plugin.workers.supervisor import WorkerLoader
from tests.workers.rude_spec import load

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(900)]

SEED = 20_261_122
STRINGS = 10_000
RANGES = (
    (0x20, 0x7E),
    (0x20, 0x24F),
    (0x370, 0x5FF),
    (0x600, 0x10FF),
    (0x2000, 0x30FF),
    (0x4E00, 0x9FFF),
    (0xAC00, 0xD7A3),
    (0x1F300, 0x1FAFF),
)
FRAGILE = ("aav/vi", "gmw/de", "sit/cmn", "jpx/ja")


def random_text(chance: random.Random) -> str:
    ranges = chance.choice(((RANGES[0],), RANGES))
    return "".join(chr(chance.randint(*chance.choice(ranges))) for _ in range(chance.randint(1, 40)))


def test_filtered_random_text_kills_no_worker() -> None:
    loader = WorkerLoader({SPEC.name: SPEC}, clock=SystemClock())
    chance = random.Random(SEED)
    voices = [voice.identifier for voice in read_data(data_folder(None)).voices]
    model = load(loader, engine="espeak")
    killers = []
    for _ in range(STRINGS):
        speaker = chance.choice(voices if chance.random() < 0.6 else FRAGILE)
        text = random_text(chance)
        try:
            for _chunk in model.synthesize(SynthesisRequest(text=text, speaker=speaker), CancelSource()):
                pass
        except LanguageUnsupported:
            continue
        except WorkerCrashed:
            killers.append((speaker, ascii(text)))
            model = load(loader, engine="espeak")
    loader.close()
    assert killers == []
