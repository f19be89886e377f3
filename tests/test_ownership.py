from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from alltalk_plugin import __version__, bridge
from alltalk_plugin.domain.errors import (
    DataFolderUnusable,
    DeadlineExceeded,
    LockUnavailable,
    OwnedElsewhere,
    ServiceUnreachable,
    VersionMismatch,
)
from alltalk_plugin.ownership import LOCK_FILE, attach, own, typed
from tests.http.clients import running_server


def test_folder_when_owned_belongs_to_nobody_else(tmp_path: Path) -> None:
    with own(tmp_path), pytest.raises(OwnedElsewhere) as caught:
        own(tmp_path)

    assert caught.value.context == {"pid": os.getpid(), "address": None}
    assert str(os.getpid()) in caught.value.message


def test_folder_when_given_back_can_be_owned_again(tmp_path: Path) -> None:
    home = tmp_path / "new" / "folder"
    first = own(home)
    first.close()
    first.close()
    own(home).close()


def test_owner_when_it_listens_publishes_where(tmp_path: Path) -> None:
    with own(tmp_path) as ownership:
        published = ownership.publish(7851, "secret")
        path = tmp_path / bridge.ADDRESS_FILE

        assert json.loads(path.read_text()) == {
            "host": "127.0.0.1",
            "port": 7851,
            "token": "secret",
            "version": __version__,
            "pid": os.getpid(),
            "started_at": psutil.Process().create_time(),
        }
        assert bridge.read_address(tmp_path) == published
        if sys.platform != "win32":
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
        with pytest.raises(OwnedElsewhere) as caught:
            own(tmp_path)
        assert caught.value.context["address"] == "http://127.0.0.1:7851"
    assert {entry.name for entry in tmp_path.iterdir()} == {LOCK_FILE}


def test_owner_when_it_moves_replaces_its_address(tmp_path: Path) -> None:
    with own(tmp_path) as ownership:
        ownership.publish(1, "one")
        ownership.publish(2, "two", host="::1")
        found = bridge.read_address(tmp_path)

    assert found is not None
    assert (found.port, found.token, found.url) == (2, "two", "http://[::1]:2")


def test_dead_owner_when_another_comes_leaves_no_stale_address(tmp_path: Path) -> None:
    stale = {"host": "127.0.0.1", "port": 9, "token": "t", "version": "0", "pid": 1, "started_at": 0}
    (tmp_path / bridge.ADDRESS_FILE).write_text(json.dumps(stale))
    (tmp_path / LOCK_FILE).write_text("1")

    with own(tmp_path):
        assert bridge.read_address(tmp_path) is None


def _in_a_file(tmp_path: Path) -> Path:
    (tmp_path / "file").write_text("")
    return tmp_path / "file" / "home"


def _is_a_file(tmp_path: Path) -> Path:
    (tmp_path / "file").write_text("")
    return tmp_path / "file"


def _lock_is_a_folder(tmp_path: Path) -> Path:
    (tmp_path / LOCK_FILE).mkdir()
    return tmp_path


def _address_is_a_folder(tmp_path: Path) -> Path:
    (tmp_path / bridge.ADDRESS_FILE / "x").mkdir(parents=True)
    return tmp_path


@pytest.mark.parametrize("place", [_in_a_file, _is_a_file, _lock_is_a_folder, _address_is_a_folder])
def test_folder_when_it_cannot_be_written_is_unusable(tmp_path: Path, place: Callable[[Path], Path]) -> None:
    with pytest.raises(DataFolderUnusable):
        own(place(tmp_path))


@pytest.mark.skipif(not Path("/sys/kernel").is_dir(), reason="modes do not stop root, this file system does")
def test_folder_when_read_only_is_unusable() -> None:
    with pytest.raises(DataFolderUnusable):
        own(Path("/sys/kernel"))


def test_owner_when_the_folder_vanishes_cannot_publish(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with own(home) as ownership:
        (home / LOCK_FILE).unlink()
        home.rmdir()
        with pytest.raises(DataFolderUnusable):
            ownership.publish(1, "t")


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL])
def test_folder_when_its_file_system_has_no_locks_says_so(tmp_path: Path, number: int) -> None:
    def refuse(_descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    with pytest.raises(LockUnavailable) as caught:
        own(tmp_path, lock=refuse)

    assert caught.value.context == {"errno": number}
    own(tmp_path).close()


@pytest.mark.parametrize("number", [errno.EACCES, errno.EDEADLK])
def test_folder_when_the_lock_is_refused_in_windows_words_is_owned_elsewhere(
    tmp_path: Path, number: int
) -> None:
    def refuse(_descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    with pytest.raises(OwnedElsewhere):
        own(tmp_path, lock=refuse)


RACER = """
import sys, time
from pathlib import Path
from alltalk_plugin.domain.errors import OwnedElsewhere
from alltalk_plugin.ownership import own
home, gate = Path(sys.argv[1]), Path(sys.argv[2])
print("ready", flush=True)
while not gate.exists():
    pass
try:
    ownership = own(home)
except OwnedElsewhere as error:
    print("lost", error.context["pid"], flush=True)
else:
    print("won", flush=True)
    sys.stdin.read()
"""


@pytest.mark.slow
def test_owners_when_two_processes_race_are_exactly_one(tmp_path: Path) -> None:
    home, gate = tmp_path / "home", tmp_path / "gate"
    command = [sys.executable, "-c", RACER, str(home), str(gate)]
    racers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    try:
        for racer in racers:
            assert racer.stdout is not None
            assert racer.stdout.readline() == "ready\n"
        gate.touch()
        outcomes = {racer.pid: racer.stdout.readline().split() for racer in racers if racer.stdout}

        (winner,) = [pid for pid, words in outcomes.items() if words == ["won"]]
        (lost,) = [words for pid, words in outcomes.items() if pid != winner]
        # The winner may not have written its pid yet when the other one looks.
        assert lost in (["lost", str(winner)], ["lost", "None"])

        next(racer for racer in racers if racer.pid == winner).kill()
        for racer in racers:
            racer.communicate(timeout=20)
        own(home).close()
    finally:
        for racer in racers:
            racer.kill()
            racer.communicate()


# --- attaching ---------------------------------------------------------------------------------------


def test_client_when_nobody_owns_the_folder_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(ServiceUnreachable):
        attach(tmp_path)


def test_client_when_the_service_runs_attaches(tmp_path: Path) -> None:
    with running_server(tmp_path) as running:
        assert attach(tmp_path).address.port == running.server.port


def test_client_when_the_service_is_of_another_version_is_told_both(tmp_path: Path) -> None:
    with running_server(tmp_path):
        path = tmp_path / bridge.ADDRESS_FILE
        path.write_text(json.dumps({**json.loads(path.read_text()), "version": "0.0.1"}))
        with pytest.raises(VersionMismatch) as caught:
            attach(tmp_path)

    assert (caught.value.context["ours"], caught.value.context["theirs"]) == (__version__, "0.0.1")


def test_bridge_error_keeps_code_message_hint_and_context() -> None:
    error = typed(
        bridge.BridgeError("deadline_exceeded", "too late", hint="Wait.", context={"deadline_s": 3})
    )

    assert isinstance(error, DeadlineExceeded)
    assert (error.message, error.hint, error.context) == ("too late", "Wait.", {"deadline_s": 3})
    assert typed(bridge.BridgeError("deadline_exceeded", "x")).hint == DeadlineExceeded.default_hint
