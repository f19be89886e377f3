"""Finished audio ends up in the host's own folder, whole or not at all."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from alltalk_plugin.cli.demo.host import HostDouble
from tests.hosts.conftest import trouble
from tests.hosts.fake_service import Audio, FakeService

MakeHost = Callable[..., HostDouble]


def folder_of(host: HostDouble) -> Path:
    return host.folder / "user_data" / "cache" / "alltalk_plugin"


def test_audio_when_spoken_is_copied_and_confirmed(connected: HostDouble, service: FakeService) -> None:
    connected.send(connected.new_chat(), "Hi", "Yes.")
    (kept,) = service.wait_for("/kept")
    assert (folder_of(connected) / kept["audio_file"]).read_bytes() == b"ID3 audio"
    assert len(list(folder_of(connected).iterdir())) == 1


def test_audio_when_it_grows_is_confirmed_at_its_end_only(
    connected: HostDouble, service: FakeService
) -> None:
    audio = Audio(b"first", complete=False)
    service.new_audio = lambda: audio
    connected.send(connected.new_chat(), "Hi", "Yes.")
    with audio.changed:
        assert audio.changed.wait_for(lambda: audio.readers == 1, 10)
    assert [path.suffix for path in folder_of(connected).iterdir()] in ([], [".part"])
    assert service.asked("/kept") == []
    audio.finish(b"FIRST and last")
    (kept,) = service.wait_for("/kept")
    assert (folder_of(connected) / kept["audio_file"]).read_bytes() == b"FIRST and last"


def test_audio_when_it_breaks_off_leaves_nothing_and_is_fetched_after_the_next_success(
    connected: HostDouble, service: FakeService
) -> None:
    audio = Audio(b"half", complete=False)
    service.new_audio = lambda: audio
    connected.send(connected.new_chat(), "Hi", "One.")
    with audio.changed:
        assert audio.changed.wait_for(lambda: audio.readers == 1, 10)
    audio.break_off()
    with audio.changed:
        assert audio.changed.wait_for(lambda: audio.readers == 0, 10)
    audio.broken = False
    audio.grow(b"half, whole", complete=True)
    service.new_audio = lambda: Audio(b"other")
    connected.send(connected.new_chat(), "Hi", "Two.")
    kept = service.wait_for("/kept", 2)
    assert {(folder_of(connected) / one["audio_file"]).read_bytes() for one in kept} == {
        b"halfhalf, whole",
        b"other",
    }
    assert trouble(connected) == []


def test_audio_when_missing_at_hello_is_fetched_or_just_confirmed(
    make_host: MakeHost, service: FakeService
) -> None:
    there, absent, lost, evil = "a" * 32 + ".mp3", "b" * 32 + ".wav", "c" * 32 + ".mp3", "../../evil.mp3"
    service.audio[absent[:32]] = Audio(b"sound")
    service.missing = [there, absent, lost, evil]
    host = make_host()
    folder_of(host).mkdir(parents=True)
    (folder_of(host) / there).write_bytes(b"mine already")
    host.start()
    kept = service.wait_for("/kept", 2)
    assert {one["audio_file"] for one in kept} == {there, absent}
    assert (folder_of(host) / there).read_bytes() == b"mine already"
    assert (folder_of(host) / absent).read_bytes() == b"sound"
    assert not list(host.folder.rglob("evil*"))


def test_pieces_when_an_earlier_process_left_them_are_swept(
    make_host: MakeHost, service: FakeService
) -> None:
    host = make_host()
    folder_of(host).mkdir(parents=True)
    old, young = folder_of(host) / "old.part", folder_of(host) / "young.part"
    for path in (old, young):
        path.write_bytes(b"x")
    os.utime(old, (time.time() - 7200, time.time() - 7200))
    host.start()
    host.send(host.new_chat(), "Hi", "Yes.")
    service.wait_for("/kept")
    assert (old.exists(), young.exists()) == (False, True)


def test_folder_when_it_cannot_be_written_is_one_line_and_the_reply_is_spoken(
    connected: HostDouble, service: FakeService
) -> None:
    cache = folder_of(connected).parent
    cache.parent.mkdir(parents=True, exist_ok=True)
    cache.write_text("a file where the folder should be")
    state = connected.new_chat()
    for _ in range(3):
        assert "<audio" in connected.send(state, "Hi", "Yes.")
    _settled()
    assert len(trouble(connected)) == 1
    assert "plays live only" in trouble(connected)[0]
    cache.unlink()
    connected.send(state, "Hi", "Yes.")
    assert len(service.wait_for("/kept", 4)) == 4  # those before, too
    assert ("info", "alltalk-plugin: audio is copied into the host's folder again") in connected.log.lines


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
def test_disk_when_full_is_one_line_and_the_reply_is_spoken(
    connected: HostDouble, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A piece's name leads to /dev/full: opened without complaint, and no byte fits. The first one is kept:
    # after it nobody sweeps the folder, where a link to a device would look like an old piece.
    connected.send(connected.new_chat(), "Hi", "Yes.")
    service.wait_for("/kept")
    _settled()
    real = Path.with_name

    def full(path: Path, name: str) -> Path:
        piece = real(path, name)
        if name.endswith(".part"):
            piece.symlink_to("/dev/full")
        return piece

    monkeypatch.setattr(Path, "with_name", full)
    for _ in range(3):
        assert "<audio" in connected.send(connected.new_chat(), "Hi", "Yes.")
    _settled()
    assert len(list(folder_of(connected).iterdir())) == 1
    assert len(trouble(connected)) == 1
    assert "No space left" in trouble(connected)[0]


def test_incognito_chat_leaves_no_audio_behind(connected: HostDouble, service: FakeService) -> None:
    shown = connected.send(connected.new_chat(unique_id="incognito-20260101-00-00-00"), "Hi", "Secret.")
    (kept,) = service.wait_for("/kept")
    assert kept["audio_file"] in shown
    _settled()
    assert not folder_of(connected).exists()


def test_folder_when_removed_is_made_anew(connected: HostDouble, service: FakeService) -> None:
    connected.send(connected.new_chat(), "Hi", "One.")
    service.wait_for("/kept")
    shutil.rmtree(folder_of(connected))
    connected.send(connected.new_chat(), "Hi", "Two.")
    service.wait_for("/kept", 2)
    assert len(list(folder_of(connected).iterdir())) == 1
    assert trouble(connected) == []


def _settled() -> None:
    """Nothing is being fetched."""
    keeper = sys.modules["alltalk_host"].host()._keeper
    until = time.monotonic() + 10
    pause = threading.Event()
    while keeper._busy:
        assert time.monotonic() < until
        pause.wait(0.01)
