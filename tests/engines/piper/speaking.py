"""Short ways to load and speak with tiny Piper voices."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from alltalk_plugin.domain.audio import Samples
from alltalk_plugin.domain.cancel import CancelSource
from alltalk_plugin.domain.engines import EngineSpec, SynthesisRequest
from alltalk_plugin.domain.errors import WorkerCrashed
from alltalk_plugin.domain.models import CPU, Device, ModelKey, ModelProfile, ModelRef, OptionValue
from alltalk_plugin.engines.piper.spec import SPEC
from alltalk_plugin.workers.model import WorkerModel
from alltalk_plugin.workers.supervisor import WorkerEnvironment, WorkerLoader
from tests.neural import interpreter

UNFILTERED = replace(SPEC, name="unfiltered", entry="unfiltered:create")
HELLO = "Hello there, my friend."
HELLO_SOUNDS = "həlˈoʊ ðˈɛɹ, maɪ fɹˈɛnd."


def environment_of(_spec: EngineSpec) -> WorkerEnvironment:
    return WorkerEnvironment(interpreter("piper"), (Path(__file__).parent,))


def loaded(
    loader: WorkerLoader,
    path: Path,
    *,
    engine: str = "piper",
    device: Device = CPU,
    on_death: Callable[[WorkerCrashed], None] = lambda _death: None,
    options: dict[str, OptionValue] | None = None,
) -> WorkerModel:
    profile = ModelProfile(ModelRef("voice"), engine, path=path, device=device, options=options or {})
    key = ModelKey(engine, profile.ref, SPEC.revision(profile))
    return loader.load(profile, key, CancelSource(), on_death)


def say(model: WorkerModel, text: str, speaker: str | None = None, rate: float = 1.0) -> Samples:
    chunks = list(model.synthesize(SynthesisRequest(text=text, speaker=speaker, rate=rate), CancelSource()))
    return np.concatenate([chunk.samples for chunk in chunks])


def changed(voice: Path, **keys: object) -> None:
    path = voice.with_name(f"{voice.name}.json")
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **keys}), "utf-8")
