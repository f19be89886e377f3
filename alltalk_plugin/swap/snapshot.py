"""What people and pages see of the models; advisory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from alltalk_plugin.domain.models import ModelKey, ModelRef, ModelState, ModelStatus
from alltalk_plugin.swap.admission import eta
from alltalk_plugin.swap.catalog import Catalog
from alltalk_plugin.swap.states import SwapState, said, status

_GONE = frozenset({ModelState.COLD, ModelState.FAILED})


def taken(state: SwapState) -> Mapping[ModelKey, ModelStatus]:
    """A new picture of the state; never changed afterwards. One thread: the swap owner's."""
    return {
        key: status(slot, pinned=state.pinned(slot), eta=eta(state, slot.facts))
        for key, slot in state.slots.items()
    }


def in_order(published: Mapping[ModelKey, ModelStatus], catalog: Catalog) -> tuple[ModelStatus, ...]:
    """One line a model, in the order of the settings; of several revisions the one that is in memory, else
    the latest. What the settings leave no way to load has failed, and says why. Last what the settings have
    no more and is still in memory. Thread-safe."""
    latest: dict[ModelRef, ModelStatus] = {}
    for found in published.values():
        if found.ref not in latest or found.state not in _GONE or latest[found.ref].state in _GONE:
            latest[found.ref] = found
    lines = []
    profiles = catalog.profiles()
    for ref, profile in profiles.items():
        line = latest.get(ref)
        fault = catalog.fault(profile)
        if fault is not None and line is not None and line.state not in _GONE:
            line = replace(line, last_error=said(fault))
        elif line is None or fault is not None:
            facts = catalog.known(ref) if fault is None else None
            line = ModelStatus(
                ref=ref,
                engine=profile.engine,
                state=ModelState.COLD if fault is None else ModelState.FAILED,
                revision=facts.key.revision if facts else "",
                device=profile.device,
                estimate=facts.estimate if facts else None,
                resident_bytes=None,
                leases=0,
                pinned=profile.pinned,
                last_error=said(fault) if fault else None,
            )
        lines.append(line)
    leaving = (line for ref, line in latest.items() if ref not in profiles and line.state not in _GONE)
    return (*lines, *leaving)
