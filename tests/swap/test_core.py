from __future__ import annotations

import pytest

from alltalk_plugin.domain.errors import (
    AlltalkError,
    BusyTimeout,
    Cancelled,
    Cooldown,
    ModelCorrupt,
    ModelTimeout,
    ModelTooBig,
    OutOfMemory,
    QueueFull,
    RetryLater,
    SelfTestFailed,
    SwapCancelled,
)
from alltalk_plugin.domain.models import ModelState, SwapMode, SwapOutcome
from alltalk_plugin.settings.schema import SwapSettings
from alltalk_plugin.swap.admission import MEGABYTE
from alltalk_plugin.swap.effects import Kind
from tests.swap.world import FLOOR, FLOOR_MB, World, facts_of

A, B, C = facts_of("a", 4), facts_of("b", 4), facts_of("c", 2)
HUGE = facts_of("huge", 50)


def world(budget_mb: int = 5, **changes: object) -> World:
    return World(
        SwapSettings.model_validate({"budget_mb": {"cpu": budget_mb}, "min_interval_s": 0, **changes})
    )


def resident(of: World, *models: str) -> None:
    """Bring these in, one after the other, unused."""
    for model in models:
        wish = of.request({"a": A, "b": B, "c": C}[model])
        of.finish(model)
        of.done(wish)
        of.now += 1


def error_of(of: World, wish: int) -> AlltalkError:
    error = of.ended[wish]
    assert isinstance(error, AlltalkError), error
    return error


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
    w.done(_granted(w, pinned))
    assert isinstance(error_of(w, w.request(B)), ModelTooBig)
    assert w.state_of("p") is ModelState.READY


def _granted(w: World, facts: object) -> int:
    from alltalk_plugin.swap.effects import ModelFacts

    assert isinstance(facts, ModelFacts)
    wish = w.request(facts)
    w.finish(facts.key.model)
    return wish


def test_least_recently_used_leaves_and_the_rest_stays() -> None:
    w = world(budget_mb=8)
    resident(w, "a", "c")
    w.done(w.request(A))
    w.request(facts_of("d", 4))
    assert w.state_of("c") is ModelState.UNLOADING and w.state_of("a") is ModelState.READY


def test_failed_load_after_unload_brings_the_last_good_model_back() -> None:
    w = world()
    resident(w, "a")
    ticket = w.swap(B)
    lease = w.request(B)
    w.freed("a")
    w.loaded("b")
    w.fail("b", SelfTestFailed("silence"))
    assert isinstance(error_of(w, lease), SelfTestFailed)
    assert ticket not in w.ended and w.loading == {"a"}
    w.finish("a")
    assert w.ended[ticket] is SwapOutcome.ROLLED_BACK
    last = w.records[-1]
    assert (last.kind, last.model, last.error) == (Kind.ROLLBACK, "a", "selftest_failed: silence")
    assert w.state.last_good == "a"


def test_failed_rollback_degrades_and_recovers_with_back_off() -> None:
    w = world(retry_base_s=5)
    resident(w, "a")
    ticket = w.swap(B)
    w.freed("a")
    w.fail("b", ModelCorrupt("bad file"))
    w.fail("a", OutOfMemory("no room"))
    assert w.ended[ticket] is SwapOutcome.DEGRADED
    assert w.records[-1].error == "corrupt: bad file | oom: no room"
    refused = error_of(w, w.request(A))
    assert isinstance(refused, RetryLater) and refused.context["cause_code"] == "oom"
    w.tick(4.9)
    assert w.loading == set()
    w.tick(0.2)
    assert w.loading == {"a"}
    w.finish("a")
    assert not w.state.degraded and w.records[-1].kind == Kind.COMMIT


def test_failed_load_that_evicted_nobody_aborts_and_backs_off_doubling() -> None:
    w = world(budget_mb=9, retry_base_s=5, retry_max_s=12)
    resident(w, "a")
    waits = []
    for _ in range(3):
        w.request(B)
        w.fail("b", ModelCorrupt("bad file"))
        error = error_of(w, w.request(B))
        assert isinstance(error, RetryLater)
        waits.append(error.context["retry_after_s"])
        w.tick(float(str(waits[-1])))
    assert waits == [5, 10, 12]
    assert w.state_of("a") is ModelState.READY and ("abort", "b") in w.kinds()


