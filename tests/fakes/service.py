"""A service as the bridge sees it, and the address it writes."""

from __future__ import annotations

import http.server
import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alltalk_plugin import bridge

TOKEN = "t" * 22

Answer = Callable[["StandIn", str], None]


class StandIn(http.server.BaseHTTPRequestHandler):
    """A service as the bridge sees it; `server.answer` says what comes after /health."""

    protocol_version = "HTTP/1.1"
    server: StandInServer

    def do_GET(self) -> None:
        self.server.asked.append((self.command, self.path, self.headers.get("Authorization")))
        if self.path == "/health":
            self.say({"pid": self.server.pid})
        else:
            self.server.answer(self, self.path)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def say(self, body: object, status: int = 200) -> None:
        payload = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, format: str, *args: Any) -> None: ...  # noqa: A002 - the base class's name


class StandInServer(http.server.ThreadingHTTPServer):
    """`pid` is who it says it is."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), StandIn)
        self.pid = os.getpid()
        self.asked: list[tuple[str, str, str | None]] = []
        self.answer: Answer = lambda handler, path: handler.say({"path": path})


@contextmanager
def stand_in(home: Path, token: str = TOKEN) -> Iterator[StandInServer]:
    server = StandInServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    write_address(home, port=server.server_port, token=token)
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def write_address(home: Path, **changes: object) -> None:
    address = {"host": "127.0.0.1", "port": 9, "token": TOKEN, "version": "1", "pid": os.getpid()}
    path = home / bridge.ADDRESS_FILE
    path.write_text(json.dumps({**address, "started_at": 1.5, **changes}))


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
