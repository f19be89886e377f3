from __future__ import annotations

import pytest

from alltalk_plugin.domain.errors import (
    BusyTimeout,
    Cancelled,
    Cooldown,
    ModelTooBig,
    OutOfMemory,
    QueueFull,
    SwapCancelled,
)
from alltalk_plugin.domain.models import ModelState, SwapMode, SwapOutcome
from alltalk_plugin.swap.admission import MEGABYTE
from alltalk_plugin.swap.effects import Kind
from tests.swap.world import (
    FLOOR,
    FLOOR_MB,
    A,
    B,
    error_of,
    facts_of,
    granted,
    resident,
    world,
)

HUGE = facts_of("huge", 50)


def test_request_for_a_cold_model_loads_verifies_and_grants() -> None:
    w = world()
    wish = w.request(A)
    assert w.loading == {"a"} and wish not in w.ended
    w.loaded("a")
    assert w.state_of("a") is ModelState.VERIFYING
    w.finish("a")
    assert w.ended[wish] == "granted"
    assert [kind for kind, _ in w.kinds()] == ["plan", "reserve", "load_start", "load_ok", "verify", "commit"]


def test_requests_for_the_same_cold_model_share_one_load() -> None:
    w = world()
    wishes = [w.request(A) for _ in range(3)]
    w.finish("a")
    assert [w.ended[wish] for wish in wishes] == ["granted"] * 3
    assert w.loads_of["a"] == 1


def test_models_that_fit_together_load_side_by_side_and_stay() -> None:
    w = world(budget_mb=9)
    w.request(A)
    w.request(B)
    assert w.loading == {"a", "b"}
    w.finish("a")
    w.finish("b")
    assert not w.kinds(Kind.UNLOAD)


def test_model_that_does_not_fit_waits_for_the_lease_then_takes_the_place() -> None:
    w = world()
    first = w.request(A)
    w.finish("a")
    second = w.request(B)
    assert w.state_of("a") is ModelState.READY and not w.unloading
    w.done(first)
    assert w.state_of("a") is ModelState.UNLOADING and w.loading == set()
    w.freed("a")
    w.finish("b")
    assert w.ended[second] == "granted"
    assert w.kinds(Kind.DRAIN, Kind.UNLOAD, Kind.FREED, Kind.COMMIT)[1:] == [
        ("drain", "a"),
        ("unload", "a"),
        ("freed", "a"),
        ("commit", "b"),
    ]


@pytest.mark.parametrize("limit", [0, 1, 3])
def test_waiting_request_is_overtaken_at_most_k_times(limit: int) -> None:
    w = world(overtake_limit=limit)
    held = w.request(A)
    w.finish("a")
    waiting = w.request(B)
    later = [w.request(A) for _ in range(5)]
    assert [wish for wish in later if wish in w.ended] == later[:limit]
    for wish in (held, *later[:limit]):
        w.done(wish)
    w.freed("a")
    w.finish("b")
    assert w.ended[waiting] == "granted"
    w.done(waiting)
    w.freed("b")
    w.finish("a")
    assert all(w.ended[wish] == "granted" for wish in later)


def test_waiting_request_loses_patience_at_half_its_playback_deadline() -> None:
    w = world()
    w.request(A)
    w.finish("a")
    w.request(B, playback=w.now + 10)
    w.tick(4.9)
    assert w.state_of("a") is ModelState.READY
    assert w.core.next_wakeup(w.now) == pytest.approx(w.now + 0.1)
    w.tick(0.2)
    assert w.state_of("a") is ModelState.DRAINING


def test_too_big_model_is_refused_before_anything_leaves() -> None:
    w = world()
    resident(w, "a")
    wish = w.request(HUGE)
    error = error_of(w, wish)
    assert isinstance(error, ModelTooBig)
    assert error.context["need_bytes"] == 50 * MEGABYTE
    assert error.context["free_bytes"] == (5 - FLOOR_MB) * MEGABYTE
    assert w.state_of("a") is ModelState.READY


def test_pinned_model_is_never_evicted() -> None:
    w = world()
    pinned = facts_of("p", 4, pinned=True)
    w.done(granted(w, pinned))
    assert isinstance(error_of(w, w.request(B)), ModelTooBig)
    assert w.state_of("p") is ModelState.READY


def test_least_recently_used_leaves_and_the_rest_stays() -> None:
    w = world(budget_mb=8)
    resident(w, "a", "c")
    w.done(w.request(A))
    w.request(facts_of("d", 4))
    assert w.state_of("c") is ModelState.UNLOADING and w.state_of("a") is ModelState.READY


def test_swap_waits_for_running_speech_then_gives_up_and_the_victim_serves_on() -> None:
    w = world(drain_s=15)
    held = w.request(A)
    w.finish("a")
    ticket = w.swap(B)
    waiting = w.request(A)
    assert w.state_of("a") is ModelState.DRAINING and waiting not in w.ended
    w.tick(15)
    assert w.ended[ticket] is SwapOutcome.ABORTED
    assert w.state_of("a") is ModelState.READY and w.ended[waiting] == "granted"
    assert w.kinds(Kind.UNDRAIN, Kind.ABORT) == [("undrain", "a"), ("abort", "b")]
    w.done(held)