@pytest.mark.parametrize("how", ["force", "revision", "rollback"])
def test_failed_model_is_tried_at_once_when_forced_or_changed(how: str) -> None:
    w = world(budget_mb=9)
    w.request(B)
    w.fail("b", ModelCorrupt("bad file"))
    match how:
        case "force":
            w.swap(B, force=True)
        case "rollback":
            w.swap(B, cause="rollback")
        case _:
            w.request(facts_of("b", 4, revision="r2"))
    assert w.loading == {"b"}


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


def test_cancelled_swap_undrains_when_nobody_else_wants_it() -> None:
    w = world()
    w.request(A)
    w.finish("a")
    ticket = w.swap(B)
    w.cancel(ticket)
    assert w.ended[ticket] is SwapOutcome.ABORTED and w.state_of("a") is ModelState.READY


def test_cancelled_swap_goes_on_for_whoever_else_waits() -> None:
    w = world()
    resident(w, "a")
    ticket, lease = w.swap(B), w.request(B)
    w.freed("a")
    w.cancel(ticket)
    assert w.ended[ticket] is SwapOutcome.ABORTED and not w.cancelling
    w.finish("b")
    assert w.ended[lease] == "granted"


@pytest.mark.parametrize("finished", [False, True])
def test_swap_cancelled_while_loading_rolls_back(finished: bool) -> None:
    w = world()
    resident(w, "a")
    ticket = w.swap(B)
    w.freed("a")
    load = w.load_of("b")
    w.cancel(ticket)
    assert load in w.cancelling and ticket not in w.ended
    late = w.request(B)
    if finished:  # it was too late to stop it
        w.finish("b")
        w.freed("b")
    else:
        w.fail("b", Cancelled("stopped"))
    assert w.loading == {"a"}
    w.finish("a")
    assert w.ended[ticket] is SwapOutcome.ROLLED_BACK
    w.freed("a")
    w.finish("b")
    assert w.ended[late] == "granted"


def test_swap_cancelled_while_the_victim_leaves_rolls_back() -> None:
    w = world()
    resident(w, "a")
    ticket = w.swap(B)
    w.cancel(ticket)
    w.freed("a")
    assert w.loading == {"a"}
    w.finish("a")
    assert w.ended[ticket] is SwapOutcome.ROLLED_BACK


def test_cancelled_lease_leaves_the_others_waiting() -> None:
    w = world()
    first, second = w.request(A), w.request(A)
    w.cancel(first)
    assert isinstance(error_of(w, first), Cancelled)
    w.finish("a")
    assert w.ended[second] == "granted"


def test_waiting_request_is_refused_when_its_time_is_up() -> None:
    w = world(max_wait_s=30)
    w.request(A)
    w.finish("a")
    patient, hasty = w.request(B), w.request(B, timeout_s=10)
    w.tick(10)
    assert isinstance(error_of(w, hasty), BusyTimeout) and patient not in w.ended
    w.tick(20)
    assert isinstance(error_of(w, patient), BusyTimeout)


def test_load_that_takes_too_long_is_stopped_and_rolled_back() -> None:
    w = world(load_timeout_s=60)
    resident(w, "a")
    lease = w.request(B)
    w.freed("a")
    w.tick(60)
    assert isinstance(error_of(w, lease), ModelTimeout)
    assert w.load_of("b") in w.cancelling and w.loading == {"b"}
    w.fail("b", Cancelled("stopped"))
    assert isinstance(w.slot("b").last_error, ModelTimeout)
    assert w.loading == {"a"}


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
    assert w.plans[w.swap(A, dry_run=True)].eta_s == 2.5
    assert w.plans[w.swap(B, dry_run=True)].eta_s is None


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


