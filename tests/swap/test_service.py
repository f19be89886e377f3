from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from functools import partial
from pathlib import Path

import pytest

from alltalk_plugin.domain.cancel import CancelSource
from alltalk_plugin.domain.errors import (
    AlltalkError,
    BusyTimeout,
    Cancelled,
    ModelCorrupt,
    ModelNotFound,
    ModelTooBig,
    RetryLater,
    SwapCancelled,
    WorkerCrashed,
)
from alltalk_plugin.domain.models import (
    CPU,
    ModelRef,
    ModelState,
    SwapMode,
    SwapOutcome,
)
from alltalk_plugin.domain.ports import ModelPool
from alltalk_plugin.settings.schema import SwapSettings
from alltalk_plugin.swap.journal import SqliteJournal, replay
from alltalk_plugin.swap.lease import Granted, LeaseEntry
from tests.fakes.clock import FakeClock
from tests.fakes.loader import MB, Gate
from tests.swap.rig import WAIT_S, Rig, background, wish


@pytest.fixture
def rig() -> Iterator[Rig]:
    made = Rig()
    made.service.start()
    yield made
    made.service.close()


def test_service_is_a_model_pool(rig: Rig) -> None:
    pool: ModelPool = rig.service
    assert [line.ref for line in pool.snapshot()] == ["a", "b", "c", "floor", "huge"]


def test_two_models_that_do_not_fit_take_turns(rig: Rig) -> None:
    for ref in ("a", "b", "a", "b"):
        assert rig.speak(ref).model == ref
    assert rig.loader.times_loaded("a") == rig.loader.times_loaded("b") == 2
    assert rig.loader.peak_resident_bytes <= 150 * MB
    assert rig.kinds("a").count("freed") == 2


def test_concurrent_leases_of_a_cold_model_load_it_once(rig: Rig) -> None:
    gate = rig.loader.script("a").load_gate = Gate()
    speaking = [background(lambda: rig.speak("a")) for _ in range(8)]
    gate.wait_reached()
    gate.open()
    assert {work.result(WAIT_S).model for work in speaking} == {"a"}
    assert rig.loader.times_loaded("a") == 1


def test_failing_swap_rolls_back_and_the_journal_says_so(rig: Rig) -> None:
    rig.speak("a")
    rig.loader.script("b").verify_error = ModelCorrupt("noise", context={"phase": "verify"})
    ticket = rig.service.swap(ModelRef("b"))
    assert ticket.wait(WAIT_S) is SwapOutcome.ROLLED_BACK
    assert isinstance(ticket.error, ModelCorrupt)
    assert rig.service.ticket(ticket.id) is ticket
    assert rig.loader.resident() == ("floor", "a")
    assert rig.kinds("b") == ["plan", "reserve", "load_start", "load_ok", "load_failed"]
    assert rig.kinds("a")[-4:] == ["load_start", "load_ok", "verify", "rollback"]
    assert rig.speak("a").model == "a"
    with pytest.raises(RetryLater) as refused:
        rig.speak("b")
    assert refused.value.context["cause_code"] == "corrupt"


def test_every_waiter_of_a_failed_load_gets_an_error_of_its_own(rig: Rig) -> None:
    script = rig.loader.script("a")
    gate = script.load_gate = Gate()
    script.load_error = ModelCorrupt("bad file")
    speaking = [background(lambda: rig.speak("a")) for _ in range(3)]
    gate.wait_reached()
    while len(rig.service._state.wishes) < 3:  # all have joined
        rig.service.tick()
    gate.open()
    errors = [work.exception(WAIT_S) for work in speaking]
    assert all(type(error) is ModelCorrupt for error in errors)
    assert len({id(error) for error in errors}) == 3


