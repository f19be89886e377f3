"""Coqui's VITS of real size as the voices of the switching workloads."""

from __future__ import annotations

from collections.abc import Sequence

from alltalk_plugin.domain.models import ModelProfile, ModelRef
from alltalk_plugin.engines.coqui.spec import SPEC
from bench.neural.models import vits_pair
from bench.report import Table
from bench.swap.measure import measure_on_workers
from bench.swap.real_pools import Cast
from tests.neural import environment_of

SENTENCE = "The rain had been falling since morning."
"""About 3 s in the voice of these random weights, as on the virtual clock."""


def measure() -> Table:
    """Seconds."""
    return measure_on_workers(vits)


def vits() -> Cast:
    """Each voice a model of its own; the two files serve them in turn."""
    paths = vits_pair()

    def profiles(voices: Sequence[str]) -> list[ModelProfile]:
        return [
            ModelProfile(ModelRef(voice), SPEC.name, path=paths[number % 2])
            for number, voice in enumerate(voices)
        ]

    one_mb = SPEC.estimate(profiles("A")[0]).load_bytes / 1e6
    return Cast(
        scale=1,
        budget_mb=round(one_mb * 1.5 + 600),
        text=SENTENCE,
        profiles=profiles,
        environment_of=environment_of,
    )
