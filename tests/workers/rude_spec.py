"""The light side of the misbehaving engine, and short ways to load and speak with it."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import psutil

from alltalk_plugin.domain.audio import Samples
from alltalk_plugin.domain.cancel import CancelSource
from alltalk_plugin.domain.engines import EngineSpec, SynthesisRequest
from alltalk_plugin.domain.errors import WorkerCrashed
from alltalk_plugin.domain.models import (
    CPU,
    MemoryEstimate,
    ModelKey,
    ModelProfile,
    ModelRef,
    OptionValue,
)
from alltalk_plugin.domain.ports import LoadedModel, ModelLoader
from alltalk_plugin.engines.specs import BUILT_IN
from alltalk_plugin.workers.supervisor import WorkerEnvironment, own_environment

RUDE_FOLDER = Path(__file__).resolve().parent.parent / "engines"

RUDE = EngineSpec(
    name="rude",
    entry="rude:create",
    distributions=(),
    max_chars=10_000,
    estimate=lambda _profile: MemoryEstimate(CPU, 1_000_000, 1_000_000, 50_000_000),
    revision=lambda _profile: "1",
    speaks=lambda _profile, _voice, language: None if language == "en" else "it speaks English",
)
ENGINES = {spec.name: spec for spec in (RUDE, *BUILT_IN)}


class Deaths:
    """Takes `on_death` and lets a test wait for it."""

    def __init__(self) -> None:
        self.errors: list[WorkerCrashed] = []
        self._came = threading.Event()

    def __call__(self, error: WorkerCrashed) -> None:
        self.errors.append(error)
        self._came.set()

    def wait(self) -> WorkerCrashed:
        assert self._came.wait(10.0), "nobody reported the death"
        return self.errors[0]


def load(
    loader: ModelLoader,
    *,
    engine: str = "rude",
    deaths: Deaths | None = None,
    cancel: CancelSource | None = None,
    path: Path | None = None,
    **options: OptionValue,
) -> LoadedModel:
    profile = ModelProfile(ModelRef(f"{engine}-model"), engine, path=path, options=options)
    key = ModelKey(engine, profile.ref, "1")
    return loader.load(profile, key, cancel or CancelSource(), deaths or Deaths())


def say(model: LoadedModel, text: str, cancel: CancelSource | None = None) -> Samples:
    """All of an utterance in one piece."""
    chunks = list(model.synthesize(SynthesisRequest(text=text), cancel or CancelSource()))
    return np.concatenate([chunk.samples for chunk in chunks]) if chunks else np.zeros(0, np.float32)


def worker_processes() -> list[psutil.Process]:
    """Workers of this process, dead ones that nobody waited for included."""
    found = []
    for process in psutil.Process().children():
        try:
            if not any(part.endswith("child.py") for part in process.cmdline()):
                continue
        except psutil.ZombieProcess:
            pass
        except psutil.NoSuchProcess:
            continue
        found.append(process)
    return found


def rude_environment(_spec: EngineSpec) -> WorkerEnvironment:
    """The service's own, with the folder that has the engine."""
    return own_environment((RUDE_FOLDER,))
