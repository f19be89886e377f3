"""Forced swaps, pins, unloads, events and models on disk, through the running service."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from alltalk_plugin.domain.cancel import CancelSource
from alltalk_plugin.domain.clock import SystemClock
from alltalk_plugin.domain.engines import SynthesisRequest
from alltalk_plugin.domain.errors import ModelNotFound, RequestError, Superseded
from alltalk_plugin.domain.models import (
    CPU,
    Device,
    ModelKey,
    ModelProfile,
    ModelRef,
    ModelState,
    SwapOutcome,
)
from alltalk_plugin.swap.core import SwapCore
from alltalk_plugin.swap.effects import Drop, Load
from alltalk_plugin.swap.performing import Event, Performer
from tests.fakes.clock import FakeClock
from tests.fakes.loader import MB, Gate
from tests.swap.rig import WAIT_S, Rig, background, wish

A, B = ModelRef("a"), ModelRef("b")
KEY = ModelKey("fake", A, "1")
TEXT = SynthesisRequest(text="word")


@pytest.fixture
def rig() -> Iterator[Rig]:
    made = Rig()
    made.service.start()
    yield made
    made.service.close()


def until_drained(rig: Rig, ref: str) -> None:
    while rig.state(ref) is not ModelState.DRAINING:
        rig.service.tick()
    # A state is shown before what follows from it is carried out; an answer to a later question comes after.
    rig.service.swap(ModelRef("floor"), dry_run=True)


def test_forced_swap_ends_speech_at_its_next_border(rig: Rig) -> None:
    cancel = CancelSource()
    gate = rig.loader.script("a").chunk_gate = Gate()
    long = SynthesisRequest(text="a long sentence")
    with rig.service.lease(wish("a"), cancel) as lease:
        speaking = background(lambda: list(lease.synthesize(long, cancel)))
        gate.wait_reached()
        ticket = rig.service.swap(B, force=True)
        until_drained(rig, "a")
        gate.open()
        assert len(speaking.result(WAIT_S)) > 1  # what was begun is spoken to its end
        with pytest.raises(Superseded):
            list(lease.synthesize(TEXT, cancel))
    assert ticket.wait(WAIT_S) is SwapOutcome.COMMITTED


def test_swap_without_force_lets_a_lease_go_on(rig: Rig) -> None:
    cancel = CancelSource()
    with rig.service.lease(wish("a"), cancel) as lease:
        ticket = rig.service.swap(B)
        until_drained(rig, "a")
        assert list(lease.synthesize(TEXT, cancel))
    assert ticket.wait(WAIT_S) is SwapOutcome.COMMITTED


def test_forced_swap_that_is_cancelled_lets_speech_go_on(rig: Rig) -> None:
    cancel = CancelSource()
    with rig.service.lease(wish("a"), cancel) as lease:
        ticket = rig.service.swap(B, force=True)
        ticket.cancel()
        assert ticket.wait(WAIT_S) is SwapOutcome.ABORTED
        assert list(lease.synthesize(TEXT, cancel))


def test_pin_is_shown_journaled_and_kept_by_the_next_service(rig: Rig) -> None:
    rig.service.pin(A)
    assert {line.ref for line in rig.service.snapshot() if line.pinned} == {"a"}
    with pytest.raises(RequestError):
        rig.speak("a")
        rig.service.unload(A)
    with pytest.raises(ModelNotFound):
        rig.service.pin(ModelRef("nobody"))
    rig.service.close()
    second = Rig(rig.journal)
    second.service.start()
    second.service.swap(A).wait(WAIT_S)
    with pytest.raises(RequestError):
        second.service.unload(A)
    second.service.close()


def test_unload_gives_the_memory_back(rig: Rig) -> None:
    rig.speak("a")
    with rig.service.events() as events:
        rig.service.unload(A)
        kinds: list[str] = []
        while "freed" not in kinds:
            kinds += [str(record.kind) for record in events.get(WAIT_S)]
    assert kinds == ["drain", "unload", "freed"]
    assert "a" not in rig.loader.resident()


def test_events_tell_each_record_once_from_where_one_wants(rig: Rig) -> None:
    rig.speak("a")
    with rig.service.events(since=0) as events:
        heard = list(events.get(WAIT_S))
        rig.speak("b")
        last = rig.journal.last_seq
        while heard[-1].seq < last:
            heard += events.get(WAIT_S)
        assert [record.seq for record in heard] == list(range(1, last + 1))
        assert events.get(0.0) == ()


def test_listener_that_left_hears_nothing(rig: Rig) -> None:
    rung = threading.Event()
    forget = rig.service.on_event(rung.set)
    rig.speak("a")
    assert rung.wait(WAIT_S)
    forget()
    rig.service.close()  # returns when all bells have rung
    rung.clear()
    assert not rung.is_set()


def test_listing_says_how_long_a_load_takes(rig: Rig) -> None:
    rig.speak("a")
    line = next(line for line in rig.service.snapshot() if line.ref == "a")
    assert line.eta_s is not None and line.eta_range_s is not None
    assert line.eta_range_s[0] <= line.eta_s <= line.eta_range_s[1]


def test_models_that_appear_change_and_vanish_are_seen_without_a_restart() -> None:
    clock = FakeClock()
    rig = Rig(clock=clock, budget_mb={"cpu": 400})
    rig.service.start()
    with pytest.raises(ModelNotFound):
        rig.speak("new")
    rig.revisions["new"] = "1"
    rig.profiles[ModelRef("new")] = ModelProfile(ref=ModelRef("new"), engine="fake")
    first = rig.speak("new")
    rig.revisions["new"] = "2"
    clock.advance(1.0)
    second = rig.speak("new")
    assert first.revision != second.revision
    del rig.profiles[ModelRef("new")]
    with pytest.raises(ModelNotFound):
        rig.speak("new")
    assert "new" in {line.ref for line in rig.service.snapshot()}, "it takes memory and is not listed"
    with rig.service.events() as events:
        rig.service.let_removed_go()
        while rig.kinds("new")[-1] != "freed" or len(rig.loader.resident()) > 1:
            events.get(WAIT_S)
    assert "new" not in {line.ref for line in rig.service.snapshot()}
    rig.service.close()


def test_pin_in_the_settings_counts_from_the_next_request_on(rig: Rig) -> None:
    rig.speak("a")
    rig.profiles[A] = ModelProfile(ref=A, engine="fake", pinned=True)
    rig.speak("a")
    with pytest.raises(RequestError):
        rig.service.unload(A)


def test_waiting_processes_of_the_loader_take_room(rig: Rig) -> None:
    rig.loader.base = {CPU: 60 * MB}
    with pytest.raises(Exception, match="can be made free"):
        rig.speak("a")


@pytest.mark.parametrize(
    ("device", "come_back_after", "seen"), [("cuda:0", 3, 1000), ("cuda:0", 10_000, 900), ("cpu", 3, 900)]
)
def test_release_waits_until_a_device_shows_the_bytes(device: str, come_back_after: int, seen: int) -> None:
    rig = Rig()
    free = {"mb": 900}
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == come_back_after:
            free["mb"] = 1000

    core = RecordingCore()
    performer = Performer(core, rig.loader, lambda _: free["mb"] * MB, core.post, pause=pause)
    performer.drop(Drop(Load(KEY, 1), Device(device), held_bytes=100 * MB))
    assert core.unloaded.wait(WAIT_S)
    assert (core.free_before, core.free_after) == (900 * MB, seen * MB)


class RecordingCore(SwapCore):
    """Only hears of unloads."""

    def __init__(self) -> None:
        self.unloaded = threading.Event()
        self.free_before: int | None = None
        self.free_after: int | None = None

    def post(self, event: Event) -> None:
        event(SystemClock().monotonic())

    def on_unloaded(  # type: ignore[override]  # takes no more than is looked at
        self, now: float, load: Load, *, free_before: int | None, free_after: int | None, **_: object
    ) -> tuple[()]:
        self.free_before, self.free_after = free_before, free_after
        self.unloaded.set()
        return ()
