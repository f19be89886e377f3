from __future__ import annotations

import asyncio
import json
from collections.abc import MutableMapping
from typing import Any

import pytest
from fastapi import FastAPI

from alltalk_plugin.domain.models import SwapRecord
from alltalk_plugin.http import model_events
from alltalk_plugin.http.app import create_app
from tests.fakes.runtime import FakeRuntime
from tests.http.clients import TOKEN, WITH_TOKEN, AppClient

WAIT_S = 10.0


class Listener:
    """One client of the stream, on the loop of the test."""

    def __init__(self, app: FastAPI, query: str = "", *, last_event_id: str | None = None) -> None:
        headers = {"host": "127.0.0.1", **{name.lower(): value for name, value in WITH_TOKEN.items()}}
        if last_event_id is not None:
            headers["last-event-id"] = last_event_id
        self._scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": "/api/v1/events",
            "raw_path": b"/api/v1/events",
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 7851),
        }
        self._gone = asyncio.Event()
        self._heard: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self._first = True
        self._task = asyncio.ensure_future(app(self._scope, self._receive, self._heard.put))

    async def _receive(self) -> MutableMapping[str, Any]:
        if self._first:
            self._first = False
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def next(self) -> MutableMapping[str, Any]:
        return await asyncio.wait_for(self._heard.get(), WAIT_S)

    async def leave(self) -> None:
        self._gone.set()
        await asyncio.wait_for(self._task, WAIT_S)


def ids(*parts: MutableMapping[str, Any]) -> list[int]:
    return [int(part["body"].split(b"\n")[0].removeprefix(b"id: ")) for part in parts]


def grow(runtime: FakeRuntime) -> None:
    seq = runtime.journal.last_seq + 1
    runtime.journal.append(SwapRecord(seq=seq, ts=1.0, mono=1.0, txn="t", kind="commit"))
    runtime.models.bell.ring()


def app_of(runtime: FakeRuntime) -> FastAPI:
    return create_app(runtime, token=TOKEN)


@pytest.mark.parametrize(
    ("query", "last_event_id", "expected"), [("", "1", [2, 3]), ("since=2", None, [3]), ("since=0", "2", [3])]
)
def test_events_begin_after_what_was_seen(
    runtime: FakeRuntime, query: str, last_event_id: str | None, expected: list[int]
) -> None:
    async def listen() -> list[int]:
        listener = Listener(app_of(runtime), query, last_event_id=last_event_id)
        start = await listener.next()
        assert (b"content-type", b"text/event-stream; charset=utf-8") in start["headers"]
        parts = [await listener.next() for _ in expected]
        await listener.leave()
        return ids(*parts)

    assert asyncio.run(listen()) == expected


def test_events_without_a_beginning_start_now_and_follow(runtime: FakeRuntime) -> None:
    async def listen() -> MutableMapping[str, Any]:
        listener = Listener(app_of(runtime))
        await listener.next()
        grow(runtime)
        part = await listener.next()
        await listener.leave()
        return part

    number, kind, told, *_ = asyncio.run(listen())["body"].decode().split("\n")
    assert (number, kind) == ("id: 4", "event: commit")
    assert json.loads(told.removeprefix("data: "))["seq"] == 4


def test_events_of_many_listeners_all_arrive_and_leave_nothing_behind(runtime: FakeRuntime) -> None:
    async def listen() -> list[list[int]]:
        app = app_of(runtime)
        listeners = [Listener(app) for _ in range(50)]
        for listener in listeners:
            await listener.next()
        for _ in range(3):
            grow(runtime)
        heard = [ids(*[await listener.next() for _ in range(3)]) for listener in listeners]
        for listener in listeners:
            await listener.leave()
        return heard

    assert asyncio.run(listen()) == [[4, 5, 6]] * 50
    assert not runtime.models.bell._listeners


def test_silent_stream_says_that_it_is_there(runtime: FakeRuntime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_events, "KEEP_ALIVE_S", 0.01)

    async def listen() -> object:
        listener = Listener(app_of(runtime))
        await listener.next()
        part = await listener.next()
        await listener.leave()
        return part["body"]

    assert asyncio.run(listen()) == b": still here\n\n"


def test_events_need_the_token_like_the_journal(runtime: FakeRuntime) -> None:
    stranger = AppClient(runtime, with_token=False)
    assert stranger.get("/api/v1/events").status_code == 401
    stranger.close()
