"""Finding a service and asking it, with the standard library alone."""

from __future__ import annotations

import ast
import os
import socket
import sys
import threading
import time
from pathlib import Path

import pytest

from alltalk_plugin import bridge
from alltalk_plugin.bridge import Address, BridgeError, Service, attach, read_address
from tests.fakes.runtime import Speaking
from tests.fakes.service import StandIn, free_port, stand_in, write_address
from tests.http.clients import TOKEN, running_server

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


def test_service_when_the_search_fails_otherwise_tells_that(tmp_path: Path) -> None:
    def find_again() -> Address:
        raise BridgeError("deadline_exceeded", "it is busy")

    service = Service(Address("127.0.0.1", free_port(), TOKEN, "1", 1, 1.0), find_again)
    with pytest.raises(BridgeError) as caught:
        service.request("GET", "/x")
    assert caught.value.code == "deadline_exceeded"
