"""What people and programs ask for besides leases: forced swaps, choices that wait, pins, unloads."""

from __future__ import annotations

import pytest

from alltalk_plugin.domain.errors import Cooldown, ModelTooBig, RequestError, Superseded
from alltalk_plugin.domain.models import ModelRef, ModelState, SwapOutcome
from alltalk_plugin.swap.effects import Kind, ModelFacts
from tests.swap.world import FLOOR, FLOOR_MB, A, B, C, error_of, facts_of, granted, resident, world

PERSON = "person"


def test_forced_swap_revokes_the_leases_in_its_way() -> None:
    w = world()
    wish = granted(w, A)
    load = w.slot("a").load
    w.swap(B, force=True)
    assert w.revoked == {load} and w.state_of("a") is ModelState.DRAINING
    w.done(wish)
    w.freed("a")
    w.finish("b")
    assert w.state_of("b") is ModelState.READY


@pytest.mark.parametrize("cause", ["api", "rollback", PERSON])
def test_swap_without_force_lets_speech_end(cause: str) -> None:
    w = world()
    granted(w, A)
    w.swap(B, cause=cause)
    assert w.state_of("a") is ModelState.DRAINING and not w.revoked


def test_forced_swap_that_joins_one_under_way_makes_it_impatient() -> None:
    w = world()
    granted(w, A)
    w.swap(B)
    w.swap(B, force=True)
    assert w.revoked == {w.slot("a").load}


def test_speech_may_go_on_when_a_forced_swap_is_given_up() -> None:
    w = world()
    granted(w, A)
    w.cancel(w.swap(B, force=True))
    assert not w.revoked and w.state_of("a") is ModelState.READY


def test_person_waits_for_the_interval_where_a_program_is_refused() -> None:
    w = world(budget_mb=9, min_interval_s=20)
    w.swap(A)
    w.finish("a")
    w.tick(5)
    program, person = w.swap(B), w.swap(B, cause=PERSON)
    assert isinstance(error_of(w, program), Cooldown) and person not in w.ended
    assert w.core.next_wakeup(w.now) == w.now + 15
    w.tick(14)
    assert w.loading == set()
    w.tick(1)
    w.finish("b")
    assert w.ended[person] is SwapOutcome.COMMITTED


def test_interval_counts_from_when_a_waiting_choice_begins() -> None:
    w = world(budget_mb=9, min_interval_s=20)
    w.swap(A)
    w.swap(B, cause=PERSON)
    w.tick(20)
    assert w.loading == {"a", "b"}
    assert isinstance(error_of(w, w.swap(C)), Cooldown)


def test_newest_choice_of_a_person_replaces_the_waiting_one() -> None:
    w = world(budget_mb=9, min_interval_s=20)
    w.swap(A)
    w.finish("a")
    first, second = w.swap(B, cause=PERSON), w.swap(C, cause=PERSON)
    error = w.errors[first]
    assert isinstance(error, Superseded) and error.context["winner"] == "c"
    assert w.ended[first] is SwapOutcome.ABORTED
    w.tick(20)
    assert w.loading == {"c"}
    w.finish("c")
    assert w.ended[second] is SwapOutcome.COMMITTED


def test_same_choice_twice_ends_well_for_both() -> None:
    w = world(budget_mb=9, min_interval_s=20)
    w.swap(A)
    twice = [w.swap(B, cause=PERSON), w.swap(B, cause=PERSON)]
    w.tick(20)
    w.finish("b")
    assert [w.ended[wish] for wish in twice] == [SwapOutcome.COMMITTED] * 2
    assert w.loads_of["b"] == 1


def test_person_is_refused_when_the_interval_is_longer_than_anybody_waits() -> None:
    w = world(budget_mb=9, min_interval_s=100, max_wait_s=30)
    w.swap(A)
    refused = error_of(w, w.swap(B, cause=PERSON))
    assert isinstance(refused, Cooldown) and refused.context["retry_after_s"] == 100
    w.tick(70)
    assert w.swap(B, cause=PERSON) not in w.ended


def test_waiting_choice_holds_nobody_back() -> None:
    w = world(budget_mb=5, min_interval_s=20, overtake_limit=0)
    w.swap(A)
    w.finish("a")
    w.swap(B, cause=PERSON)
    assert w.ended[w.request(A)] == "granted"


def test_switch_that_a_pinned_model_before_it_leaves_no_room_for_is_told_so() -> None:
    big = facts_of("big", 5)
    w = world(budget_mb=7)
    granted(w, A)
    first = w.request(big)
    w.request(C)
    w.pin(C)
    switch = w.swap(big, cause="rollback")
    assert switch not in w.ended
    w.cancel(first)  # which held C back
    assert w.loading == {"c"} and w.ended[switch] is SwapOutcome.ABORTED
    assert isinstance(w.errors[switch], ModelTooBig) and w.state_of("a") is ModelState.READY


def test_pinned_model_is_not_evicted_until_unpinned() -> None:
    w = world(budget_mb=8)
    resident(w, "a", "b")
    w.pin(A)
    w.request(C)
    assert w.state_of("a") is ModelState.READY and w.state_of("b") is ModelState.UNLOADING
    w.freed("b")
    w.finish("c")
    w.pin(A, pinned=False)
    w.request(B)
    assert w.state_of("a") is ModelState.UNLOADING