def test_cancel_while_waiting_ends_the_wait_and_harms_nobody(rig: Rig) -> None:
    gate = rig.loader.script("a").load_gate = Gate()
    cancel = CancelSource()
    leaving = background(lambda: rig.speak("a", cancel=cancel))
    staying = background(lambda: rig.speak("a"))
    gate.wait_reached()
    cancel.cancel()
    assert isinstance(leaving.exception(WAIT_S), Cancelled)
    gate.open()
    assert staying.result(WAIT_S).model == "a"


def test_cancelled_swap_stops_the_load(rig: Rig) -> None:
    gate = rig.loader.script("a").load_gate = Gate()
    ticket = rig.service.swap(ModelRef("a"))
    gate.wait_reached()
    ticket.cancel()
    assert ticket.wait(WAIT_S) is SwapOutcome.ABORTED
    assert isinstance(ticket.error, SwapCancelled)
    assert rig.loader.resident() in {("floor",), ()}


def test_death_under_a_lease_is_a_crash_for_its_holder_and_the_model_comes_back(rig: Rig) -> None:
    rig.loader.script("a").crash_at_chunk = 0
    with pytest.raises(WorkerCrashed):
        rig.speak("a")
    rig.loader.script("a").crash_at_chunk = None
    assert rig.speak("a").model == "a"
    assert rig.kinds("a").count("fault") == 1
    assert rig.loader.times_loaded("a") == 2


def test_close_refuses_whoever_waits_and_whoever_comes(rig: Rig) -> None:
    gate = rig.loader.script("a").load_gate = Gate()
    waiting = [background(lambda: rig.speak("a")) for _ in range(3)]
    gate.wait_reached()
    rig.service.close()
    assert all(isinstance(work.exception(WAIT_S), SwapCancelled) for work in waiting)
    with pytest.raises(SwapCancelled):
        rig.speak("a")
    with pytest.raises(SwapCancelled):
        rig.service.swap(ModelRef("a"))
    assert rig.loader.resident() == ()
    rig.service.close()


def test_unknown_model_names_the_nearest(rig: Rig) -> None:
    with pytest.raises(ModelNotFound) as error:
        rig.speak("hug")
    assert error.value.context["nearest"] == "huge"


def test_too_big_model_is_refused_by_lease_and_swap(rig: Rig) -> None:
    rig.speak("a")
    with pytest.raises(ModelTooBig):
        rig.speak("huge")
    with pytest.raises(ModelTooBig):
        rig.service.swap(ModelRef("huge"))
    assert rig.state("a") is ModelState.READY


def test_fit_together_follows_the_budget(rig: Rig) -> None:
    a, b, floor, unknown = (ModelRef(ref) for ref in ("a", "b", "floor", "nobody"))
    assert rig.service.fit_together([a, floor])
    assert not rig.service.fit_together([a, b])
    assert not rig.service.fit_together([unknown])
    rig.settings = SwapSettings(budget_mb={"cpu": 210}, margin_share=0)
    assert rig.service.fit_together([a, b])


def test_dry_run_tells_the_plan_and_moves_nothing(rig: Rig) -> None:
    rig.speak("a")
    ticket = rig.service.swap(ModelRef("b"), dry_run=True)
    assert ticket.wait(WAIT_S) is SwapOutcome.PLANNED
    assert ticket.plan.victims == ("a",) and ticket.plan.mode is SwapMode.UNLOAD_FIRST
    assert rig.state("a") is ModelState.READY and rig.loader.times_loaded("b") == 0


def test_rollback_leads_to_the_model_that_was_good_before(rig: Rig) -> None:
    with pytest.raises(ModelNotFound):
        rig.service.rollback()
    rig.speak("a")
    rig.speak("b")
    assert rig.service.rollback().wait(WAIT_S) is SwapOutcome.COMMITTED
    assert rig.state("a") is ModelState.READY


def test_changed_files_are_a_new_revision_and_the_lease_says_which() -> None:
    clock = FakeClock()
    rig = Rig(clock=clock, budget_mb={"cpu": 300})
    rig.service.start()
    before = rig.speak("a")
    rig.revisions["a"] = "2"
    clock.advance(1.0)
    after = rig.speak("a")
    assert before.revision != after.revision
    rig.service.close()


