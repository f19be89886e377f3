"""What the worker's pipe costs: the same engine and model in a worker and in one process, side by side."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alltalk_plugin.domain.cancel import CancelSource
from alltalk_plugin.domain.clock import SystemClock
from alltalk_plugin.domain.engines import SynthesisRequest
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.models import ModelKey, ModelProfile, ModelRef, OptionValue
from alltalk_plugin.engines.coqui.spec import SPEC
from alltalk_plugin.workers.model import WorkerModel
from alltalk_plugin.workers.supervisor import WorkerLoader
from bench.neural.models import vits_pair, xtts
from bench.neural.partner import Partner
from bench.neural.quiet import until_children_sleep
from bench.report import Table
from tests.neural import environment_of

ROUNDS, XTTS_ROUNDS = 30, 12
UTTERANCE = "The rain had been falling since early morning now."
"""About 4 s in the voice of these random weights."""
XTTS_CHUNK = 20
"""The library's own default: tokens a chunk is made of."""
SPEAKER = "Ada Frost"


def measure() -> Table:
    """Milliseconds; shares and ratios without a unit. Alternating in one run."""
    partner = Partner()
    try:
        return {**_vits(partner), **_xtts(partner)}
    finally:
        partner.close()


def _vits(partner: Partner) -> Table:
    path, _ = vits_pair()
    partner.ask("load_engine", path=str(path))
    partner.ask("engine_speak", text=UTTERANCE)
    inside: list[dict[str, float]] = []
    across: list[dict[str, float]] = []
    with _worker(path) as model:
        _spoken(model, None)
        until_children_sleep()
        for number in range(ROUNDS):
            if number % 2:
                across.append(_spoken(model, None))
            inside.append(partner.ask("engine_speak", text=UTTERANCE))
            if not number % 2:
                across.append(_spoken(model, None))
    cost = [(mine["ms"] - one["ms"]) / one["ms"] for mine, one in zip(across, inside, strict=True)]
    return {
        "VITS, 4 s of audio, in one process, ms": [one["ms"] for one in inside],
        "VITS, the same in a worker, ms": [one["ms"] for one in across],
        "share of synthesis that the worker's boundary costs": cost,
        "first chunk later in a worker, ms": [
            mine["first_ms"] - one["first_ms"] for mine, one in zip(across, inside, strict=True)
        ],
        "audio, s": [one["audio_s"] for one in across],
    }


def _xtts(partner: Partner) -> Table:
    path = xtts()
    partner.ask("load_xtts", path=str(path), speaker=SPEAKER)
    direct: list[dict[str, float]] = []
    ours: list[dict[str, float]] = []
    with _worker(path, {"stream_chunk_size": XTTS_CHUNK}) as model:
        until_children_sleep()
        for seed in range(XTTS_ROUNDS + 1):
            direct.append(partner.ask("stream_xtts", text=UTTERANCE, seed=str(seed), chunk=str(XTTS_CHUNK)))
            ours.append(_spoken(model, SPEAKER))
    first = [one["first_ms"] for one in direct[1:]], [one["first_ms"] for one in ours[1:]]
    return {
        "XTTS, inference_stream called directly, first chunk, ms": first[0],
        "XTTS, our worker, first chunk, ms": first[1],
        "XTTS first chunk, worker / direct": [mine / other for other, mine in zip(*first, strict=True)],
    }


@contextmanager
def _worker(path: Path, options: dict[str, OptionValue] | None = None) -> Iterator[WorkerModel]:
    loader = WorkerLoader({SPEC.name: SPEC}, clock=SystemClock(), environment_of=environment_of)
    profile = ModelProfile(ModelRef("bench"), SPEC.name, path=path, options=options or {})
    key = ModelKey(SPEC.name, profile.ref, SPEC.revision(profile))
    try:
        model = loader.load(profile, key, CancelSource(), lambda _death: None)
        model.verify(CancelSource())  # gives the worker its ordinary priority, as a verified model has
        yield model
    finally:
        loader.close()


def _spoken(model: WorkerModel, speaker: str | None) -> dict[str, float]:
    request = SynthesisRequest(text=UTTERANCE, language=LanguageTag("en"), speaker=speaker)
    began = time.perf_counter()
    first_ms, audio_s = 0.0, 0.0
    for chunk in model.synthesize(request, CancelSource()):
        first_ms = first_ms or (time.perf_counter() - began) * 1000
        audio_s += chunk.duration_s
    return {"ms": (time.perf_counter() - began) * 1000, "first_ms": first_ms, "audio_s": audio_s}
