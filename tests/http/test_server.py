"""The service as a process: its port, its address, its end."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from alltalk_plugin import bridge
from alltalk_plugin.domain.errors import PortTaken
from alltalk_plugin.http.server import SpeechServer, bind
from alltalk_plugin.ownership import LOCK_FILE
from tests.fakes.runtime import Speaking
from tests.http.clients import TOKEN, OwnedFake, Running, running_server


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


def test_port_when_taken_and_not_insisted_on_is_another_one(taken: int) -> None:
    with closing(bind("127.0.0.1", taken, explicit=False)) as found:
        assert found.getsockname()[1] not in (0, taken)


def test_port_when_taken_and_insisted_on_is_an_error_that_names_it(taken: int) -> None:
    with pytest.raises(PortTaken) as caught:
        bind("127.0.0.1", taken, explicit=True)
    assert caught.value.context == {"host": "127.0.0.1", "port": taken}


@pytest.mark.parametrize("explicit", [True, False])
def test_address_when_it_is_not_ours_is_an_error_whatever_the_port(explicit: bool) -> None:
    with pytest.raises(PortTaken):
        bind("203.0.113.7", 0, explicit=explicit)


def test_server_when_it_listens_publishes_its_address_and_takes_it_back(tmp_path: Path) -> None:
    with running_server(tmp_path) as running:
        service = bridge.attach(tmp_path)
        assert (service.address.port, service.address.token) == (running.server.port, TOKEN)
        assert service.request("GET", "/api/v1/journal")["last_seq"] == 3
    assert {entry.name for entry in tmp_path.iterdir()} == {LOCK_FILE}


def test_server_without_a_token_of_the_settings_makes_one_that_fits_every_client(tmp_path: Path) -> None:
    tokens = set()
    for _ in range(2):
        runtime = OwnedFake(tmp_path)
        with closing(runtime.ownership):
            runtime.change_server(port=0)
            server = SpeechServer(runtime)
            server.stop()
            server.run()
            tokens.add(server._token)
    assert len(tokens) == 2
    assert all(16 <= len(token) <= 32 for token in tokens)


def test_server_when_told_to_stop_lets_open_streams_end(running: Running) -> None:
    running.runtime.speech.script = Speaking.feed
    asked = {"text": "Hello.", "stream": True}
    with running.http.stream("POST", "/api/v1/speak", json=asked) as answer:
        blocks = answer.iter_bytes()
        taken = next(blocks)
        running.server.stop()
        speaking = running.runtime.speech.begun[0]
        assert not speaking.job.cancel_source.wait(0.3)
        speaking.feed()
        speaking.finish()
        taken += b"".join(blocks)
    assert taken == speaking.writer.stream.encoded
    running.thread.join(10)
    assert not running.thread.is_alive()


def test_server_when_a_program_started_it_ends_once_nobody_is_there(tmp_path: Path) -> None:
    with running_server(tmp_path, started_by_program=True, idle_exit_s=0.2) as running:
        running.thread.join(10)
        assert not running.thread.is_alive()


def test_server_when_a_host_is_present_stays_until_its_bye(tmp_path: Path) -> None:
    with running_server(tmp_path, started_by_program=True, idle_exit_s=0.4) as running:
        service = bridge.attach(tmp_path)
        service.hello("plain")
        running.thread.join(0.8)
        assert running.thread.is_alive()
        service.bye()
        running.thread.join(10)
        assert not running.thread.is_alive()


def test_server_when_a_person_started_it_stays(tmp_path: Path) -> None:
    with running_server(tmp_path, idle_exit_s=0.0) as running:
        running.thread.join(0.5)
        assert running.thread.is_alive()


def test_server_when_only_a_monitor_asks_ends_all_the_same(tmp_path: Path) -> None:
    with running_server(tmp_path, started_by_program=True, idle_exit_s=0.4) as running:
        with pytest.raises(httpx.TransportError):
            while True:
                running.http.get("/health")
        running.thread.join(10)
        assert not running.thread.is_alive()


SERVE = """
import sys
from pathlib import Path
from tests.http.clients import OwnedFake
from alltalk_plugin.http.server import serve
runtime = OwnedFake(Path(sys.argv[1]))
runtime.change_server(port=0)
serve(runtime)
runtime.ownership.close()
print("closed")
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals between processes")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_process_when_signalled_ends_with_exit_code_0(tmp_path: Path, number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    try:
        service = _attached(tmp_path, process)
        assert service.address.pid == process.pid
        process.send_signal(number)
        output, _ = process.communicate(timeout=20)
    finally:
        process.kill()
        process.communicate()
    assert (process.returncode, output) == (0, "closed\n")
    assert not (tmp_path / bridge.ADDRESS_FILE).exists()


@pytest.mark.slow
def test_process_when_killed_leaves_a_folder_that_the_next_one_takes(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", SERVE, str(tmp_path)])
    try:
        _attached(tmp_path, process)
    finally:
        process.kill()
        process.wait()
    assert json.loads((tmp_path / bridge.ADDRESS_FILE).read_text())["pid"] == process.pid
    with running_server(tmp_path) as running:
        assert bridge.attach(tmp_path).address.port == running.server.port


def _attached(home: Path, process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> bridge.Service:
    while process.poll() is None:
        try:
            return bridge.attach(home)
        except bridge.BridgeError:
            continue
    raise AssertionError("the process ended")
