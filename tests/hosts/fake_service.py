"""The service's host API in a thread of this process: fast, and out of order on demand. Stdlib only.

`python fake_service.py HOME` runs one as a process of its own.
"""

from __future__ import annotations

import json
import os
import re
import sys
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "t" * 32
VERSION = "0.0.0"
_API = "/api/v1/hosts/text_generation_webui/"


class Audio:
    """Bytes that may still grow; readers follow them. Thread-safe."""

    def __init__(self, data: bytes = b"", *, complete: bool = True) -> None:
        self.data = data
        self.complete = complete
        self.broken = False
        self.changed = threading.Condition()
        self.readers = 0

    def grow(self, data: bytes, *, complete: bool = False) -> None:
        with self.changed:
            self.data += data
            self.complete = complete
            self.changed.notify_all()

    def finish(self, data: bytes) -> None:
        """The end, with a head that says what a growing stream could not know."""
        with self.changed:
            self.data, self.complete = data, True
            self.changed.notify_all()

    def break_off(self) -> None:
        with self.changed:
            self.broken = True
            self.changed.notify_all()

    def after(self, position: int) -> bytes | None:
        """More than `position` bytes, waited for; empty at the end, None where it breaks off."""
        with self.changed:
            self.changed.wait_for(lambda: len(self.data) > position or self.complete or self.broken, 30)
            return None if self.broken else self.data[position:]


