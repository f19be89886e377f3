"""The service as a process of its own: started, killed in the middle of a reply, started again."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from alltalk_plugin import bridge
from alltalk_plugin.swap.journal import SqliteJournal, replay

pytestmark = pytest.mark.slow

LONG_REPLY = "“" + "This sentence goes on and on, and then it goes on a little more. " * 300 + "”"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "settings.yaml").write_text("server: {port: 0}\naudio: {format: wav}\n", encoding="utf-8")
    yield tmp_path
    address = bridge.read_address(tmp_path)
    if address is not None and psutil.pid_exists(address.pid):
        psutil.Process(address.pid).terminate()
    for child in bridge._children:  # the bridge started them, and has to hear of their end
        child.wait(20)


def started(home: Path) -> bridge.Service:
    return bridge.attach_or_start(home, interpreter=sys.executable, deadline_s=60)


def output(service: bridge.Service, text: str) -> dict[str, object]:
    return service.request("POST", "/api/v1/hosts/plain/output", {"text": text, "character": "Aria"})


def audio_path(answer: dict[str, object]) -> str:
    return "/api/v1/audio/" + str(answer["audio_url"]).rsplit("/", 1)[-1]


def test_service_when_killed_in_mid_reply_then_the_next_call_finds_a_new_one_that_speaks(home: Path) -> None:
    service = started(home)
    first_pid = service.address.pid
    answer = output(service, LONG_REPLY)
    assert answer["text"] == LONG_REPLY
    with service.stream("GET", audio_path(answer)) as audio:
        blocks = iter(audio)
        received = 0
        while received < 100_000:  # two seconds of sound
            received += len(next(blocks))
        workers = psutil.Process(first_pid).children()
        os.kill(first_pid, signal.SIGKILL)
        with pytest.raises(bridge.BridgeError):
            list(blocks)
    again = output(service, "“I am back.”")
    assert service.address.pid != first_pid
    with service.stream("GET", audio_path(again)) as audio:
        assert len(b"".join(audio)) > 10_000
    _gone, alive = psutil.wait_procs(workers, timeout=10)
    assert alive == [], "a worker outlived its service"
    with service.stream("GET", audio_path(answer)) as kept:  # what was spoken is still there, and playable
        whole = b"".join(kept)
        assert whole[:4] == b"RIFF"
        assert len(whole) >= received


def test_journal_when_the_service_was_killed_then_it_replays_and_goes_on(home: Path) -> None:
    service = started(home)
    output(service, "“One.”")
    os.kill(service.address.pid, signal.SIGKILL)
    output(service, "“Two.”")
    records = service.request("GET", "/api/v1/journal?since=0")["records"]
    assert [record["kind"] for record in records].count("boot") == 2
    seqs = [record["seq"] for record in records]
    assert seqs == sorted(set(seqs))
    journal = SqliteJournal(home / "journal.sqlite")
    state = replay(journal.since(0))
    journal.close()
    assert state.seq >= seqs[-1]


@pytest.mark.parametrize("text", ["", "😀", "a\x00b \ud83d c", "<think>thoughts</think>", "*...*"])
def test_output_when_the_text_is_odd_then_the_host_gets_it_back_exactly(home: Path, text: str) -> None:
    assert output(started(home), text)["text"] == text


def test_output_when_the_text_is_a_megabyte_then_it_comes_back_with_a_note(home: Path) -> None:
    text = "All work and no play. " * 50_000
    answer = output(started(home), text)
    assert answer["text"] == text
    assert answer["audio_url"] is None
    assert "200000" in str(answer["notes"])


def test_start_when_the_settings_are_broken_then_the_reason_comes_with_file_and_line(home: Path) -> None:
    (home / "settings.yaml").write_text("speech:\n  naratorr: on\n", encoding="utf-8")
    with pytest.raises(bridge.BridgeError) as caught:
        started(home)
    assert "naratorr" in caught.value.message
    assert "line 2" in caught.value.message or ":2" in caught.value.message


def test_start_when_the_data_folder_cannot_be_written_then_a_clear_refusal(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    with pytest.raises(bridge.BridgeError) as caught:
        bridge.attach_or_start(tmp_path / "file" / "home", interpreter=sys.executable, deadline_s=20)
    assert caught.value.code in ("service_unreachable", "data_folder_unusable")
