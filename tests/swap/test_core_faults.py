from __future__ import annotations

import pytest

from alltalk_plugin.domain.errors import (
    Cancelled,
    ModelCorrupt,
    ModelTimeout,
    OutOfMemory,
    RetryLater,
    SelfTestFailed,
)
from alltalk_plugin.domain.models import ModelState, SwapOutcome
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
    granted(w, A)
    w.request(facts_of("a", 4, revision="r2"))
    w.finish("a")
    back = w.request(A)
    assert w.ended[back] == "granted"
    assert w.kinds(Kind.UNDRAIN) == [("undrain", "a")]


def test_model_wanted_again_while_it_leaves_is_loaded_anew() -> None:
    w = world()
    fleeting = facts_of("f", 2, ttl_s=60)
    w.done(granted(w, fleeting))
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
