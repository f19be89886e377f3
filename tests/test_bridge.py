from __future__ import annotations

import ast
import http.server
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from alltalk_plugin import bridge
from alltalk_plugin.bridge import Address, BridgeError, Service, attach, attach_or_start, read_address, start
from tests.fakes.runtime import Speaking
from tests.http.clients import TOKEN, running_server

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


# --- the file itself ---------------------------------------------------------------------------------


def test_bridge_is_one_file_of_python_3_9_with_the_standard_library_alone() -> None:
    source = Path(bridge.__file__).read_text(encoding="utf-8")
    tree = ast.parse(source, feature_version=(3, 9))

    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            imported.add((node.module or "").partition(".")[0])
    assert imported <= sys.stdlib_module_names
    assert len(source.splitlines()) <= 400


# --- finding the owner -------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "{", "[]", '{"port": 1}', '{"port": "x"}', "\x00"])
def test_address_when_it_makes_no_sense_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / bridge.ADDRESS_FILE).write_text(text)
    assert read_address(tmp_path) is None


def test_address_when_missing_is_none(tmp_path: Path) -> None:
    assert read_address(tmp_path / "nowhere") is None


def test_address_when_it_cannot_be_read_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / bridge.ADDRESS_FILE).mkdir()
    with pytest.raises(BridgeError) as caught:
        read_address(tmp_path)
    assert caught.value.code == "service_unreachable"


def test_address_when_written_is_read(tmp_path: Path) -> None:
    write_address(tmp_path, port=7851)
    assert read_address(str(tmp_path)) == Address("127.0.0.1", 7851, TOKEN, "1", os.getpid(), 1.5)


def test_attach_when_the_owner_lives_gives_a_service_and_shows_no_token_before(tmp_path: Path) -> None:
    with stand_in(tmp_path) as server:
        service = attach(tmp_path)
        assert server.asked == [("GET", "/health", None)]
        assert service.request("GET", "/x") == {"path": "/x"}
        assert server.asked[-1] == ("GET", "/x", f"Bearer {TOKEN}")


def test_attach_when_the_owner_is_dead_is_an_error(tmp_path: Path) -> None:
    write_address(tmp_path, port=free_port())
    with pytest.raises(BridgeError) as caught:
        attach(tmp_path)
    assert caught.value.code == "service_unreachable"


def test_attach_when_a_stranger_has_the_port_is_an_error(tmp_path: Path) -> None:
    with stand_in(tmp_path) as server:
        server.pid += 1
        with pytest.raises(BridgeError) as caught:
            attach(tmp_path)
    assert "another program" in caught.value.message


def test_attach_when_the_owner_does_not_answer_gives_up_in_time(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        write_address(tmp_path, port=mute.getsockname()[1])
        with pytest.raises(BridgeError) as caught:
            attach(tmp_path, timeout_s=0.1)
    assert caught.value.code == "deadline_exceeded"


def test_requests_when_a_proxy_is_set_go_straight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    with stand_in(tmp_path):
        assert attach(tmp_path).request("POST", "/x", {}) == {"path": "/x"}


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "localhost"])
def test_attach_when_the_service_listens_elsewhere_than_on_127_0_0_1_finds_it(
    tmp_path: Path, host: str
) -> None:
    with running_server(tmp_path, host=host):
        assert attach(tmp_path).request("GET", "/api/v1/journal")["last_seq"] == 3


# --- asking ------------------------------------------------------------------------------------------


def test_request_when_refused_carries_the_problem(tmp_path: Path) -> None:
    document = {"code": "cooldown", "detail": "just now", "hint": "Wait.", "retry_after_s": 3, "status": 429}
    with stand_in(tmp_path) as server:
        server.answer = lambda handler, _path: handler.say(document, 429)
        with pytest.raises(BridgeError) as caught:
            attach(tmp_path).request("POST", "/x", {})
    error = caught.value
    assert (error.code, error.message, error.hint, error.status) == ("cooldown", "just now", "Wait.", 429)
    assert error.context == {"retry_after_s": 3}


@pytest.mark.parametrize("body", [["a list"], "text"])
def test_request_when_the_answer_is_no_object_is_an_error(tmp_path: Path, body: object) -> None:
    with stand_in(tmp_path) as server:
        server.answer = lambda handler, _path: handler.say(body)
        with pytest.raises(BridgeError):
            attach(tmp_path).request("GET", "/x")


