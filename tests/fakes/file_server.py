"""A server of self-made files with every fault that a real one may have."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote


@dataclass
class Served:
    """One file. `cut_after`: how many bytes of a body come before the connection breaks, answer by answer.

    `says_bytes`: a length that is not its own. `chunked`: no length at all. `goes_on_wrongly`: a range that
    begins elsewhere. `gate`: the body waits for it.
    """

    content: bytes = b""
    status: int = 200
    location: str | None = None
    etag: str | None = '"v1"'
    ranges: bool = True
    head: bool = True
    cut_after: list[int] = field(default_factory=list)
    says_bytes: int | None = None
    chunked: bool = False
    goes_on_wrongly: bool = False
    reached: threading.Event | None = None
    gate: threading.Event | None = None


class FileServer(http.server.ThreadingHTTPServer):
    """`files` by path; `asked` is (method, path, Range) of each request."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, Served] = {}
        self.asked: list[tuple[str, str, str | None]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def put(self, path: str, content: bytes, **faults: Any) -> str:
        """Serve `content`; gives its address."""
        self.files[path] = Served(content, **faults)
        return self.url + path

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is what some tests are about."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FileServer

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.server.asked.append((self.command, self.path, wanted))
        served = self.server.files.get(unquote(self.path.partition("?")[0]))
        if served is None or (self.command == "HEAD" and not served.head):
            self._say(404 if served is None else 405, 0, {})
            return
        if served.location is not None:
            self._say(302, 0, {"Location": served.location})
            return
        start = self._start(served, wanted)
        if start is not None and start >= len(served.content):
            self._say(416, 0, {"Content-Range": f"bytes */{len(served.content)}"})
            return
        body = served.content[start or 0 :]
        headers = {"ETag": served.etag} if served.etag else {}
        if start is not None:
            shown = 0 if served.goes_on_wrongly else start
            headers["Content-Range"] = f"bytes {shown}-{len(served.content) - 1}/{len(served.content)}"
        self._say(served.status if start is None else 206, len(body), headers, served)
        if self.command == "GET":
            self._send(served, body)

    def _start(self, served: Served, wanted: str | None) -> int | None:
        if wanted is None or not served.ranges:
            return None
        if self.headers.get("If-Range") not in {None, served.etag}:
            return None
        return int(wanted.removeprefix("bytes=").removesuffix("-"))

    def _say(self, status: int, length: int, headers: dict[str, str], served: Served | None = None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if served is not None and served.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            lie = served.says_bytes if served is not None else None
            self.send_header("Content-Length", str(length if lie is None else lie))
        self.end_headers()

    def _send(self, served: Served, body: bytes) -> None:
        if served.cut_after:
            body = body[: served.cut_after.pop(0)]
            self.close_connection = True
        if served.gate is not None:
            assert served.reached is not None
            served.reached.set()
            served.gate.wait(20)
        if served.chunked:
            self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
        else:
            self.wfile.write(body)
        if served.says_bytes is not None:
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None: ...  # noqa: A002 - the base class's name


@contextmanager
def file_server() -> Iterator[FileServer]:
    server = FileServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
