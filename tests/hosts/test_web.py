"""Our two paths on the host's web app, called as its server calls them."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from alltalk_plugin.cli.demo.host import HostDouble
from tests.hosts.fake_service import TOKEN, Audio, FakeService

NAME = "a" * 32 + ".mp3"


@dataclass
class Browser:
    """One request to an ASGI app, piece by piece; `leave` is the listener going away."""

    app: Any
    path: str
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)

    async def begin(self) -> None:
        self._gone = asyncio.Event()
        self._sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        path, _, query = self.path.partition("?")
        scope = {
            "type": "http",
            "method": self.method,
            "path": path,
            "query_string": query.encode("ascii"),
            "headers": [(name.encode(), value.encode()) for name, value in self.headers.items()],
            "root_path": "",
        }
        self.task = asyncio.ensure_future(self.app(scope, self._receive, self._sent.put))
        first = await self._next()
        self.status = first["status"]
        self.got = {name.decode(): value.decode() for name, value in first["headers"]}

    async def piece(self) -> bytes:
        """The next bytes; empty at the end."""
        found = await self._next()
        return bytes(found.get("body", b""))

    async def whole(self) -> bytes:
        return b"".join([piece async for piece in self._pieces()])

    async def leave(self) -> None:
        self._gone.set()
        await asyncio.wait_for(self.task, 10)

    async def _pieces(self) -> Any:
        while True:
            found = await self._next()
            yield found.get("body", b"")
            if not found.get("more_body"):
                return

    async def _next(self) -> dict[str, Any]:
        return await asyncio.wait_for(self._sent.get(), 10)

    async def _receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}


@pytest.fixture
def app(connected: HostDouble) -> Starlette:
    async def everything(_request: Any) -> PlainTextResponse:
        return PlainTextResponse("the host's own")

    found = Starlette(routes=[Route("/{rest:path}", everything)])
    web = sys.modules["alltalk_web"]
    for _ in range(2):
        web.mount(found, sys.modules["alltalk_host"].host())
    return found


def get(app: Any, path: str, **options: Any) -> tuple[int, dict[str, str], bytes]:
    async def ask() -> tuple[int, dict[str, str], bytes]:
        browser = Browser(app, path, **options)
        await browser.begin()
        body = await browser.whole()
        await asyncio.wait_for(browser.task, 10)
        return browser.status, browser.got, body

    return asyncio.run(ask())


def test_mount_when_done_twice_adds_each_path_once_and_in_front(app: Starlette) -> None:
    paths = [getattr(route, "path", None) for route in app.router.routes]
    assert sorted(str(path) for path in paths[:2]) == [
        "/alltalk_plugin/audio/{name}",
        "/alltalk_plugin/state",
    ]
    assert paths[2:] == ["/{rest:path}"]
    assert get(app, "/other")[2] == b"the host's own"


def test_mount_when_the_page_is_served_later_waits_for_it(connected: HostDouble) -> None:
    mounted = threading.Event()

    class Routes(list[Any]):
        def insert(self, *values: Any) -> None:
            super().insert(*values)
            mounted.set()

    page = connected.shared.gradio["interface"]
    assert not mounted.wait(0.3)
    page.app = SimpleNamespace(router=SimpleNamespace(routes=Routes()))
    page.is_running = True
    assert mounted.wait(5)


def test_mount_when_the_host_is_closed_before_is_given_up(connected: HostDouble) -> None:
    waiting = [thread for thread in threading.enumerate() if thread.name == "alltalk-mount"]
    assert waiting
    sys.modules["alltalk_host"].close()
    for thread in waiting:
        thread.join(5)
    assert not any(thread.is_alive() for thread in waiting)


def test_audio_when_complete_comes_with_status_headers_and_range(
    app: Starlette, service: FakeService
) -> None:
    service.audio["a" * 32] = Audio(b"0123456789")
    status, headers, body = get(app, f"/alltalk_plugin/audio/{NAME}")
    assert (status, headers["content-type"], headers["content-length"]) == (200, "audio/mpeg", "10")
    assert body == b"0123456789"
    status, headers, body = get(app, f"/alltalk_plugin/audio/{NAME}", headers={"range": "bytes=2-4"})
    assert (status, headers["content-range"], body) == (206, "bytes 2-4/10", b"234")
    assert TOKEN not in str(headers)


def test_audio_when_growing_comes_as_it_grows(app: Starlette, service: FakeService) -> None:
    audio = service.audio["a" * 32] = Audio(b"one", complete=False)

    async def listen() -> list[bytes]:
        browser = Browser(app, f"/alltalk_plugin/audio/{NAME}")
        await browser.begin()
        assert "content-length" not in browser.got
        heard = [await browser.piece()]
        audio.grow(b"two")
        heard.append(await browser.piece())
        audio.grow(b"three", complete=True)
        heard.append(await browser.whole())
        return heard

    assert asyncio.run(listen()) == [b"one", b"two", b"three"]


def test_audio_when_the_listener_goes_closes_the_way_to_the_service(
    app: Starlette, service: FakeService
) -> None:
    audio = service.audio["a" * 32] = Audio(b"one", complete=False)

    async def leave() -> None:
        browser = Browser(app, f"/alltalk_plugin/audio/{NAME}")
        await browser.begin()
        await browser.piece()
        await browser.leave()

    asyncio.run(leave())
    for _ in range(100):  # the first writes after the close may still be taken by the system
        audio.grow(b"x" * 1000)
        with audio.changed:
            if audio.changed.wait_for(lambda: audio.readers == 0, 0.1):
                return
    pytest.fail("the service still sends")


def test_audio_when_the_service_dies_in_it_ends_where_it_is(app: Starlette, service: FakeService) -> None:
    service.audio["a" * 32] = audio = Audio(b"one", complete=False)

    async def listen() -> bytes:
        browser = Browser(app, f"/alltalk_plugin/audio/{NAME}")
        await browser.begin()
        first = await browser.piece()
        audio.break_off()
        rest = await browser.whole()
        await asyncio.wait_for(browser.task, 10)
        return first + rest

    assert asyncio.run(listen()) == b"one"


@pytest.mark.parametrize(
    "name",
    [
        "x.mp3",
        "A" * 32 + ".mp3",
        "a" * 31 + ".mp3",
        "a" * 32 + ".exe",
        "a" * 32,
        "a" * 32 + ".mp3%0d%0ax",
        "..%2fx",
    ],
)
def test_audio_when_the_name_is_not_ours_is_404_without_asking(
    app: Starlette, service: FakeService, name: str
) -> None:
    before = len(service.requests)
    assert get(app, f"/alltalk_plugin/audio/{name}")[0] == 404
    assert len(service.requests) == before


@pytest.mark.parametrize("method", ["POST", "HEAD", "DELETE"])
@pytest.mark.parametrize("path", [f"audio/{NAME}", "state"])
def test_paths_when_not_asked_by_get_refuse(app: Starlette, path: str, method: str) -> None:
    assert get(app, f"/alltalk_plugin/{path}", method=method)[0] == 405


def test_audio_when_unknown_or_without_a_service_says_so(app: Starlette, service: FakeService) -> None:
    status, headers, body = get(app, f"/alltalk_plugin/audio/{NAME}")
    assert (status, headers["content-type"]) == (404, "application/json")
    assert json.loads(body)["code"] == "audio_not_found"
    service.die()
    assert get(app, f"/alltalk_plugin/audio/{NAME}")[0] == 502
    host = sys.modules["alltalk_host"].host()
    host.link.drop(host.link.current)
    assert get(app, f"/alltalk_plugin/audio/{NAME}")[0] == 503


def test_state_when_asked_names_what_is_new_once_and_nothing_unasked(
    app: Starlette, connected: HostDouble, service: FakeService
) -> None:
    connected.send(connected.new_chat(), "Hi", "Yes.")
    new = f"{next(iter(service.audio))}.mp3"

    def ask(query: str) -> Any:
        return json.loads(get(app, f"/alltalk_plugin/state{query}")[2])

    assert ask("") == {"autoplay": True, "new": []}
    assert ask(f"?ask={NAME}&ask={new}") == {"autoplay": True, "new": [new]}
    assert ask(f"?ask={new}") == {"autoplay": True, "new": []}
