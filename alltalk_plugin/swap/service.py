"""The swap service: models behind one word, lease.

One writer thread owns the core and all that belongs to it. Everybody else puts events into its inbox and
waits on a Future; loads, verifications and unloads run in threads of their own and report as events. No
lock is held anywhere while that happens. Reads from outside get what the writer published last.
"""

from __future__ import annotations

import itertools
import math
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager

from loguru import logger

from alltalk_plugin.domain.engines import EngineSpec
from alltalk_plugin.domain.errors import AlltalkError, ModelError, ModelNotFound, SwapCancelled, WorkerCrashed
from alltalk_plugin.domain.models import (
    Device,
    LeaseRequest,
    ModelKey,
    ModelProfile,
    ModelRef,
    ModelStatus,
    SwapMode,
    SwapPlan,
    SwapRecord,
)
from alltalk_plugin.domain.ports import CancelToken, Clock, Journal, MemoryProbe, ModelLease, ModelLoader
from alltalk_plugin.settings.schema import SwapSettings
from alltalk_plugin.swap import admission, snapshot
from alltalk_plugin.swap.catalog import Catalog
from alltalk_plugin.swap.core import Effects, SwapCore
from alltalk_plugin.swap.effects import (
    Accept,
    CancelLoad,
    Deny,
    Done,
    Drop,
    Effect,
    Emit,
    Grant,
    Load,
    ModelFacts,
    Revoke,
    Settle,
    StartLoad,
)
from alltalk_plugin.swap.events import Events
from alltalk_plugin.swap.journal import replay
from alltalk_plugin.swap.lease import Granted, LeaseEntry
from alltalk_plugin.swap.performing import Event, Performer, Recorder
from alltalk_plugin.swap.states import SwapState
from alltalk_plugin.swap.tickets import Ticket

CLOSE_WAIT_S = 5.0
"""How long closing waits for running loads and unloads; then the loader ends their processes."""

Answer = Future[Granted] | Future[SwapPlan] | Future[None]
"""What a caller waits on."""

TICKETS_KEPT = 256
BUDGET_SHARE = 0.9
"""Of the memory free at start, for a device without a budget in the settings."""


