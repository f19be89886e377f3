from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alltalk_plugin.domain.models import CPU, MemoryEstimate, ModelRef, ModelState, ModelStatus
from alltalk_plugin.domain.ports import EvictionPolicy
from alltalk_plugin.settings.schema import SwapSettings
from alltalk_plugin.swap.policy import LeastRecentlyUsed
from alltalk_plugin.swap.rollback import back_off_s

POLICY: EvictionPolicy = LeastRecentlyUsed()


def resident(number: int, size: int, *, measured: int | None = None) -> ModelStatus:
    return ModelStatus(
        ref=ModelRef(f"m{number}"),
        engine="fake",
        state=ModelState.READY,
        revision="r1",
        device=CPU,
        estimate=MemoryEstimate(CPU, size, size),
        resident_bytes=measured if measured is not None else size,
        leases=0,
        pinned=False,
    )


@pytest.mark.parametrize(
    ("need", "free", "sizes", "victims"),
    [
        (3, 3, (5,), ()),
        (3, 2, (5, 5), ("m0",)),
        (8, 0, (1, 8), ("m1",)),
        (8, 1, (4, 3, 9), ("m0", "m1")),
        (20, 1, (4, 3, 9), None),
        (17, 1, (4, 3, 9), ("m0", "m1", "m2")),
    ],
)
def test_fewest_and_longest_unused_leave(
    need: int, free: int, sizes: tuple[int, ...], victims: tuple[str, ...] | None
) -> None:
    assert POLICY.victims(need, free, [resident(n, size) for n, size in enumerate(sizes)]) == victims


def test_measured_bytes_count_where_they_exceed_the_estimate() -> None:
    assert POLICY.victims(8, 0, [resident(0, 5, measured=8), resident(1, 8)]) == ("m0",)


@given(need=st.integers(0, 60), free=st.integers(0, 10), sizes=st.lists(st.integers(1, 12), max_size=6))
def test_victims_make_exactly_the_room_that_is_needed(need: int, free: int, sizes: list[int]) -> None:
    candidates = [resident(number, size) for number, size in enumerate(sizes)]
    victims = POLICY.victims(need, free, candidates)
    if victims is None:
        assert free + sum(sizes) < need
        return
    freed = {ref: sizes[int(ref[1:])] for ref in victims}
    room = free + sum(freed.values())
    assert room >= need
    assert all(room - size < need for size in freed.values()), "somebody left for nothing"


@pytest.mark.parametrize(("failures", "wait_s"), [(1, 5), (2, 10), (3, 20), (7, 300), (5000, 300)])
def test_back_off_doubles_up_to_its_maximum(failures: int, wait_s: float) -> None:
    assert back_off_s(SwapSettings(retry_base_s=5, retry_max_s=300), failures) == wait_s
