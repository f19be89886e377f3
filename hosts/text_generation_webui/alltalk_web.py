"""Our two paths on the host's own web app: audio while it grows, and which players are new.

Same origin as the page, so share links, sub-paths and proxies work. Plain ASGI on the event loop: a reader
in one of the host's forty shared threads would freeze the host once enough people listen.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs

_AUDIO_FILE = re.compile(r"[0-9a-f]{32}\.(?:mp3|wav|flac|opus|ogg)")
_CONNECT_S = 2.0
_HEAD_S = 10.0
_SILENCE_S = 120.0  # between two pieces; a model may have to be loaded first
_READ_BYTES = 64 * 1024
_ASKED_MAX = 32
_POLL_S = 0.1
_SERVED_S = 600.0  # a host that is not up by then will not be

_PASSED_UP = (b"range", b"if-range", b"if-none-match", b"if-modified-since")
_NOT_PASSED_ON = {
    b"connection",
    b"keep-alive",
    b"transfer-encoding",
    b"trailer",
    b"upgrade",
    b"date",
    b"server",
}


def mount_when_served(shared: Any, host: Any, say: Callable[[str, str], None]) -> None:
    """Add our paths once the page that is being built now is served, unless the host is closed before. Does
    not block."""
    interface = shared.gradio["interface"]

    def wait_and_mount() -> None:
        for _ in range(int(_SERVED_S / _POLL_S)):
            # gradio's app belongs to a real server only from here on.
            if getattr(interface, "is_running", False):
                try:
                    mount(interface.app, host)
                except Exception as error:  # noqa: BLE001 - a host with another web app: files still play
                    say("warning", f"alltalk-plugin: audio does not play while it grows here ({error!r})")
                return
            if host.closed.wait(_POLL_S):
                return

    threading.Thread(target=wait_and_mount, name="alltalk-mount", daemon=True).start()


def mount(app: Any, host: Any) -> None:
    """Our paths, in front of the app's own, which may catch all; twice is as good as once."""
    from starlette.routing import Route

    ours: dict[str, Any] = {
        "/alltalk_plugin/audio/{name}": LiveAudio(lambda: host.link.current),
        "/alltalk_plugin/state": PageState(host),
    }
    routes = app.router.routes
    routes[:] = [route for route in routes if getattr(route, "path", None) not in ours]
    for path, endpoint in ours.items():
        routes.insert(0, Route(path, endpoint))


class PageState:
    """GET ?ask=FILE&ask=FILE: which of these players are new. Tells nobody a name they do not know."""

    def __init__(self, host: Any) -> None:
        self._host = host

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:
        if scope["method"] != "GET":
            await _answer(send, 405, b"")
            return
        asked = parse_qs(scope["query_string"].decode("latin-1")).get("ask", [])[:_ASKED_MAX]
        found = {"autoplay": bool(self._host.autoplay), "new": self._host.claim(asked)}
        headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
        await _answer(send, 200, json.dumps(found).encode("ascii"), headers)


class LiveAudio:
    """GET of one audio stream of the service, passed on as it comes, with its status and headers."""

    def __init__(self, service: Callable[[], Any]) -> None:
        self._service = service

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        name = scope["path_params"]["name"]
        service = self._service()
        if scope["method"] != "GET":
            await _answer(send, 405, b"")
        elif not _AUDIO_FILE.fullmatch(name):
            await _answer(send, 404, b"")
        elif service is None:
            await _answer(send, 503, b"")
        else:
            await _pass_on(service.address, name.partition(".")[0], scope, receive, send)


async def _pass_on(address: Any, audio_id: str, scope: Any, receive: Any, send: Any) -> None:
    writer = None
    try:
        opening = asyncio.open_connection(address.host, address.port)
        reader, writer = await asyncio.wait_for(opening, _CONNECT_S)
        writer.write(_request(address, audio_id, scope))
        await writer.drain()
        status, headers = _head(await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _HEAD_S))
    except (OSError, EOFError, ValueError, asyncio.TimeoutError, asyncio.LimitOverrunError):
        if writer is not None:
            writer.close()
        await _answer(send, 502, b"")
        return
    pump = asyncio.ensure_future(_pump(_body(reader, headers), status, headers, send))
    gone = asyncio.ensure_future(_until_gone(receive))
    try:
        await asyncio.wait((pump, gone), return_when=asyncio.FIRST_COMPLETED)
    finally:
        writer.close()
        for task in (pump, gone):
            task.cancel()
        for task in (pump, gone):
            with suppress(asyncio.CancelledError, Exception):
                await task


async def _pump(body: AsyncIterator[bytes], status: int, headers: dict[bytes, bytes], send: Any) -> None:
    passed = [(name, value) for name, value in headers.items() if name not in _NOT_PASSED_ON]
    await send({"type": "http.response.start", "status": status, "headers": passed})
    try:
        async for piece in body:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    except (OSError, EOFError, ValueError, asyncio.TimeoutError):
        if b"content-length" in headers:
            raise  # promised more: the server of the host breaks it off too
        # The service died while it spoke. What came is played; an error here fills the host's log.
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _until_gone(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _request(address: Any, audio_id: str, scope: Any) -> bytes:
    lines = [
        f"GET /api/v1/audio/{audio_id} HTTP/1.1".encode("ascii"),
        f"Host: {address.host}:{address.port}".encode("ascii"),
        f"Authorization: Bearer {address.token}".encode("ascii"),
        b"Connection: close",
    ]
    lines += [name + b": " + value for name, value in scope["headers"] if name in _PASSED_UP]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def _head(raw: bytes) -> tuple[int, dict[bytes, bytes]]:
    first, *rest = raw[:-4].split(b"\r\n")
    pairs = (line.partition(b":") for line in rest)
    return int(first.split(b" ", 2)[1]), {name.strip().lower(): value.strip() for name, _, value in pairs}


async def _body(reader: Any, headers: dict[bytes, bytes]) -> AsyncIterator[bytes]:
    """Raises: OSError, EOFError, ValueError, asyncio.TimeoutError when the stream breaks off."""

    async def read(length: int) -> bytes:
        piece: bytes = await asyncio.wait_for(reader.read(min(length, _READ_BYTES)), _SILENCE_S)
        if not piece:
            raise EOFError("the service went away in the middle of its answer")
        return piece

    async def exactly(length: int) -> AsyncIterator[bytes]:
        while length > 0:
            piece = await read(length)
            length -= len(piece)
            yield piece

    if headers.get(b"transfer-encoding", b"").lower() == b"chunked":
        while True:
            line = await asyncio.wait_for(reader.readline(), _SILENCE_S)
            length = int(line.split(b";")[0], 16)
            if length == 0:
                return
            async for piece in exactly(length):
                yield piece
            await asyncio.wait_for(reader.readexactly(2), _SILENCE_S)
    async for piece in exactly(int(headers.get(b"content-length", b"0"))):
        yield piece


async def _answer(send: Any, status: int, body: bytes, headers: Any = ()) -> None:
    length = (b"content-length", str(len(body)).encode("ascii"))
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})
