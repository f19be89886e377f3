"""A switch between two Coqui VITS models of real size; the same work in one process, and in a new one."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.models import ModelProfile, ModelRef, SwapMode
from alltalk_plugin.engines.coqui.spec import SPEC
from alltalk_plugin.workers.verification import UTTERANCES
from bench.neural.models import vits_pair
from bench.neural.partner import Partner, cold_process_ms
from bench.neural.quiet import until_children_sleep
from bench.report import Table
from bench.swap.real import switched, timed_ms
from bench.swap.rig import FLOOR, Rig, running
from tests.neural import environment_of

ROUNDS = 10
COLD_ROUNDS = 5
ONE, TWO = ModelRef("one"), ModelRef("two")
TEXT = UTTERANCES[LanguageTag("en")]
_IMPORTED_BYTES = 150_000_000
"""A spare that holds as much has imported torch and the library."""


def measure() -> Table:
    """Milliseconds; ratios without a unit. Alternating in one run."""
    paths = vits_pair()
    profiles = [ModelProfile(ref, SPEC.name, path=path) for ref, path in zip((ONE, TWO), paths, strict=True)]
    one_mb = SPEC.estimate(profiles[0]).load_bytes / 1e6
    partner = Partner()
    try:
        # Room for both models, a spare, what a spare is taken to be while it is one no more, and the floor.
        with running(*profiles, budget_mb=round(one_mb * 2 + 1_000), environment_of=environment_of) as rig:
            return _alternating(rig, partner, paths)
    finally:
        partner.close()


def _alternating(rig: Rig, partner: Partner, paths: tuple[Path, Path]) -> Table:
    """Ours twice a round: beside nobody, and with the other model to let go first; its end counts then."""
    free: list[float] = []
    taken: list[float] = []
    theirs: list[float] = []
    cold: list[float] = []
    switched(rig, ONE)
    partner.ask("switch", path=str(paths[0]), text=TEXT)
    for number in range(ROUNDS):
        target, other = ((TWO, ONE), (ONE, TWO))[number % 2]
        _until_spare_imported(rig)
        taken.append(timed_ms(partial(switched, rig, target, SwapMode.UNLOAD_FIRST)))
        rig.service.unload(target)
        rig.until(lambda: rig.ready() == {FLOOR})
        _until_spare_imported(rig)
        free.append(timed_ms(partial(switched, rig, other)))
        rig.service.unload(other)
        rig.until(lambda: rig.ready() == {FLOOR})
        _until_spare_imported(rig)
        switched(rig, target)
        _until_spare_imported(rig)
        theirs.append(partner.ask("switch", path=str(paths[(number + 1) % 2]), text=TEXT)["ms"])
        if number < COLD_ROUNDS:
            cold.append(cold_process_ms("switch", path=str(paths[0]), text=TEXT))
    return {
        "switch with a warm spare, request to READY, ms": free,
        "the same, another model let go first, ms": taken,
        "load and one synthesis in one process, ms": theirs,
        "a new process: start, imports, load, one synthesis, ms": cold,
        "switch / load in process": [mine / other for mine, other in zip(free, theirs, strict=True)],
        "switch that lets another go first / load in process": [
            mine / other for mine, other in zip(taken, theirs, strict=True)
        ],
        "new process / switch": [other / mine for mine, other in zip(free, cold, strict=False)],
    }


def _until_spare_imported(rig: Rig) -> None:
    """A spare that waits uses no processor time any more."""
    rig.until(lambda: sum(rig.loader.base_bytes().values()) > _IMPORTED_BYTES)
    until_children_sleep()
