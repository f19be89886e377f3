"""Short ways to load a candidate, to speak with it, and to measure what that took."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from alltalk_plugin.domain.audio import AudioChunk, Samples
from alltalk_plugin.domain.cancel import CancelSource
from alltalk_plugin.domain.engines import SynthesisRequest
from alltalk_plugin.domain.errors import WorkerCrashed
from alltalk_plugin.domain.models import ModelKey, ModelProfile, ModelRef
from alltalk_plugin.workers.model import WorkerModel
from alltalk_plugin.workers.supervisor import WorkerLoader
from tests.contract.engines import Candidate


def profile_of(candidate: Candidate) -> ModelProfile:
    return ModelProfile(
        ModelRef("contract"), candidate.spec.name, path=candidate.path, options=candidate.options
    )


def load(
    loader: WorkerLoader,
    candidate: Candidate,
    on_death: Callable[[WorkerCrashed], None] = lambda _death: None,
) -> WorkerModel:
    profile = profile_of(candidate)
    key = ModelKey(candidate.spec.name, profile.ref, candidate.spec.revision(profile))
    return loader.load(profile, key, CancelSource(), on_death)


def ask(candidate: Candidate, text: str | None = None, **how: Any) -> SynthesisRequest:
    words = candidate.text if text is None else text
    return replace(SynthesisRequest(text=words, language=candidate.language), **how)


def say(model: WorkerModel, request: SynthesisRequest) -> list[AudioChunk]:
    return list(model.synthesize(request, CancelSource()))


def spoken(model: WorkerModel, request: SynthesisRequest) -> Samples:
    return np.concatenate([chunk.samples for chunk in say(model, request)])


def spectrum(samples: Samples) -> Samples:
    """The share of each of 64 bands in the sound."""
    frames = samples[: len(samples) // 1_024 * 1_024].reshape(-1, 1_024)
    bands = np.abs(np.fft.rfft(frames, axis=1)).mean(axis=0)[:512].reshape(64, 8).mean(axis=1)
    return np.asarray(bands / bands.sum(), dtype=np.float32)


def unlike(one: Samples, other: Samples) -> float:
    """How far two sounds are apart, from 0 to 2."""
    return float(np.abs(spectrum(one) - spectrum(other)).sum())
