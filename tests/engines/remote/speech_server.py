"""A speech server of the OpenAI kind, in a process of its own, that misbehaves on request.

The request's `model` says how (a list is in `BEHAVIOURS`), so that one server serves every test at once. What
it was sent can be read at `GET /control/requests`; `POST /control/faults` with `{"fault": NAME}` makes every
model behave like that until it is changed. The first line it prints is its port.
"""

from __future__ import annotations

import base64
import json
import math
import ssl
import struct
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

RATE_HZ = 24_000
S_PER_CHAR = 0.06
VOICES = ("alloy", "nova", "en-storm")
KEY = "sk-loopback-only-0123456789"
STALL_S = 30.0
"""Longer than any test waits; the client leaves before."""
UNKNOWN = 0xFFFF_FFFF
_PERIOD = 240
"""100 Hz: a whole number of samples, so that a tone of any length is repetitions of one wave."""
_WAVE = b"".join(
    struct.pack("<h", int(9_000 * math.sin(2 * math.pi * at / _PERIOD))) for at in range(_PERIOD)
)
BEHAVIOURS = (
    "fine",
    "odd",  # raw bytes in pieces of 1, 3, 5, 7, … bytes
    "sized",  # Content-Length instead of chunks
    "until-close",  # neither: the body ends with the connection
    "cut-until-close",  # as before, with less than the WAV header promised
    "wav-sized",  # a WAV header that tells the truth, and a chunk behind the data
    "wav-float-stereo",
    "always-wav",  # whatever was asked for
    "pcm-rate",  # raw PCM that names its rate, 22,050 Hz
    "stall",  # no answer
    "stall-body",  # an answer without a body
    "stall-late",  # half a second of audio, then nothing
    "drop",  # closes before the answer
    "drop-late",  # closes within the audio
    "html",
    "json",
    "sse",
    "empty",
    "garbage",  # a WAV that is none
    "endless",
    "redirect",
    "401",
    "403",
    "404",
    "422",
    "429",
    "429-later",  # with Retry-After: 40
    "429-quota",
    "500",
    "503",
    "503-later",
    "flaky",  # 503, then fine
    "echo-422",  # repeats the whole request, as FastAPI does
)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, encoded: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.seen: list[dict[str, Any]] = []
        self.fault = ""
        self.encoded = encoded
        self.flaked: set[str] = set()
        self.connections = 0

    def get_request(self) -> tuple[Any, Any]:
        self.connections += 1
        return super().get_request()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that leave in the middle are what most tests are about."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def log_message(self, *_told: object) -> None:
        """Nobody reads it."""

    # --- what is asked --------------------------------------------------------------------------------

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        with self.server.lock:
            fault = self.server.fault
        match path:
            case "/control/requests":
                with self.server.lock:
                    self._document(
                        200, {"requests": self.server.seen, "connections": self.server.connections}
                    )
                return
            case _ if fault in ("stall", "drop", "401", "500"):
                self._behave(fault, {})
            case "/v1/models":
                self._note({})
                self._document(200, {"object": "list", "data": [{"id": name} for name in BEHAVIOURS]})
            case "/v1/audio/voices":
                self._document(200, {"voices": [{"id": name, "name": name.title()} for name in VOICES]})
            case "/listing/v1/models":
                self._document(
                    200,
                    {
                        "data": [
                            {"id": "whisper", "task": "automatic-speech-recognition"},
                            {
                                "id": "piper",
                                "task": "text-to-speech",
                                "voices": [{"id": "amy", "language": "en-US"}],
                            },
                        ]
                    },
                )
            case "/plain/v1/models":
                self._document(200, ["not", "a", "list", "of", "models"])
            case "/plain/v1/voices":
                self._document(200, {"model": query, "voices": ["one", "two"]})
            case "/page/v1/models":
                self._page()
            case _:
                self._document(404, {"detail": "Not Found"})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/control/faults":
            with self.server.lock:
                self.server.fault = body["fault"]
                self.server.seen.clear()
            self._document(200, {})
            return
        self._note(body)
        if self.path != "/v1/audio/speech":
            self._document(404, {"detail": "Not Found"})
            return
        if self.headers.get("Authorization", f"Bearer {KEY}") != f"Bearer {KEY}":
            told = self.headers["Authorization"]
            self._document(401, {"error": {"message": f"Incorrect API key provided: {told}"}})
            return
        with self.server.lock:
            fault = self.server.fault
        self._behave(fault or str(body.get("model", "fine")), body)

    def _note(self, body: dict[str, Any]) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        with self.server.lock:
            self.server.seen.append({"path": self.path, "headers": headers, "body": body})

    # --- what is answered -----------------------------------------------------------------------------

    def _behave(self, behaviour: str, body: dict[str, Any]) -> None:
        match behaviour:
            case "stall":
                self._wait()
            case "drop":
                self.close_connection = True
            case "redirect":
                self.send_response(307)
                self.send_header("Location", "http://127.0.0.1:9/v1/audio/speech?token=abc")
                self.send_header("Content-Length", "0")
                self.end_headers()
            case "html":
                self._page()
            case "json":
                self._document(200, {"error": {"message": "model is loading"}})
            case "sse":
                self._whole(b'data: {"type":"speech.audio.delta","audio":"AAAA"}\n\n', "text/event-stream")
            case "empty":
                self._whole(b"", "audio/wav")
            case "garbage":
                self._whole(b"RIFF\xff\xff\xff\xffWAVE" + b"\0" * 100, "audio/wav")
            case "404":
                self._document(
                    404, {"error": {"message": "The model 'x' does not exist", "code": "model_not_found"}}
                )
            case "422" | "echo-422":
                detail = [{"loc": ["body", "speed"], "msg": "Input should be a number", "input": body}]
                self._document(422, {"detail": detail})
            case "429":
                self._document(429, {"error": {"message": "Rate limit reached"}})
            case "429-later":
                self._document(429, {"error": {"message": "Rate limit reached"}}, {"Retry-After": "40"})
            case "429-quota":
                self._document(429, {"error": {"message": "You exceeded", "code": "insufficient_quota"}})
            case "503-later":
                self._document(503, {"detail": "loading"}, {"Retry-After": "40"})
            case "flaky" if not self._flaked(body):
                self._document(503, {"detail": "loading"})
            case "401" | "403" | "500" | "503":
                self._document(int(behaviour), {"detail": f"sorry {body.get('input', '')}"})
            case _:
                self._speak(behaviour, body)

    def _flaked(self, body: dict[str, Any]) -> bool:
        """Whether this text was refused before."""
        with self.server.lock:
            known = str(body["input"]) in self.server.flaked
            self.server.flaked.add(str(body["input"]))
        return known

    def _speak(self, behaviour: str, body: dict[str, Any]) -> None:
        voice, text = body.get("voice", "alloy"), str(body["input"])
        if voice not in VOICES:
            told = f"Voice '{voice}' not found. Available voices: {', '.join(VOICES)}"
            self._document(400, {"detail": {"error": "validation_error", "message": told}})
            return
        if not any(char.isascii() and char.isalnum() for char in text):
            self._document(422, {"detail": "Language 'zh' is not supported by the phonemizer backend"})
            return
        seconds = max(0.4, len(text) * S_PER_CHAR / float(body.get("speed", 1.0)))
        wanted = "wav" if behaviour == "always-wav" else body.get("response_format", "mp3")
        if wanted in self.server.encoded:
            self._whole(self.server.encoded[wanted], "audio/mpeg" if wanted == "mp3" else f"audio/{wanted}")
            return
        waves = int(seconds * RATE_HZ / _PERIOD)
        header = _header(behaviour, waves * len(_WAVE)) if wanted == "wav" else b""
        kind = "audio/wav" if header else "audio/pcm"
        if behaviour == "pcm-rate":
            kind = "audio/pcm;rate=22050"
        self._stream(behaviour, header, waves, kind)

    def _stream(self, behaviour: str, header: bytes, waves: int, kind: str) -> None:
        if behaviour in ("until-close", "cut-until-close"):
            self._headers(kind, {"Connection": "close"})
            self.wfile.write(header + _WAVE * (waves if behaviour == "until-close" else waves // 2))
            self.close_connection = True
            return
        if behaviour == "sized":
            self._headers(kind, {"Content-Length": str(len(header) + waves * len(_WAVE))})
            self.wfile.write(header + _WAVE * waves)
            return
        self._headers(kind, {"Transfer-Encoding": "chunked"})
        if behaviour == "stall-body":
            self._wait()
            return
        if header:
            self._piece(header)
        match behaviour:
            case "odd":
                self._in_odd_pieces(_WAVE * waves)
            case "stall-late":
                self._piece(_WAVE * 50)
                self._wait()
                return
            case "drop-late":
                self._piece(_WAVE * 50)
                self.wfile.write(b"8000\r\n" + _WAVE)
                self.close_connection = True
                return
            case "wav-float-stereo":
                floats = [value / 32_768 for (value,) in struct.iter_unpack("<h", _WAVE)]
                both = b"".join(struct.pack("<ff", value, value) for value in floats)
                self._piece(both * waves)
            case _:
                count = 10_000_000 if behaviour == "endless" else waves
                for begin in range(0, count, 20):
                    self._piece(_WAVE * min(20, count - begin))
        if behaviour == "wav-sized":
            self._piece(b"LIST\x04\x00\x00\x00\xff\x7f\xff\x7f")
        self.wfile.write(b"0\r\n\r\n")

    def _in_odd_pieces(self, audio: bytes) -> None:
        begin, size = 0, 1
        while begin < len(audio):
            self._piece(audio[begin : begin + size])
            begin, size = begin + size, size + 2

    def _piece(self, audio: bytes) -> None:
        self.wfile.write(b"%x\r\n" % len(audio) + audio + b"\r\n")

    def _wait(self) -> None:
        """Until the client leaves."""
        self.connection.settimeout(STALL_S)
        self.connection.recv(1)
        self.close_connection = True

    def _headers(self, kind: str, more: dict[str, str]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        for name, value in more.items():
            self.send_header(name, value)
        self.end_headers()

    def _whole(self, body: bytes, kind: str) -> None:
        self._headers(kind, {"Content-Length": str(len(body))})
        self.wfile.write(body)

    def _page(self) -> None:
        self._whole(b"<!doctype html><title>Sign in</title>", "text/html; charset=utf-8")

    def _document(self, status: int, document: object, more: dict[str, str] | None = None) -> None:
        raw = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        for name, value in (more or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)


def _header(behaviour: str, data_bytes: int) -> bytes:
    if behaviour == "wav-float-stereo":
        return struct.pack(
            "<4sI4s4sIHHIIHH4sI",
            b"RIFF",
            0,
            b"WAVE",
            b"fmt ",
            16,
            3,
            2,
            RATE_HZ,
            RATE_HZ * 8,
            8,
            32,
            b"data",
            0,
        )
    known = behaviour in ("wav-sized", "until-close", "cut-until-close")
    size = data_bytes if known else UNKNOWN
    whole = data_bytes + 36 if known else UNKNOWN
    kind = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE_HZ, RATE_HZ * 2, 2, 16)
    return struct.pack("<4sI4s", b"RIFF", whole, b"WAVE") + kind + struct.pack("<4sI", b"data", size)


def main() -> None:
    """Serve until standard input closes.

    The first line of it: `{"encoded": {format: base64 of audio in it}, "certificate": file or null}`.
    """
    told = json.loads(sys.stdin.readline())
    server = Server({name: base64.b64decode(raw) for name, raw in told["encoded"].items()})
    if told["certificate"] is not None:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(told["certificate"])
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