def test_waiting_request_is_refused_at_its_deadline() -> None:
    clock = FakeClock()
    rig = Rig(clock=clock)
    rig.service.start()
    with rig.service.lease(wish("a"), CancelSource()):
        waiting = background(lambda: rig.speak("b", timeout_s=5))
        while not rig.service._state.wishes:  # it has asked
            rig.service.tick()
        clock.advance(5)
        rig.service.tick()
        assert isinstance(waiting.exception(WAIT_S), BusyTimeout)
    rig.service.close()


def test_observers_get_every_record_in_order_though_one_of_them_fails() -> None:
    rig = Rig(faulty_observer=True)
    rig.service.start()
    rig.speak("a")
    rig.service.close()
    assert [record.seq for record in rig.observed] == [record.seq for record in rig.journal.since(0)]
    assert {record.settings_hash for record in rig.observed} == {"hash"}


def test_next_start_loads_the_last_good_model(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal.sqlite")
    first = Rig(journal)
    first.service.start()
    first.speak("a")
    first.speak("b")
    first.service.close()
    journal.close()

    again = SqliteJournal(tmp_path / "journal.sqlite")
    second = Rig(again)
    gate = second.loader.script("b").load_gate = Gate()
    second.service.start()
    gate.wait_reached()
    gate.open()
    assert second.speak("b").model == "b"
    assert second.loader.times_loaded("b") == 1 and second.loader.times_loaded("a") == 0
    second.service.close()
    state = replay(again.since(0))
    assert (state.last_good, state.prev_good) == ("b", "a")
    again.close()


def test_journal_that_cannot_be_written_does_not_stop_speech(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    journal = SqliteJournal(tmp_path / "file" / "journal.sqlite")
    rig = Rig(journal)
    rig.service.start()
    assert rig.speak("a").model == "a"
    assert journal.last_error
    assert "commit" in rig.kinds("a")
    rig.service.close()


def test_swap_of_files_that_cannot_be_read_is_a_typed_error(rig: Rig) -> None:
    del rig.revisions["b"]  # the engine's spec raises KeyError
    with pytest.raises(AlltalkError, match="could not look at b"):
        rig.service.swap(ModelRef("b"))


def test_crowd_on_three_models_loses_nobody_and_stays_within_the_budget(rig: Rig) -> None:
    def talk(first: int) -> list[str]:
        return [rig.speak("abc"[(first + turn) % 3]).model for turn in range(9)]

    crowd = [background(partial(talk, first)) for first in range(6)]
    for first, talker in enumerate(crowd):
        assert talker.result(60) == ["abc"[(first + turn) % 3] for turn in range(9)]
    assert rig.loader.peak_resident_bytes <= 150 * MB
    told = replay(rig.journal.since(0))
    assert dict(told.open) == {} and {ref for ref, _ in told.ready} == set(rig.loader.resident())


def test_interrupted_wait_gives_up_its_place() -> None:
    future: Future[Granted] = Future()
    future.set_exception(KeyboardInterrupt())
    abandoned: list[Future[Granted]] = []
    entry = LeaseEntry(
        lambda: future,
        CancelSource(),
        withdraw=lambda _: None,
        abandon=abandoned.append,
        give_back=lambda load: None,
        died=lambda load, error: None,
    )
    with pytest.raises(KeyboardInterrupt):
        entry.__enter__()
    assert abandoned == [future]


def test_models_without_a_budget_share_what_was_free_at_the_start() -> None:
    rig = Rig(budget_mb={})
    rig.memory.free[CPU] = 1000 * MB
    rig.service.start()
    assert rig.service.swap(ModelRef("a"), dry_run=True).plan.budget_bytes == 900 * MB
    rig.memory.free[CPU] = 500 * MB
    assert rig.service.swap(ModelRef("a"), dry_run=True).plan.budget_bytes == 900 * MB
    rig.service.close()
