"""What people and pages see of the models; advisory."""

from __future__ import annotations

from collections.abc import Mapping

from alltalk_plugin.domain.models import ModelKey, ModelState, ModelStatus
from alltalk_plugin.swap.admission import eta
from alltalk_plugin.swap.catalog import Catalog
from alltalk_plugin.swap.states import SwapState, status

_GONE = frozenset({ModelState.COLD, ModelState.FAILED})


def taken(state: SwapState) -> Mapping[ModelKey, ModelStatus]:
    """A new picture of the state; never changed afterwards. One thread: the swap owner's."""
    return {
        key: status(slot, pinned=state.pinned(slot), eta=eta(state, slot.facts))
        for key, slot in state.slots.items()
    }


def in_order(published: Mapping[ModelKey, ModelStatus], catalog: Catalog) -> tuple[ModelStatus, ...]:
    """One line a model, in the order of the settings; of several revisions the one that is in memory, else
    the latest. Thread-safe."""
    latest: dict[str, ModelStatus] = {}
    for found in published.values():
        if found.ref not in latest or found.state not in _GONE or latest[found.ref].state in _GONE:
            latest[found.ref] = found
    lines = []
    for ref, profile in catalog.profiles().items():
        line = latest.get(ref)
        if line is None:
            facts = catalog.known(ref)
            line = ModelStatus(
                ref=ref,
                engine=profile.engine,
                state=ModelState.COLD,
                revision=facts.key.revision if facts else "",
                device=profile.device,
                estimate=facts.estimate if facts else None,
                resident_bytes=None,
                leases=0,
                pinned=profile.pinned,
            )
        lines.append(line)
    return tuple(lines)
