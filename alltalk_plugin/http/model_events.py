"""The journal as server-sent events: one coroutine per listener, no thread."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from alltalk_plugin.domain.models import SwapRecord
from alltalk_plugin.domain.ports import Journal
from alltalk_plugin.http.threads import Threads
from alltalk_plugin.http.views import RecordView
from alltalk_plugin.http.waiting import ClientGone, while_there

KEEP_ALIVE_S = 15.0
"""Proxies and browsers take a silent connection for dead after half a minute or more."""

_AT_ONCE = 500
"""Records read in one go."""

_STILL_HERE = b": still here\n\n"


class ModelEvents(Response):
    """Records after `seen`, each once and in order, until the listener goes.

    What is sent is read from the journal; the bell only says that there is something to read, so that a
    slow listener misses nothing and holds up nobody.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        journal: Journal,
        on_event: Callable[[Callable[[], None]], Callable[[], None]],
        threads: Threads,
        seen: int,
    ) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._journal = journal
        self._on_event = on_event
        self._threads = threads
        self._seen = seen

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        loop, grown = asyncio.get_running_loop(), asyncio.Event()

        def ring() -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended, and with it this listener
                loop.call_soon_threadsafe(grown.set)

        forget = self._on_event(ring)
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await while_there(receive, self._tell(send, grown))
        except ClientGone:
            pass
        finally:
            forget()

    async def _tell(self, send: Send, grown: asyncio.Event) -> None:
        while True:
            grown.clear()
            records = await self._threads.run(self._journal.since, self._seen, _AT_ONCE)
            for record in records:
                self._seen = record.seq
                await send(_part(_event(record)))
            if not records:
                await self._wait(send, grown)

    async def _wait(self, send: Send, grown: asyncio.Event) -> None:
        try:
            await asyncio.wait_for(grown.wait(), KEEP_ALIVE_S)
        except TimeoutError:
            await send(_part(_STILL_HERE))


def _part(body: bytes) -> dict[str, object]:
    return {"type": "http.response.body", "body": body, "more_body": True}


def _event(record: SwapRecord) -> bytes:
    told = RecordView.model_validate(record).model_dump_json()
    return f"id: {record.seq}\nevent: {record.kind}\ndata: {told}\n\n".encode()
