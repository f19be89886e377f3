"""A pool that loads on demand from a loader, with no budget and no waiting."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager

from alltalk_plugin.domain.audio import AudioChunk
from alltalk_plugin.domain.engines import SynthesisRequest
from alltalk_plugin.domain.errors import AlltalkError, ModelError
from alltalk_plugin.domain.models import (
    LeaseRequest,
    ModelKey,
    ModelProfile,
    ModelRef,
    ModelStatus,
    SwapMode,
    SwapOutcome,
    SwapPlan,
)
from alltalk_plugin.domain.ports import CancelToken, LoadedModel, ModelLease, ModelLoader


class FakeLease:
    """Satisfies `ModelLease`."""

    substitute_reason: str | None = None

    def __init__(self, model: LoadedModel) -> None:
        self._model = model

    @property
    def key(self) -> ModelKey:
        return self._model.key

    def synthesize(self, request: SynthesisRequest, cancel: CancelToken) -> Iterator[AudioChunk]:
        return self._model.synthesize(request, cancel)


class FakeTicket:
    """Satisfies `SwapTicket`; ended from the start."""

    def __init__(self, plan: SwapPlan, error: AlltalkError | None) -> None:
        self.id = f"swap-{plan.target}"
        self.plan = plan
        self.error = error
        self.outcome: SwapOutcome | None = SwapOutcome.ABORTED if error else SwapOutcome.COMMITTED

    def wait(self, timeout_s: float | None = None) -> SwapOutcome:
        assert self.outcome is not None
        return self.outcome

    def cancel(self) -> None:
        """Too late always."""


class FakePool:
    """Satisfies `ModelPool`. Thread-safe. `errors` are raised for leases of those models; `apart` are pairs
    that do not fit together; `leased` lists the models in the order of their leases."""

    def __init__(self, loader: ModelLoader, *, apart: Sequence[frozenset[str]] = ()) -> None:
        self._loader = loader
        self._lock = threading.Lock()
        self._models: dict[ModelRef, LoadedModel] = {}
        self._apart = tuple(apart)
        self.errors: dict[str, ModelError] = {}
        self.leased: list[ModelRef] = []
        self.requests: list[LeaseRequest] = []
        self.open_leases = 0
        self.pins: dict[ModelRef, bool] = {}
        self.tickets: dict[str, FakeTicket] = {}

    def lease(self, request: LeaseRequest, cancel: CancelToken) -> AbstractContextManager[ModelLease]:
        return self._lease(request, cancel)

    @contextmanager
    def _lease(self, request: LeaseRequest, cancel: CancelToken) -> Iterator[ModelLease]:
        cancel.raise_if_cancelled()
        with self._lock:
            self.requests.append(request)
            if request.model in self.errors:
                raise self.errors[request.model]
            model = self._models.get(request.model)
            if model is None or not model.alive:
                model = self._models[request.model] = self._load(request.model, cancel)
            self.leased.append(request.model)
            self.open_leases += 1
        try:
            yield FakeLease(model)
        finally:
            with self._lock:
                self.open_leases -= 1

    def _load(self, ref: ModelRef, cancel: CancelToken) -> LoadedModel:
        profile = ModelProfile(ref=ref, engine="fake")
        key = ModelKey("fake", ref, "r1")
        return self._loader.load(profile, key, cancel, lambda death: None)

    def fit_together(self, models: Sequence[ModelRef]) -> bool:
        return not any(pair <= set(models) for pair in self._apart)

    def swap(
        self,
        target: ModelRef,
        *,
        mode: SwapMode = SwapMode.AUTO,
        force: bool = False,
        dry_run: bool = False,
        cause: str = "api",
    ) -> FakeTicket:
        plan = SwapPlan(
            target=target, mode=mode, victims=(), need_bytes=0, free_bytes=0, budget_bytes=0, eta_s=None
        )
        ticket = self.tickets[f"swap-{target}"] = FakeTicket(plan, self.errors.get(target))
        return ticket

    def rollback(self, to: ModelRef | None = None) -> FakeTicket:
        return self.swap(to or ModelRef("before"), cause="rollback")

    def ticket(self, swap_id: str) -> FakeTicket | None:
        return self.tickets.get(swap_id)

    def pin(self, model: ModelRef, *, pinned: bool = True) -> None:
        self.pins[model] = pinned

    def unload(self, model: ModelRef) -> None:
        with self._lock:
            self._models.pop(model).unload()

    def on_event(self, callback: Callable[[], None]) -> Callable[[], None]:
        return lambda: None

    def snapshot(self) -> tuple[ModelStatus, ...]:
        return ()

    @property
    def loaded(self) -> Mapping[ModelRef, LoadedModel]:
        return dict(self._models)