def test_worker_death_brings_the_last_good_model_back_at_once_and_backs_off_the_second_time() -> None:
    w = world()
    resident(w, "a")
    held = w.request(A)
    w.death("a")
    assert held not in w.leases and w.loading == {"a"}
    w.finish("a")
    w.now += 10
    w.death("a")
    assert w.loading == set() and w.state.degraded
    assert isinstance(error_of(w, w.request(A)), RetryLater)
    w.tick(w.core.next_wakeup(w.now) - w.now)
    assert w.loading == {"a"}


def test_floor_restarts_at_once_whenever_it_dies() -> None:
    w = world()
    for _ in range(3):
        w.death(FLOOR)
        wish = w.request(facts_of(FLOOR, FLOOR_MB))
        w.finish(FLOOR)
        assert w.ended[wish] == "granted"


def test_floor_that_does_not_load_is_tried_again_with_back_off() -> None:
    w = world(retry_base_s=5)
    w.death(FLOOR)
    wish = w.request(facts_of(FLOOR, FLOOR_MB))
    w.fail(FLOOR, ModelCorrupt("no voice files"))
    assert isinstance(error_of(w, wish), ModelCorrupt)
    w.tick(w.core.next_wakeup(w.now) - w.now)
    assert w.loading == {FLOOR}


def test_death_while_verifying_never_makes_a_dead_model_ready() -> None:
    w = world()
    wish = w.request(A)
    w.loaded("a")
    w.death("a")
    w.finish("a")
    assert wish not in w.leases and w.state_of("a") is ModelState.UNLOADING
    w.freed("a")
    assert w.ended[wish] != "granted"


def test_new_revision_takes_over_and_the_old_one_leaves_when_unused() -> None:
    w = world(budget_mb=9)
    held = _granted(w, A)
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
    w.done(_granted(w, fleeting))
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


def test_boot_loads_the_last_good_model() -> None:
    w = world()
    resident(w, "a")
    w.crash_and_boot(w.records, {A.key.model: A, B.key.model: B})
    assert w.loading == {"a"}


def test_boot_does_not_load_the_model_that_was_loading_when_the_service_died() -> None:
    w = world()
    resident(w, "a")
    w.swap(B)
    w.freed("a")
    w.finish("b")
    w.death("b")
    assert w.loading == {"b"}
    w.crash_and_boot(w.records, {A.key.model: A, B.key.model: B})
    assert w.loading == {"a"}
    assert ("abort", "b") in w.kinds()


def test_memory_taken_while_the_victim_leaves_rolls_back() -> None:
    w = world(budget_mb=6)
    resident(w, "c", "a")
    big = facts_of("big", 5)
    ticket = w.swap(big)
    w.stranger_takes = MEGABYTE
    w.freed("a")
    w.freed("c")
    assert w.loading == {"a"}
    w.finish("a")
    assert w.ended[ticket] is SwapOutcome.ROLLED_BACK
    assert w.records[-1].error is not None and w.records[-1].error.startswith("oom")


def test_superseded_revision_that_is_wanted_again_serves_on() -> None:
    w = world(budget_mb=9)
    _granted(w, A)
    w.request(facts_of("a", 4, revision="r2"))
    w.finish("a")
    back = w.request(A)
    assert w.ended[back] == "granted"
    assert w.kinds(Kind.UNDRAIN) == [("undrain", "a")]


def test_model_wanted_again_while_it_leaves_is_loaded_anew() -> None:
    w = world()
    fleeting = facts_of("f", 2, ttl_s=60)
    w.done(_granted(w, fleeting))
    w.tick(60)
    wish = w.request(fleeting)
    assert w.loading == set()
    w.freed("f")
    w.finish("f")
    assert w.ended[wish] == "granted"


def test_boot_without_the_last_good_model_is_degraded() -> None:
    w = world()
    resident(w, "a")
    w.crash_and_boot(w.records, {})
    assert w.state.degraded and w.loading == set()
    w.request(B)
    w.finish("b")
    assert not w.state.degraded