class SwapService:
    """Satisfies `ModelPool`. Thread-safe."""

    def __init__(
        self,
        *,
        profiles: Callable[[], Mapping[ModelRef, ModelProfile]],
        engines: Mapping[str, EngineSpec],
        loader: ModelLoader,
        journal: Journal,
        memory: MemoryProbe,
        clock: Clock,
        settings: Callable[[], SwapSettings],
        settings_hash: Callable[[], str],
        floor: ModelRef,
        observers: Sequence[Callable[[SwapRecord], None]] = (),
    ) -> None:
        self._memory = memory
        self._clock = clock
        self._catalog = Catalog(profiles, engines, clock)
        self._floor = self._catalog.facts(floor)
        self._start_budgets: dict[Device, int] = {}
        self._replayed = replay(journal.since(0))
        self._state = SwapState(
            floor=self._floor.key,
            prefix=f"t{self._replayed.seq}.",  # transactions of different runs never share an id
            settings=settings,
            measured_free=self._measured_free,
            budget_at_start=self._budget_at_start,
            last_good=self._replayed.last_good,
            prev_good=self._replayed.prev_good,
            base_bytes=lambda device: loader.base_bytes().get(device, 0),
            learned=dict(self._replayed.learned),
            pins=dict(self._replayed.pins),
        )
        self._core = SwapCore(self._state)
        self._journal = journal
        self._recorder = Recorder(journal, clock, settings_hash, observers, settings)
        self._performer = Performer(self._core, loader, self._measured_free, self._post)
        self._inbox: queue.SimpleQueue[tuple[Event, Answer | None] | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._own, name="swap-owner", daemon=True)
        self._at_rest = threading.Event()
        self._closed = threading.Event()
        self._ended = threading.Event()
        self._ids = itertools.count(1)
        self._leases: dict[int, Future[Granted]] = {}  # the writer's
        self._swaps: dict[int, Future[SwapPlan]] = {}  # the writer's, until the plan is known
        self._orders: dict[int, Future[None]] = {}  # the writer's
        self._tickets: dict[str, Ticket] = {}  # filled by the writer; reads are single look-ups
        self._published: Mapping[ModelKey, ModelStatus] = {}

    def start(self) -> None:
        """Begin to serve: the floor and the last good model load in the background."""
        wanted = self._wanted_at_start()
        for device in {profile.device for profile in self._catalog.profiles().values()}:
            self._budget_at_start(device)
        self._recorder.start()
        self._writer.start()
        self._post(lambda now: self._core.on_start(now, self._floor, wanted, self._replayed.open))

    def close(self) -> None:
        """Refuse everybody, stop loads, let idle models go. Blocks up to some seconds; idempotent."""
        if self._closed.is_set() or not self._writer.is_alive():
            self._closed.set()
            return
        self._closed.set()
        self._post(self._core.on_close)
        self._at_rest.wait(CLOSE_WAIT_S)
        self._inbox.put(None)
        self._writer.join()
        self._recorder.close()

    def lease(self, request: LeaseRequest, cancel: CancelToken) -> AbstractContextManager[ModelLease]:
        """See `ModelPool.lease`. What is wrong with the model's name or files is raised on entering."""
        wish_id = next(self._ids)
        future: Future[Granted] = Future()

        def ask() -> Future[Granted]:
            facts = self._catalog.facts(request.model)

            def event(now: float) -> Effects:
                self._leases[wish_id] = future
                return self._core.on_request(
                    now,
                    wish_id,
                    facts,
                    timeout_s=request.timeout_s,
                    playback_deadline_s=request.playback_deadline_s,
                    upcoming=request.upcoming,
                )

            self._ask(event, future)
            return future

        def abandon(asked: Future[Granted]) -> None:
            self._post(lambda now: self._abandoned(now, wish_id, asked))

        return LeaseEntry(
            ask,
            cancel,
            withdraw=lambda _: self._post(lambda now: self._core.on_cancel(now, wish_id)),
            abandon=abandon,
            give_back=lambda load: self._post(lambda now: self._core.on_done(now, wish_id, load)),
            died=self._died,
        )

    def fit_together(self, models: Sequence[ModelRef]) -> bool:
        """Whether these could all be resident at once; advisory, for planning only. False for a model that
        cannot be looked at."""
        try:
            wanted = {self._catalog.facts(ref).key: self._catalog.facts(ref) for ref in models}
        except AlltalkError:
            return False
        beside = [facts for key, facts in wanted.items() if key != self._floor.key]
        return admission.fit_together(self._state, self._floor, beside)

    def swap(
        self,
        target: ModelRef,
        *,
        mode: SwapMode = SwapMode.AUTO,
        force: bool = False,
        dry_run: bool = False,
        cause: str = "api",
    ) -> Ticket:
        """See `ModelPool.swap`."""
        facts = self._catalog.facts(target, fresh=True)
        wish_id = next(self._ids)
        future: Future[SwapPlan] = Future()

        def event(now: float) -> Effects:
            self._swaps[wish_id] = future
            return self._core.on_swap(
                now, wish_id, facts, mode=mode, cause=cause, force=force, dry_run=dry_run
            )

        self._ask(event, future)
        future.result()
        return self._tickets[self._ticket_id(wish_id)]

    def rollback(self, to: ModelRef | None = None) -> Ticket:
        """See `ModelPool.rollback`. Raises: ModelNotFound when nothing was good before."""
        # Only a choice of target; two that roll back at once are meant to choose the same one and join.
        target = to if to is not None else self._state.prev_good
        if target is None:
            raise ModelNotFound(
                "no other model was good before",
                hint="Name the model to go back to.",
                context={"model": None},
            )
        return self.swap(target, cause="rollback")

    def ticket(self, swap_id: str) -> Ticket | None:
        return self._tickets.get(swap_id)

    def pin(self, model: ModelRef, *, pinned: bool = True) -> None:
        """See `ModelPool.pin`."""
        facts = self._catalog.facts(model)
        self._order(lambda now, wish_id: self._core.on_pin(now, wish_id, facts, pinned=pinned))

    def unload(self, model: ModelRef) -> None:
        """See `ModelPool.unload`."""
        facts = self._catalog.facts(model)
        self._order(lambda now, wish_id: self._core.on_unload(now, wish_id, facts))

    def let_removed_go(self) -> None:
        """Loaded models that the settings have no more, or leave no way to load, are drained and unloaded;
        leases held go on. To be called now and then."""
        # Only whether it is worth asking; the writer looks anew.
        if {key.model for key in self._published} - self._catalog.usable():
            self._post(lambda now: self._core.on_usable(now, self._catalog.usable()))

    def on_event(self, callback: Callable[[], None]) -> Callable[[], None]:
        """See `ModelPool.on_event`."""
        return self._recorder.bell.listen(callback)

    def events(self, since: int | None = None) -> Events:
        """What happens to models from record `since` on (None: from now on), to be closed by the caller."""
        return Events(self._journal, self.on_event, self._journal.last_seq if since is None else since)

    def snapshot(self) -> tuple[ModelStatus, ...]:
        """Every model that is known, in the order of the settings; advisory. Never blocks."""
        return snapshot.in_order(self._published, self._catalog)

    def tick(self) -> None:
        """Look at the clock now; for clocks that do not run by themselves."""
        self._post(self._core.on_tick)

    def _wanted_at_start(self) -> ModelFacts | None:
        ref = self._replayed.wanted
        if ref is None:
            return None
        try:
            return self._catalog.facts(ref)
        except AlltalkError as error:
            logger.warning("the last good model is not to be had", model=ref, error=error.message)
            return None

    def _measured_free(self, device: Device) -> int | None:
        try:
            return self._memory.free_bytes(device)
        except ModelError:
            return None  # nothing measures this device here; the budget alone decides

    def _budget_at_start(self, device: Device) -> int:
        if device not in self._start_budgets:
            self._start_budgets[device] = int((self._measured_free(device) or 0) * BUDGET_SHARE)
        return self._start_budgets[device]

    def _ask(self, event: Event, answer: Answer) -> None:
        if not self._writer.is_alive():
            raise SwapCancelled("the model service is not running")
        self._inbox.put((event, answer))
        if self._ended.is_set():
            self._refuse_the_rest()

    def _order(self, order: Callable[[float, int], Effects]) -> None:
        wish_id = next(self._ids)
        future: Future[None] = Future()

        def event(now: float) -> Effects:
            self._orders[wish_id] = future
            return order(now, wish_id)

        self._ask(event, future)
        future.result()

    def _post(self, event: Event) -> None:
        self._inbox.put((event, None))

    def _died(self, load: Load, error: WorkerCrashed) -> None:
        self._post(lambda now: self._core.on_death(now, load, error))

    def _abandoned(self, now: float, wish_id: int, asked: Future[Granted]) -> Effects:
        if asked.done() and asked.exception() is None:
            return self._core.on_done(now, wish_id, asked.result().load)
        return self._core.on_cancel(now, wish_id)

    def _own(self) -> None:
        """The writer's loop."""
        while (item := self._next_item()) is not None:
            event, answer = item
            try:
                effects = event(self._clock.monotonic())
            except Exception as error:  # noqa: BLE001  worker loop: the next event must still be served
                logger.opt(exception=True).error("the swap service failed on an event")
                if answer is not None and not answer.done():
                    answer.set_exception(ModelError(f"the swap service failed: {error}"))
                continue
            self._published = snapshot.taken(self._state)
            for effect in effects:
                try:
                    self._perform(effect)
                except Exception:  # noqa: BLE001  worker loop: the other effects are somebody else's
                    logger.opt(exception=True).error("the swap service failed on an effect")
            if self._state.closed and self._core.at_rest:
                self._at_rest.set()
        self._ended.set()
        self._refuse_the_rest()

    def _next_item(self) -> tuple[Event, Answer | None] | None:
        now = self._clock.monotonic()
        wakeup = self._core.next_wakeup(now)
        try:
            return self._inbox.get(timeout=None if wakeup == math.inf else max(0.0, wakeup - now))
        except queue.Empty:
            return self._core.on_tick, None

    def _refuse_the_rest(self) -> None:
        """Whoever asked while the writer ended gets an answer too. Any thread; an item is taken once."""
        while True:
            try:
                item = self._inbox.get_nowait()
            except queue.Empty:
                return
            if item is not None and item[1] is not None:
                item[1].set_exception(SwapCancelled("the model service is closing"))

    def _perform(self, effect: Effect) -> None:
        match effect:
            case Emit(record):
                self._recorder.write(record)
            case StartLoad():
                self._performer.start_load(effect)
            case CancelLoad(load):
                self._performer.cancel_load(load)
            case Drop():
                self._performer.drop(effect)
            case Grant(wish_id, load):
                self._leases.pop(wish_id).set_result(self._performer.granted(load))
            case Deny(wish_id, error):
                self._asked(wish_id).set_exception(error)
            case Done(wish_id):
                self._orders.pop(wish_id).set_result(None)
            case Revoke():
                self._performer.revoke(effect)
            case Accept(wish_id, plan):
                self._accept(wish_id, plan)
            case Settle(wish_id, outcome, error):
                ticket = self._tickets.get(self._ticket_id(wish_id))
                if ticket is not None:  # None: so many came after it that it was forgotten
                    ticket.settle(outcome, error)

    def _asked(self, wish_id: int) -> Answer:
        if wish_id in self._leases:
            return self._leases.pop(wish_id)
        return self._swaps.pop(wish_id) if wish_id in self._swaps else self._orders.pop(wish_id)

    def _accept(self, wish_id: int, plan: SwapPlan) -> None:
        ticket_id = self._ticket_id(wish_id)
        cancel = lambda: self._post(lambda now: self._core.on_cancel(now, wish_id))  # noqa: E731  a value
        self._tickets[ticket_id] = Ticket(ticket_id, plan, cancel)
        while len(self._tickets) > TICKETS_KEPT:
            self._tickets.pop(next(iter(self._tickets)))
        self._swaps.pop(wish_id).set_result(plan)

    def _ticket_id(self, wish_id: int) -> str:
        return f"{self._state.prefix}s{wish_id}"
