"""Holding a model: from the caller's side of the swap service."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from types import TracebackType

from alltalk_plugin.domain.audio import AudioChunk
from alltalk_plugin.domain.engines import SynthesisRequest
from alltalk_plugin.domain.errors import AlltalkError, Superseded, WorkerCrashed
from alltalk_plugin.domain.models import ModelKey
from alltalk_plugin.domain.ports import CancelToken, LoadedModel
from alltalk_plugin.swap.effects import Load


@dataclass(frozen=True, slots=True)
class Granted:
    """What a request that is granted gets. `revoked` is set while a forced switch wants the model gone."""

    load: Load
    model: LoadedModel
    revoked: threading.Event = field(default_factory=threading.Event)


class Lease:
    """Satisfies `ModelLease`. One thread."""

    __slots__ = ("_died", "_granted")

    def __init__(self, granted: Granted, died: Callable[[Load, WorkerCrashed], None]) -> None:
        self._granted = granted
        self._died = died

    @property
    def key(self) -> ModelKey:
        return self._granted.load.key

    @property
    def substitute_reason(self) -> str | None:
        return None

    def synthesize(self, request: SynthesisRequest, cancel: CancelToken) -> Iterator[AudioChunk]:
        """As `LoadedModel.synthesize`. A WorkerCrashed is reported to the pool by the lease itself.

        Raises: Superseded before the next text once somebody has forced a switch.
        """
        if self._granted.revoked.is_set():
            model = self.key.model
            raise Superseded(f"a forced switch takes {model} away", context={"model": model})
        try:
            yield from self._granted.model.synthesize(request, cancel)
        except WorkerCrashed as error:
            self._died(self._granted.load, error)
            raise


class LeaseEntry:
    """Waits for the model on entering and gives it back on leaving. One thread, used once."""

    __slots__ = ("_abandon", "_ask", "_cancel", "_died", "_give_back", "_granted", "_withdraw")

    def __init__(
        self,
        ask: Callable[[], Future[Granted]],
        cancel: CancelToken,
        *,
        withdraw: Callable[[Future[Granted]], None],
        abandon: Callable[[Future[Granted]], None],
        give_back: Callable[[Load], None],
        died: Callable[[Load, WorkerCrashed], None],
    ) -> None:
        self._ask = ask
        self._cancel = cancel
        self._withdraw = withdraw
        self._abandon = abandon
        self._give_back = give_back
        self._died = died
        self._granted: Granted | None = None

    def __enter__(self) -> Lease:
        self._cancel.raise_if_cancelled()
        future = self._ask()
        forget = self._cancel.on_cancel(lambda: self._withdraw(future))
        try:
            self._granted = future.result()
        except AlltalkError:
            raise
        except BaseException:
            self._abandon(future)  # an interrupt: nobody else would end the request or close the lease
            raise
        finally:
            forget()
        return Lease(self._granted, self._died)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._granted is not None:
            self._give_back(self._granted.load)
            self._granted = None