def test_waiting_request_is_refused_when_its_time_is_up() -> None:
    w = world(max_wait_s=30)
    w.request(A)
    w.finish("a")
    patient, hasty = w.request(B), w.request(B, timeout_s=10)
    w.tick(10)
    assert isinstance(error_of(w, hasty), BusyTimeout) and patient not in w.ended
    w.tick(20)
    assert isinstance(error_of(w, patient), BusyTimeout)


def test_api_swaps_keep_their_interval_and_requests_do_not() -> None:
    w = world(min_interval_s=30)
    w.swap(A)
    w.finish("a")
    w.now += 10
    refused = error_of(w, w.swap(B))
    assert isinstance(refused, Cooldown) and refused.context["retry_after_s"] == 20
    assert w.swap(A) in w.ended  # there already: nothing to limit
    w.request(B)
    assert w.state_of("a") is ModelState.UNLOADING
    w.freed("a")
    w.finish("b")
    forced = w.swap(A, force=True)
    assert forced in w.plans


def test_dry_run_plans_and_does_nothing() -> None:
    w = world()
    resident(w, "a")
    before = len(w.records)
    ticket = w.swap(B, dry_run=True)
    assert w.ended[ticket] is SwapOutcome.PLANNED
    plan = w.plans[ticket]
    assert (plan.mode, plan.victims, plan.need_bytes) == (SwapMode.UNLOAD_FIRST, ("a",), 4 * MEGABYTE)
    assert len(w.records) == before and w.state_of("a") is ModelState.READY


def test_plan_predicts_the_load_time_seen_before() -> None:
    w = world(budget_mb=9)
    w.request(A)
    w.now += 2.0
    w.loaded("a")
    w.now += 0.5
    w.finish("a")
    known, borrowed = (w.plans[w.swap(model, dry_run=True)] for model in (A, B))
    assert (known.eta_s, known.eta_range_s) == (2.5, (1.25, 5.0))
    assert borrowed.eta_s == 1.25  # between the floor's seconds per byte, none here, and those of a


def test_load_first_that_does_not_fit_is_refused() -> None:
    w = world()
    resident(w, "a")
    assert isinstance(error_of(w, w.swap(B, mode=SwapMode.LOAD_FIRST)), ModelTooBig)


def test_unload_first_releases_the_serving_model_although_both_fit() -> None:
    w = world(budget_mb=9)
    resident(w, "a")
    w.swap(B, mode=SwapMode.UNLOAD_FIRST)
    assert w.state_of("a") is ModelState.UNLOADING and w.loading == set()


def test_memory_taken_by_others_refuses_before_anything_leaves() -> None:
    w = world(budget_mb=9)
    resident(w, "a")
    w.stranger_takes = 4 * MEGABYTE
    plan = w.plans[w.swap(B, dry_run=True)]
    assert plan.victims == ("a",)
    w.stranger_takes = 7 * MEGABYTE
    assert isinstance(error_of(w, w.request(B)), OutOfMemory)
    assert w.state_of("a") is ModelState.READY


def test_new_revision_takes_over_and_the_old_one_leaves_when_unused() -> None:
    w = world(budget_mb=9)
    held = granted(w, A)
    renewed = facts_of("a", 4, revision="r2")
    wish = w.request(renewed)
    w.finish("a")
    assert w.ended[wish] == "granted"
    assert w.state.slots[A.key].state is ModelState.DRAINING
    w.done(held)
    assert w.state.slots[A.key].state is ModelState.UNLOADING


def test_idle_model_leaves_after_its_time() -> None:
    w = world()
    fleeting = facts_of("f", 2, ttl_s=60)
    w.done(granted(w, fleeting))
    assert w.core.next_wakeup(w.now) == w.now + 60
    w.tick(60)
    assert w.state_of("f") is ModelState.UNLOADING
    assert w.records[-1].cause == "ttl"


def test_queue_refuses_beyond_its_limit() -> None:
    w = world(queue_limit=2)
    w.request(A)
    w.request(A)
    assert isinstance(error_of(w, w.request(A)), QueueFull)


def test_close_refuses_everybody_and_lets_idle_models_go() -> None:
    w = world(budget_mb=9)
    resident(w, "c")
    waiting, ticket = w.request(A), w.swap(A)
    w.apply(w.core.on_close(w.now))
    assert isinstance(error_of(w, waiting), SwapCancelled)
    assert w.ended[ticket] is SwapOutcome.ABORTED
    assert {load.key.model for load in w.unloading} == {FLOOR, "c"}
    w.fail("a", Cancelled("stopped"))
    w.freed("c")
    w.freed(FLOOR)
    assert w.core.at_rest
    assert isinstance(error_of(w, w.request(A)), SwapCancelled)
