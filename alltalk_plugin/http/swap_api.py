"""The managed swap service over HTTP: models, swaps, rollback, pins, journal, events."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query
from starlette.responses import Response

from alltalk_plugin.domain.errors import SwapUnknown
from alltalk_plugin.domain.models import ModelRef
from alltalk_plugin.domain.ports import SwapTicket
from alltalk_plugin.http.model_events import ModelEvents
from alltalk_plugin.http.rim import Rim
from alltalk_plugin.http.views import JournalView, ModelsView, ModelView, RecordView, SwapView
from alltalk_plugin.http.wire import PinRequest, RollbackRequest, SwapRequest


def swap_routes(rim: Rim) -> APIRouter:
    routes = APIRouter(prefix="/api/v1", tags=["models"])
    pool = rim.runtime.models

    def ticket(swap_id: str) -> SwapTicket:
        found = pool.ticket(swap_id)
        if found is None:
            raise SwapUnknown("there is no swap of that id", context={"swap": swap_id})
        return found

    def view(model: ModelRef) -> ModelView:
        status = next(status for status in pool.snapshot() if status.ref == model)
        return ModelView.of(status, now_mono=rim.clock.monotonic())

    @routes.get("/models")
    async def models() -> ModelsView:
        """Every model with its state, in the order of the settings."""
        now_mono = rim.clock.monotonic()
        return ModelsView(models=[ModelView.of(status, now_mono=now_mono) for status in pool.snapshot()])

    @routes.post("/models/{model}/pin")
    async def pin(model: ModelRef, asked: PinRequest) -> ModelView:
        """Keep a model from being evicted, or no longer."""
        await rim.threads.run(pool.pin, model, pinned=asked.pinned)
        return view(model)

    @routes.post("/models/{model}/unload")
    async def unload(model: ModelRef) -> ModelView:
        """Let a model go as soon as nobody speaks with it; the answer says how it stands now."""
        await rim.threads.run(pool.unload, model)
        return view(model)

    @routes.post("/swaps", status_code=202)
    async def swap(asked: SwapRequest) -> SwapView:
        """Make a model the loaded one; the outcome follows under the swap's id."""
        return SwapView.of(
            await rim.threads.run(
                pool.swap,
                asked.target,
                mode=asked.mode,
                force=asked.force,
                dry_run=asked.dry_run,
                cause=asked.cause,
            )
        )

    @routes.get("/swaps/{swap_id}")
    async def swap_state(swap_id: str) -> SwapView:
        return SwapView.of(await rim.threads.run(ticket, swap_id))

    @routes.post("/swaps/{swap_id}/cancel")
    async def cancel(swap_id: str) -> SwapView:
        """Give the swap up if it can still be; the answer says how it stands now."""
        found = await rim.threads.run(ticket, swap_id)
        await rim.threads.run(found.cancel)
        return SwapView.of(found)

    @routes.post("/rollback", status_code=202)
    async def rollback(asked: RollbackRequest) -> SwapView:
        return SwapView.of(await rim.threads.run(pool.rollback, asked.to))

    @routes.get("/journal")
    async def journal(
        since: Annotated[int, Query(ge=0)] = 0, limit: Annotated[int, Query(ge=1, le=10_000)] = 1_000
    ) -> JournalView:
        """What happened to models after record `since`, oldest first."""
        records = await rim.threads.run(rim.runtime.journal.since, since, limit)
        return JournalView(
            records=[RecordView.model_validate(record) for record in records],
            last_seq=records[-1].seq if records else since,
        )

    @routes.get("/events", response_class=Response)
    async def events(
        since: Annotated[int | None, Query(ge=0)] = None,
        last_event_id: Annotated[int | None, Header(ge=0)] = None,
    ) -> Response:
        """The journal as server-sent events, as it grows; `Last-Event-ID` is the number of the last record
        that was seen, without it the stream begins now."""
        seen = last_event_id if last_event_id is not None else since
        journal = rim.runtime.journal
        return ModelEvents(journal, pool.on_event, rim.threads, journal.last_seq if seen is None else seen)

    return routes
