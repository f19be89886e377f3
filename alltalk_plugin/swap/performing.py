"""Carrying out what the core decided: loads and unloads in threads of their own, records to journal and
observers."""

from __future__ import annotations

import dataclasses
import queue
import threading
import time
from collections.abc import Callable, Sequence

from loguru import logger

from alltalk_plugin.domain.cancel import CancelSource
from alltalk_plugin.domain.errors import AlltalkError, ModelError, WorkerCrashed
from alltalk_plugin.domain.models import CPU, Device, SwapRecord
from alltalk_plugin.domain.ports import Clock, Journal, LoadedModel, ModelLoader
from alltalk_plugin.settings.schema import SwapSettings
from alltalk_plugin.swap.core import Effects, SwapCore
from alltalk_plugin.swap.effects import Drop, Kind, Load, Revoke, StartLoad
from alltalk_plugin.swap.events import Bell
from alltalk_plugin.swap.lease import Granted

Event = Callable[[float], Effects]
"""What is reported to the core: an event that waits for the time at which it is handled."""


class Recorder:
    """Journals a record, logs it, then tells the observers, in a thread of their own. `write`, `close`: one
    thread."""

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        settings_hash: Callable[[], str],
        observers: Sequence[Callable[[SwapRecord], None]],
        settings: Callable[[], SwapSettings],
    ) -> None:
        self._journal = journal
        self._settings = settings
        self.bell = Bell()
        self._clock = clock
        self._settings_hash = settings_hash
        self._observers = tuple(observers)
        self._told: queue.SimpleQueue[SwapRecord | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._tell, name="swap-observers", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def write(self, record: SwapRecord) -> None:
        record = dataclasses.replace(record, ts=self._clock.time(), settings_hash=self._settings_hash())
        record = self._journal.append(record)
        level = "WARNING" if record.kind in _TROUBLE else "INFO" if record.kind in _NEWS else "DEBUG"
        said = {"model": record.model, "txn": record.txn, "cause": record.cause, "dur_ms": record.dur_ms}
        fields = {name: value for name, value in said.items() if value is not None}
        if record.error is not None:
            fields["error"] = record.error
        logger.log(level, "swap {kind}", kind=str(record.kind), **fields)
        self._told.put(record)

    def close(self) -> None:
        """Returns once the observers have heard everything."""
        self._told.put(None)
        self._thread.join()

    def _tell(self) -> None:
        told = 0
        while (record := self._told.get()) is not None:
            self.bell.ring()
            if told % _PRUNE_EVERY == 0:
                self._prune()
            told += 1
            for observer in self._observers:
                try:
                    observer(record)
                except Exception:  # noqa: BLE001  plugin call: one observer's failure mutes nobody else
                    logger.opt(exception=True).error("a model observer failed", kind=str(record.kind))

    def _prune(self) -> None:
        settings = self._settings()
        days = settings.journal_keep_days
        before_ts = self._clock.time() - days * _DAY_S if days else 0.0
        pruned = self._journal.prune(keep_rows=settings.journal_keep_rows, before_ts=before_ts)
        if pruned:
            logger.info("old journal lines deleted", records=pruned)


_DAY_S = 24 * 3600.0
_PRUNE_EVERY = 1_000
"""Records between two looks at the journal's limits; the first look is at start."""

_NEWS = frozenset({Kind.COMMIT, Kind.VERIFY, Kind.FREED})
_TROUBLE = frozenset({Kind.LEAK, Kind.LOAD_FAILED, Kind.ABORT, Kind.ROLLBACK, Kind.DEGRADED, Kind.FAULT})


RELEASE_POLL_S = 0.01
RELEASE_WAIT_S = 5.0
"""How long a device may take to show that bytes are free again after their process has ended."""

_RELEASED_SHARE = 0.9


class Performer:
    """Loads and unloads for the core and reports back through `post`. `start_load`, `cancel_load`, `drop`,
    `revoke`, `granted`: one thread, the swap owner's."""

    def __init__(
        self,
        core: SwapCore,
        loader: ModelLoader,
        measured_free: Callable[[Device], int | None],
        post: Callable[[Event], None],
        *,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._core = core
        self._loader = loader
        self._measured_free = measured_free
        self._post = post
        self._pause = pause
        self._models: dict[Load, Granted] = {}
        self._cancels: dict[Load, CancelSource] = {}

    def granted(self, load: Load) -> Granted:
        return self._models[load]

    def revoke(self, effect: Revoke) -> None:
        held = self._models.get(effect.load)
        if held is not None:
            (held.revoked.set if effect.revoked else held.revoked.clear)()

    def start_load(self, effect: StartLoad) -> None:
        cancel = self._cancels[effect.load] = CancelSource()
        self._thread("swap-load", lambda: self._load(effect, cancel))

    def cancel_load(self, load: Load) -> None:
        cancel = self._cancels.get(load)
        if cancel is not None:
            self._thread("swap-cancel", cancel.cancel)  # ends a process; may block for a moment

    def drop(self, effect: Drop) -> None:
        held = self._models.pop(effect.load, None)
        self._thread("swap-unload", lambda: self._unload(effect, held.model if held else None))

    def _load(self, effect: StartLoad, cancel: CancelSource) -> None:
        load, core = effect.load, self._core
        model: LoadedModel | None = None

        def died(error: WorkerCrashed) -> None:
            self._post(lambda now: core.on_death(now, load, error))

        try:
            model = self._loader.load(effect.profile, load.key, cancel, died)
            self._post(lambda now: core.on_loaded(now, load))
            model.verify(cancel)
            resident = model.resident_bytes().get(effect.profile.device, 0)
        except Exception as error:  # noqa: BLE001  worker loop: whatever a load raises ends in a report
            self._post(self._failed(load, self._given_back(model, _typed(error, load))))
            return
        self._post(self._verified(load, model, resident))

    def _verified(self, load: Load, model: LoadedModel, resident: int) -> Event:
        def event(now: float) -> Effects:
            self._cancels.pop(load, None)
            self._models[load] = Granted(load, model)
            return self._core.on_verified(now, load, resident)

        return event

    def _failed(self, load: Load, error: AlltalkError) -> Event:
        def event(now: float) -> Effects:
            self._cancels.pop(load, None)
            return self._core.on_failed(now, load, error)

        return event

    def _given_back(self, model: LoadedModel | None, error: AlltalkError) -> AlltalkError:
        """The model that failed its verification leaves before anybody hears of it."""
        if model is not None:
            try:
                model.unload()
            except Exception as second:  # noqa: BLE001  worker loop: the first error is the one to report
                logger.warning(
                    "a failed model could not be released", model=model.key.model, error=str(second)
                )
        return error

    def _unload(self, effect: Drop, model: LoadedModel | None) -> None:
        load = effect.load
        before = self._measured_free(effect.device)
        problem: AlltalkError | None = None
        held_bytes: int | None = None
        try:
            if model is not None:
                held_bytes = model.resident_bytes().get(effect.device)
                model.unload()
        except Exception as error:  # noqa: BLE001  worker loop: whatever an unload raises ends in a report
            problem = _typed(error, load)
        after = self._seen_free(effect.device, before, held_bytes or effect.held_bytes)
        self._post(
            lambda now: self._core.on_unloaded(
                now, load, held_bytes=held_bytes, free_before=before, free_after=after, error=problem
            )
        )

    def _seen_free(self, device: Device, before: int | None, held_bytes: int) -> int | None:
        """The free bytes once those of the model are back. In main memory the end of the process, which
        unloading has waited for, is the proof; a device's driver may need a moment more."""
        after = self._measured_free(device)
        if device == CPU or before is None:
            return after
        for _ in range(round(RELEASE_WAIT_S / RELEASE_POLL_S)):
            if after is None or after - before >= held_bytes * _RELEASED_SHARE:
                break
            self._pause(RELEASE_POLL_S)
            after = self._measured_free(device)
        return after

    def _thread(self, name: str, work: Callable[[], None]) -> None:
        threading.Thread(target=work, name=name, daemon=True).start()


def _typed(error: Exception, load: Load) -> AlltalkError:
    if isinstance(error, AlltalkError):
        return error
    logger.opt(exception=error).error("a model failed in an unforeseen way", model=load.key.model)
    wrapped = ModelError(f"unforeseen: {error}", context={"model": load.key.model})
    wrapped.__cause__ = error
    return wrapped