def test_request_when_the_body_cannot_be_sent_is_an_error_of_ours(tmp_path: Path) -> None:
    with stand_in(tmp_path):
        service = attach(tmp_path)
        for method, path, body in (("POST", "/x", {"a": object()}), ("GET", "/ü\n", None)):
            with pytest.raises(BridgeError):
                service.request(method, path, body)


def test_request_when_nothing_comes_ends_at_its_deadline(tmp_path: Path) -> None:
    release = threading.Event()

    def trickle(handler: StandIn, _path: str) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100")
        handler.end_headers()
        while not release.wait(0.02):
            handler.wfile.write(b" ")

    with stand_in(tmp_path) as server:
        server.answer = trickle
        began_s = time.monotonic()
        with pytest.raises(BridgeError) as caught:
            attach(tmp_path).request("GET", "/x", timeout_s=0.2)
        release.set()
    assert caught.value.code == "deadline_exceeded"
    assert time.monotonic() - began_s < 1.5


def test_stream_gives_bytes_as_they_come(tmp_path: Path) -> None:
    with running_server(tmp_path) as running:
        running.runtime.speech.script = Speaking.feed
        service = attach(tmp_path)
        body = {"text": "Hello.", "stream": True}
        with service.stream("POST", "/api/v1/speak", body) as answer:
            assert answer.status == 200
            assert answer.headers["X-Audio-Format"] == "wav"
            blocks = iter(answer)
            taken = next(blocks)
            speaking = running.runtime.speech.begun[0]
            assert not speaking.job.done
            speaking.feed()
            speaking.finish()
            taken += b"".join(blocks)
    assert taken == speaking.writer.stream.encoded


@pytest.mark.parametrize("length", [100, None])
def test_stream_when_it_breaks_off_is_an_error_not_an_end(tmp_path: Path, length: int | None) -> None:
    def break_off(handler: StandIn, _path: str) -> None:
        handler.send_response(200)
        if length is None:
            handler.send_header("Transfer-Encoding", "chunked")
        else:
            handler.send_header("Content-Length", str(length))
        handler.end_headers()
        handler.wfile.write(b"5\r\nhello\r\n" if length is None else b"hello")
        handler.close_connection = True

    with stand_in(tmp_path) as server:
        server.answer = break_off
        with attach(tmp_path).stream("GET", "/x") as answer, pytest.raises(BridgeError):
            list(answer)


# --- owners that change ------------------------------------------------------------------------------


def test_request_when_the_owner_was_replaced_is_repeated_at_the_new_one(tmp_path: Path) -> None:
    with stand_in(tmp_path):
        service = attach(tmp_path)
    with stand_in(tmp_path, token="n" * 22) as second:
        assert service.request("POST", "/x", {}) == {"path": "/x"}
        assert service.address.port == second.server_port
        assert [path for _, path, _ in second.asked] == ["/health", "/x"]


def test_request_when_a_new_owner_has_the_same_port_takes_its_token(tmp_path: Path) -> None:
    with stand_in(tmp_path) as server:
        service = attach(tmp_path)
        write_address(tmp_path, port=server.server_port, token="n" * 22)

        def check(handler: StandIn, path: str) -> None:
            right = handler.headers["Authorization"] == "Bearer " + "n" * 22
            handler.say({"path": path} if right else {"code": "token_required"}, 200 if right else 401)

        server.answer = check
        assert service.request("GET", "/x") == {"path": "/x"}


def test_request_when_the_owner_is_gone_for_good_fails_as_it_did(tmp_path: Path) -> None:
    with stand_in(tmp_path):
        service = attach(tmp_path)
    with pytest.raises(BridgeError) as caught:
        service.request("GET", "/x")
    assert caught.value.code == "service_unreachable"


def test_request_when_the_owner_lives_is_never_repeated(tmp_path: Path) -> None:
    def hang_up(handler: StandIn, _path: str) -> None:
        handler.close_connection = True

    with stand_in(tmp_path) as server:
        server.answer = hang_up
        with pytest.raises(BridgeError):
            attach(tmp_path).request("POST", "/x", {})
        assert [path for _, path, _ in server.asked].count("/x") == 1


def test_presence_when_the_owner_changes_is_told_to_the_new_one(tmp_path: Path) -> None:
    with stand_in(tmp_path):
        service = attach(tmp_path)
        service.hello("plain")
    with stand_in(tmp_path, token="n" * 22) as second:
        service.request("GET", "/x")
        service.bye()
        service.bye()
    hellos = [path for _, path, _ in second.asked]
    assert hellos == ["/health", "/api/v1/hosts/plain/hello", "/x", "/api/v1/hosts/plain/bye"]