@dataclass
class FakeService:
    """A service; `problem` makes output fail, `gate` holds it up, `wrong_token` refuses everybody."""

    home: Path
    new_audio: Callable[[], Audio | None] = lambda: Audio(b"ID3 audio")
    ending: str = "mp3"
    problem: tuple[int, str] | None = None
    wrong_token: bool = False
    gate: threading.Event | None = None
    answer: dict[str, Any] | None = None
    missing: list[str] = field(default_factory=list)
    panel: dict[str, Any] = field(
        default_factory=lambda: {
            "fields": [
                {"key": "activate", "label": "Speak", "kind": "bool", "help": "", "value": True},
                {
                    "key": "voice",
                    "label": "Voice",
                    "kind": "str",
                    "choices": ["default", "deep"],
                    "value": "default",
                },
                {"key": "rate", "label": "Rate", "kind": "float", "value": 1.0},
            ],
            "status": {"model": "espeak", "last_error": None, "service": "running"},
            "autoplay": True,
            "activate": True,
        }
    )

    def __post_init__(self) -> None:
        self.requests: list[tuple[str, str, dict[str, Any]]] = []
        self.heard = threading.Condition()
        self.dead = False
        self.audio: dict[str, Audio] = {}
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.service = self
        self.home.mkdir(parents=True, exist_ok=True)
        self.write_address()
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def write_address(self) -> None:
        address = {
            "host": "127.0.0.1",
            "port": self.port,
            "token": TOKEN,
            "version": VERSION,
            "pid": os.getpid(),
            "started_at": time.time(),
        }
        (self.home / "address.json").write_text(json.dumps(address), encoding="utf-8")

    def die(self) -> None:
        """Gone in the middle of whatever it did; its address file stays. Idempotent."""
        self.dead = True
        if self.gate is not None:
            self.gate.set()
        for audio in self.audio.values():
            audio.break_off()
        self._server.shutdown()
        self._server.server_close()

    def asked(self, path: str) -> list[dict[str, Any]]:
        """The bodies of the requests whose path ends so."""
        with self.heard:
            return [body for _, asked, body in self.requests if asked.endswith(path)]

    def wait_for(self, path: str, count: int = 1) -> list[dict[str, Any]]:
        """The same, once there are `count` of them."""
        with self.heard:
            there = self.heard.wait_for(
                lambda: sum(asked.endswith(path) for _, asked, _ in self.requests) >= count, 10
            )
        assert there, f"{path} was not asked for {count} times: {self.requests}"
        return self.asked(path)

    def respond(self, method: str, path: str, body: dict[str, Any], query: dict[str, Any]) -> tuple[int, Any]:
        """Status and JSON; health is answered to everybody."""
        if path == "/health":
            return 200, {"pid": os.getpid()}
        name = path.removeprefix(_API)
        if name == "output":
            return self._output(body)
        if name == "hello":
            return 200, {"version": VERSION, "missing": self.missing}
        if name == "panel":
            return 200, {**self.panel, "character": query.get("character", [None])[0]}
        if name == "settings":
            for one in self.panel["fields"]:
                given = body["values"].get(one["key"], one["value"])
                if one["kind"] == "entries":
                    words = {**one["value"], **given}
                    given = {word: said for word, said in words.items() if said is not None}
                one["value"] = given
            return 200, self.panel
        if name == "test":
            audio_file = self._begin()
            return 200, {"audio_file": audio_file, "audio_url": "/api/v1/audio/" + audio_file[:32]}
        return 200, {}

    def _output(self, body: dict[str, Any]) -> tuple[int, Any]:
        if self.gate is not None:
            self.gate.wait(30)
        if self.problem is not None:
            status, code = self.problem
            return status, {"code": code, "detail": f"refused on purpose: {code}", "hint": ""}
        if self.answer is not None:
            return 200, self.answer
        if body["is_greeting"]:
            return 200, {"text": body["text"], "audio_id": None, "audio_file": None, "notes": []}
        audio_file = self._begin()
        player = (
            f'<audio class="alltalk-player" data-alltalk="{audio_file}"'
            f' src="{body["media_url"]}/{audio_file}" controls preload="none"></audio>'
        )
        return 200, {
            "text": body["text"] + "\n\n" + player,
            "audio_id": audio_file[:32],
            "audio_file": audio_file,
            "audio_url": "/api/v1/audio/" + audio_file[:32],
            "message_id": body["message_id"],
            "notes": [],
        }

    def _begin(self) -> str:
        audio_id = uuid.uuid4().hex
        audio = self.new_audio()
        if audio is not None:
            self.audio[audio_id] = audio
        return f"{audio_id}.{self.ending}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    service: FakeService

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # clients that go away are part of the tests


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name it has there
        pass

    def do_GET(self) -> None:
        self._handle({})

    def do_POST(self) -> None:
        self._handle(self._body())

    def do_PUT(self) -> None:
        self._handle(self._body())

    def _body(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(
            self.rfile.read(int(self.headers.get("Content-Length", "0"))) or b"{}"
        )
        return found

    def _handle(self, body: dict[str, Any]) -> None:
        service = self.server.service
        self.close_connection = True
        url = urlsplit(self.path)
        with service.heard:
            service.requests.append((self.command, url.path, body))
            service.heard.notify_all()
        denied = service.wrong_token or self.headers.get("Authorization") != f"Bearer {TOKEN}"
        if denied and url.path != "/health":
            self._json(401, {"code": "token_required", "detail": "the token is wrong", "hint": ""})
            return
        heard = re.fullmatch(r"/api/v1/audio/([0-9a-f]{32})", url.path)
        if heard is not None:
            self._stream(service.audio.get(heard[1]))
            return
        answer = service.respond(self.command, url.path, body, parse_qs(url.query))
        if not service.dead:
            self._json(*answer)

    def _json(self, status: int, found: Any) -> None:
        data = json.dumps(found).encode("utf-8")
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, audio: Audio | None) -> None:
        if audio is None:
            self._json(404, {"code": "audio_not_found", "detail": "no such audio", "hint": ""})
            return
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if audio.complete and asked is not None:
            first, last = int(asked[1]), int(asked[2])
            self._whole(206, audio.data[first : last + 1], f"bytes {first}-{last}/{len(audio.data)}")
        elif audio.complete:
            self._whole(200, audio.data, None)
        else:
            self._grow(audio)

    def _whole(self, status: int, data: bytes, content_range: str | None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "audio/mpeg")
        self.send_header("Content-Length", str(len(data)))
        if content_range is not None:
            self.send_header("Content-Range", content_range)
        self.end_headers()
        self.wfile.write(data)

    def _grow(self, audio: Audio) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "audio/mpeg")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.flush()
        position = 0
        with audio.changed:
            audio.readers += 1
            audio.changed.notify_all()
        try:
            while True:
                piece = audio.after(position)
                if piece is None:
                    return  # no last chunk: it broke off
                self.wfile.write(f"{len(piece):x}\r\n".encode("ascii") + piece + b"\r\n")
                if not piece:
                    return
                position += len(piece)
        finally:
            with audio.changed:
                audio.readers -= 1
                audio.changed.notify_all()


if __name__ == "__main__":
    FakeService(Path(sys.argv[1]))
    threading.Event().wait()