def test_unpinning_beats_the_settings_and_a_restart_keeps_it() -> None:
    pinned = facts_of("p", 4, pinned=True)
    w = world()
    w.done(granted(w, pinned))
    w.pin(pinned, pinned=False)
    w.pin(pinned, pinned=False)
    assert w.kinds(Kind.PIN) == [("pin", "p")]
    w.crash_and_boot(w.records, {ModelRef("p"): pinned})
    w.finish("p")
    w.request(A)
    assert w.state_of("p") is ModelState.UNLOADING


def test_unload_of_an_idle_model_is_immediate() -> None:
    w = world()
    resident(w, "a")
    assert w.ended[w.unload(A)] == "done"
    w.freed("a")
    assert w.state_of("a") is ModelState.COLD
    assert w.kinds(Kind.DRAIN, Kind.UNLOAD, Kind.FREED) == [("drain", "a"), ("unload", "a"), ("freed", "a")]
    assert {record.cause for record in w.records if record.kind == Kind.UNLOAD} == {"unload"}


def test_unload_waits_for_speech_and_a_new_request_keeps_the_model() -> None:
    w = world()
    wish = granted(w, A)
    w.unload(A)
    assert w.state_of("a") is ModelState.DRAINING
    assert w.ended[w.request(A)] == "granted"
    w.unload(A)
    w.done(wish)
    w.done(next(iter(w.leases)))
    assert w.state_of("a") is ModelState.UNLOADING


def test_unloaded_good_model_stays_away_and_is_back_after_a_restart() -> None:
    w = world()
    resident(w, "a")
    w.unload(A)
    w.freed("a")
    w.tick(1000)
    assert w.state_of("a") is ModelState.COLD
    w.crash_and_boot(w.records, {ModelRef("a"): A})
    assert w.loading == {"a"}


@pytest.mark.parametrize("facts", [facts_of(FLOOR, FLOOR_MB), facts_of("p", 2, pinned=True)])
def test_pinned_model_and_the_floor_are_not_unloaded(facts: ModelFacts) -> None:
    w = world()
    wish = w.request(facts)
    if wish not in w.ended:
        w.finish("p")
    assert isinstance(error_of(w, w.unload(facts)), RequestError)
    assert w.state_of(facts.key.model) is ModelState.READY


@pytest.mark.parametrize(
    ("own_s", "general_s", "leaves_after"),
    [(None, 900.0, 900.0), (10.0, 900.0, 10.0), (0.0, 900.0, None), (None, 0.0, None), (10.0, 0.0, 10.0)],
)
def test_idle_model_leaves_after_its_own_time_or_the_general_one(
    own_s: float | None, general_s: float, leaves_after: float | None
) -> None:
    w = world(idle_ttl_s=general_s)
    w.done(granted(w, facts_of("m", 2, ttl_s=own_s)))
    if leaves_after is None:
        w.tick(1e6)
        assert w.state_of("m") is ModelState.READY
        return
    assert w.core.next_wakeup(w.now) == w.now + leaves_after
    w.tick(leaves_after)
    assert w.state_of("m") is ModelState.UNLOADING
    assert w.state_of(FLOOR) is ModelState.READY


def test_idle_time_is_no_matter_for_pinned_models_and_models_in_use() -> None:
    w = world(budget_mb=9, idle_ttl_s=10)
    granted(w, A)
    w.done(granted(w, B))
    w.pin(B)
    w.tick(1000)
    assert (w.state_of("a"), w.state_of("b")) == (ModelState.READY, ModelState.READY)


def test_model_taken_out_of_the_settings_leaves_once_its_last_lease_ends() -> None:
    w = world(9)
    lease = granted(w, A)
    resident(w, "c")
    w.take_out("a")
    assert (w.state_of("a"), w.state_of("c")) == (ModelState.DRAINING, ModelState.READY)
    assert not w.unloading, "it is unloaded under a lease"
    w.done(lease)
    w.freed("a")
    assert w.state_of("a") is ModelState.COLD
    causes = {record.cause for record in w.records if record.kind in (Kind.DRAIN, Kind.UNLOAD)}
    assert causes == {"removed"}


def test_pinned_model_taken_out_of_the_settings_leaves_and_its_pin_counts_when_it_is_back() -> None:
    w = world(5)
    resident(w, "a")
    w.pin(A)
    w.take_out("a")
    w.freed("a")
    resident(w, "a")
    assert w.state.pinned(w.slot("a"))
    assert isinstance(error_of(w, w.unload(A)), RequestError)


def test_good_model_that_crashed_and_was_taken_out_does_not_come_back() -> None:
    w = world(5)
    resident(w, "a")
    w.death("a")
    w.take_out("a")
    assert w.state.lost is None


def test_embedded_model_stays_whatever_the_settings_have() -> None:
    w = world(5)
    w.take_out(FLOOR)
    assert w.state_of(FLOOR) is ModelState.READY
