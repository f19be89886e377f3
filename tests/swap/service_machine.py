"""The hypothesis machine over the real service: its own threads, a clock of the test, gates in the loader.

Nothing sleeps. Loads stand at gates until a rule opens them; after each rule the machine waits, by asking
the service's own thread, until everything that was set free has come to rest.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from alltalk_plugin.domain.cancel import CancelSource
from alltalk_plugin.domain.engines import SynthesisRequest
from alltalk_plugin.domain.errors import (
    AlltalkError,
    ModelCorrupt,
    RequestError,
    Superseded,
    WorkerCrashed,
)
from alltalk_plugin.domain.models import ModelKey, ModelProfile, ModelRef, SwapMode
from alltalk_plugin.domain.ports import CancelToken, SwapTicket
from alltalk_plugin.swap.core import Effects
from alltalk_plugin.swap.journal import replay
from tests.fakes.clock import FakeClock
from tests.fakes.loader import MB, FakeLoader, FakeModel, Gate, Script
from tests.swap.rig import FLOOR_SIZE, WAIT_S, Rig, wish

REFS = ("a", "b", "c")
BUDGET_MB = 250
TEXT = SynthesisRequest(text="word")

WHICH = st.integers(0, 20)
"""Of those there are. What is drawn never depends on the state, which real threads may reach either way."""


class GatedLoader(FakeLoader):
    """Every load but the floor's stands at a gate of its own, in `waiting`, oldest first."""

    def __init__(self) -> None:
        super().__init__({"floor": Script(resident_bytes=FLOOR_SIZE)})
        self.gates = threading.Lock()
        self.waiting: list[tuple[ModelRef, Gate, list[AlltalkError]]] = []
        self.begun: list[ModelKey] = []
        self.twice: list[ModelKey] = []

    def load(
        self,
        profile: ModelProfile,
        key: ModelKey,
        cancel: CancelToken,
        on_death: Callable[[WorkerCrashed], None],
    ) -> FakeModel:
        if profile.ref == "floor":
            return super().load(profile, key, cancel, on_death)
        place = (profile.ref, Gate(), list[AlltalkError]())
        with self.gates:
            if key in self.begun:
                self.twice.append(key)
            self.begun.append(key)
            self.waiting.append(place)
        try:
            place[1].pass_through(cancel)
            if place[2]:
                raise place[2][0]
            return super().load(profile, key, cancel, on_death)
        finally:
            with self.gates:
                self.begun.remove(key)
                if place in self.waiting:
                    self.waiting.remove(place)


class Speaker(threading.Thread):
    """Wants a lease, holds it until told, speaks once more, gives it back. `ended` says how it went."""

    def __init__(self, rig: Rig, ref: str, timeout_s: float) -> None:
        super().__init__(daemon=True)
        self._rig = rig
        self._wish = wish(ref, timeout_s)
        self.cancel = CancelSource()
        self.holds = threading.Event()
        self.let_go = threading.Event()
        self.ended: list[str] = []

    def run(self) -> None:
        try:
            with self._rig.service.lease(self._wish, self.cancel) as lease:
                assert lease.key.model == self._wish.model, "S2: another model than the one asked for"
                self.holds.set()
                self.let_go.wait()
                list(lease.synthesize(TEXT, CancelSource()))
            self.ended.append("ok")
        except (Superseded, WorkerCrashed) as error:
            self.ended.append(error.code)
        except AlltalkError as error:
            self.ended.append(error.code)
        except AssertionError as error:
            self.ended.append(str(error))

    @property
    def stands(self) -> bool:
        return self.holds.is_set() and not self.let_go.is_set()


class ServiceMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.loader = GatedLoader()
        self.rig = Rig(clock=self.clock, loader=self.loader, budget_mb={"cpu": BUDGET_MB}, min_interval_s=10)
        self.settings_before = self.rig.settings.model_dump_json()
        self.speakers: list[Speaker] = []
        self.tickets: list[SwapTicket] = []
        self.rig.service.start()
        self.rest()

    # --- what happens ---------------------------------------------------------------------------------

    @rule(ref=st.sampled_from(REFS), timeout_s=st.sampled_from([5.0, 1000.0]))
    def request(self, ref: str, timeout_s: float) -> None:
        speaker = Speaker(self.rig, ref, timeout_s)
        before = self.rig.service._state.closed, len(self._asked())
        self.speakers.append(speaker)
        speaker.start()
        self.until(lambda: len(self._asked()) > before[1] or speaker.holds.is_set() or bool(speaker.ended))
        self.rest()

    @rule(
        ref=st.sampled_from(REFS),
        mode=st.sampled_from(SwapMode),
        force=st.booleans(),
        cause=st.sampled_from(["api", "person"]),
    )
    def swap(self, ref: str, mode: SwapMode, force: bool, cause: str) -> None:
        with contextlib.suppress(AlltalkError):  # refused, and the caller knows why
            self.tickets.append(self.rig.service.swap(ModelRef(ref), mode=mode, force=force, cause=cause))
        self.rest()

    @rule(which=WHICH)
    def cancel_swap(self, which: int) -> None:
        if self.tickets:
            self.tickets[which % len(self.tickets)].cancel()
            self.rest()

    @rule(works=st.sampled_from([True, True, False]))
    def load_ends(self, works: bool) -> None:
        with self.loader.gates:  # taken out here: a load whose gate is open does not rest
            place = self.loader.waiting.pop(0) if self.loader.waiting else None
        if place is not None:
            _, gate, errors = place
            if not works:
                errors.append(ModelCorrupt("bad file"))
            gate.open()
            self.rest()

    @rule(which=WHICH)
    def stop_speaking(self, which: int) -> None:
        if standing := [speaker for speaker in self.speakers if speaker.stands]:
            speaker = standing[which % len(standing)]
            speaker.let_go.set()
            speaker.join(WAIT_S)
            self.rest()

    @rule(which=WHICH)
    def leave(self, which: int) -> None:
        if waiting := [one for one in self.speakers if one.is_alive() and not one.stands]:
            speaker = waiting[which % len(waiting)]
            speaker.cancel.cancel()
            self.until(lambda: speaker.holds.is_set() or not speaker.is_alive())
            self.rest()

    @rule(which=WHICH)
    def crash(self, which: int) -> None:
        resident = sorted(self.loader.resident())
        if resident:
            self.loader.model(resident[which % len(resident)]).crash()
            self.rest()

    @rule(seconds=st.sampled_from([1.0, 6.0, 40.0, 1000.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.rig.service.tick()
        self.rest()

    @rule(ref=st.sampled_from(REFS), pinned=st.booleans())
    def pin(self, ref: str, pinned: bool) -> None:
        self.rig.service.pin(ModelRef(ref), pinned=pinned)
        self.rest()

    @rule(ref=st.sampled_from(REFS))
    def unload(self, ref: str) -> None:
        with contextlib.suppress(RequestError):  # pinned
            self.rig.service.unload(ModelRef(ref))
        self.rest()

    # --- what must hold -------------------------------------------------------------------------------

    def check(self) -> None:
        peak = self.loader.peak_resident_bytes
        assert peak <= BUDGET_MB * MB, f"S1: {peak} bytes were resident, budget {BUDGET_MB} MB"
        assert not self.loader.twice, f"S5: {self.loader.twice} were loaded twice at a time"
        for speaker in self.speakers:
            assert len(speaker.ended) + speaker.is_alive() == 1, f"S3: a request ended {speaker.ended}"
            assert not any(end.startswith("S") for end in speaker.ended), speaker.ended[0]
        assert self.rig.settings.model_dump_json() == self.settings_before, "S6: the settings changed"
        records = self.rig.journal.since(0)
        seqs = [record.seq for record in records]
        assert seqs == sorted(set(seqs)), "S7: the sequence does not strictly increase"
        told = {ref for ref, _ in replay(records).ready}
        here = set(self.loader.resident())
        assert told == here, f"S7: the journal tells of {told}, {here} are resident"

    def teardown(self) -> None:
        try:
            self.settle()
        finally:
            for speaker in self.speakers:
                speaker.let_go.set()
                speaker.cancel.cancel()
            for _, gate, _ in tuple(self.loader.waiting):
                gate.open()
            self.rig.service.close()

    def settle(self) -> None:
        """L3: without faults everybody gets an answer, as time passes and loads and speech end."""
        for _ in range(100):
            if self.loader.waiting:
                self.load_ends(works=True)
            elif standing := [speaker for speaker in self.speakers if speaker.stands]:
                standing[0].let_go.set()
                standing[0].join(WAIT_S)
                self.rest()
            elif any(speaker.is_alive() for speaker in self.speakers) or any(
                ticket.outcome is None for ticket in self.tickets
            ):
                self.time_passes(40.0)
            else:
                return
        raise AssertionError("L3: the queue does not empty")

    # --- waiting without sleeping ---------------------------------------------------------------------

    def _asked(self) -> set[int]:
        return {wish.id for wish in tuple(self.rig.service._state.wishes)}

    def until(self, what: Callable[[], bool]) -> None:
        """Turn after turn of the service's own thread, until it is so."""
        for _ in range(20_000):
            if what():
                return
            self._turn()
        raise AssertionError("the service does not come to rest")

    def rest(self) -> None:
        """Until every load stands at a gate, every unload has ended, and who was answered knows it."""
        self.until(self._rests)
        self.check()

    def _rests(self) -> bool:
        state = self.rig.service._state
        found: list[bool] = []

        def look(now: float) -> Effects:
            found.append(self._at_gates() and self._answered())
            return self.rig.service._core.on_tick(now)

        self._turn(look)
        return found[0] and not state.out

    def _at_gates(self) -> bool:
        moving = [
            slot.key
            for slot in self.rig.service._state.slots.values()
            if slot.state in ("reserved", "loading", "verifying", "unloading")
        ]
        with self.loader.gates:
            return sorted(key.model for key in moving) == sorted(ref for ref, _, _ in self.loader.waiting)

    def _answered(self) -> bool:
        state = self.rig.service._state
        held = sum(len(slot.leases) for slot in state.slots.values())
        wanted = sum(not wish.ticket for wish in state.wishes)
        living = [speaker for speaker in self.speakers if speaker.is_alive()]
        standing = sum(speaker.stands for speaker in living)
        dead = sum(speaker.stands for speaker in living) - held
        return len(living) - standing == wanted and dead >= 0

    def _turn(self, look: Callable[[float], Effects] | None = None) -> None:
        done = threading.Event()

        def event(now: float) -> Effects:
            effects = look(now) if look is not None else self.rig.service._core.on_tick(now)
            done.set()
            return effects

        self.rig.service._post(event)
        assert done.wait(WAIT_S), "the service's thread does not answer"