def test_bye_when_the_service_is_gone_is_fine(tmp_path: Path) -> None:
    with stand_in(tmp_path):
        service = attach(tmp_path)
        service.hello("plain")
    service.bye()


def test_presence_reaches_a_real_service(tmp_path: Path) -> None:
    with running_server(tmp_path):
        service = attach(tmp_path)
        service.hello("plain")
        service.bye()
        with pytest.raises(BridgeError) as caught:
            service.hello("no-such-host")
    assert (caught.value.code, caught.value.status) == ("host_unknown", 404)


# --- starting ----------------------------------------------------------------------------------------


def interpreter(folder: Path, script: str) -> Path:
    """A stand-in for a Python that runs `script` whatever it is asked to."""
    path = folder / "interpreter"
    path.write_text(f"#!{sys.executable}\n{script}")
    path.chmod(0o755)
    return path


@pytest.mark.skipif(sys.platform == "win32", reason="a script with a first line is no program there")
def test_start_when_it_works_is_detached_and_logs_into_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONHOME", "")
    monkeypatch.setenv("PYTHONPATH", "/foreign")
    home = tmp_path / "home"
    script = (
        "import os, sys\n"
        "print(sys.argv[1:], os.getcwd(), os.getsid(0) == os.getpid(), os.environ.get('PYTHONPATH'))"
    )
    child = start(home, interpreter=interpreter(tmp_path, script), settings_file="s.yaml")

    assert child.wait(20) == 0
    command = ["-m", "alltalk_plugin", "--home", str(home), "--settings", "s.yaml"]
    expected = f"{[*command, 'serve', '--started-by-program']} {home} True None\n"
    assert (home / bridge.OUTPUT_FILE).read_text() == expected


def test_start_when_there_is_no_interpreter_says_so(tmp_path: Path) -> None:
    with pytest.raises(BridgeError) as caught:
        start(tmp_path, interpreter=tmp_path / "no-python")
    assert "no-python" in caught.value.message


def test_attach_or_start_when_a_service_runs_starts_none(tmp_path: Path) -> None:
    with stand_in(tmp_path):
        service = attach_or_start(tmp_path, interpreter=tmp_path / "no-python")
        assert service.request("GET", "/x") == {"path": "/x"}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="a script with a first line is no program there")
def test_attach_or_start_when_none_runs_waits_for_the_new_one(tmp_path: Path) -> None:
    home = tmp_path / "home"
    script = f"""
import sys, os, json
sys.path.insert(0, {str(Path(__file__).parents[1])!r})
from pathlib import Path
from tests.test_bridge import stand_in
home = Path({str(home)!r})
with stand_in(home) as server:
    server.answer = lambda handler, path: handler.say({{"pid": os.getpid()}})
    sys.stdin = open(os.pipe()[0]).read()  # until killed
"""
    service = attach_or_start(home, interpreter=interpreter(tmp_path, script), deadline_s=20)
    child = next(one for one in bridge._children if one.pid == service.address.pid)
    try:
        assert service.request("GET", "/x") == {"pid": child.pid}
    finally:
        child.kill()
        child.wait()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="a script with a first line is no program there")
def test_attach_or_start_when_the_service_ends_at_once_tells_its_last_words(tmp_path: Path) -> None:
    broken = interpreter(tmp_path, "raise SystemExit('No module named alltalk_plugin')")
    with pytest.raises(BridgeError) as caught:
        attach_or_start(tmp_path / "home", interpreter=broken, deadline_s=20)
    assert "No module named alltalk_plugin" in caught.value.message


@pytest.mark.skipif(sys.platform == "win32", reason="a script with a first line is no program there")
def test_attach_or_start_when_the_service_never_answers_ends_at_the_deadline(tmp_path: Path) -> None:
    mute = interpreter(tmp_path, "import time; time.sleep(20)")
    with pytest.raises(BridgeError) as caught:
        attach_or_start(tmp_path / "home", interpreter=mute, deadline_s=0.3)
    assert caught.value.code == "deadline_exceeded"
    child = bridge._children[-1]
    child.kill()
    child.wait()


def test_service_when_the_search_fails_otherwise_tells_that(tmp_path: Path) -> None:
    def find_again() -> Address:
        raise BridgeError("deadline_exceeded", "it is busy")

    service = Service(Address("127.0.0.1", free_port(), TOKEN, "1", 1, 1.0), find_again)
    with pytest.raises(BridgeError) as caught:
        service.request("GET", "/x")
    assert caught.value.code == "deadline_exceeded"
