"""Audio that hosts still have to fetch."""

from __future__ import annotations

from pathlib import Path

import pytest

from alltalk_plugin.domain.audio import AudioFormat, AudioId
from alltalk_plugin.http.keeping import Keeping
from tests.fakes.store import MemoryStore


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def made(store: MemoryStore) -> AudioId:
    return store.create(AudioFormat.MP3, 24_000).audio_id


def test_owe_when_the_host_has_not_confirmed_then_held_and_missing(
    tmp_path: Path, store: MemoryStore
) -> None:
    keeping = Keeping(tmp_path / "owed.json", store)
    first, second = made(store), made(store)
    keeping.owe("host", first)
    keeping.owe("host", second)
    assert keeping.missing("host") == (f"{first}.mp3", f"{second}.mp3")
    assert keeping.missing("other") == ()
    assert store.held[first] == 1


def test_kept_when_confirmed_then_released_once_and_not_missing(tmp_path: Path, store: MemoryStore) -> None:
    keeping = Keeping(tmp_path / "owed.json", store)
    audio_id = made(store)
    keeping.owe("host", audio_id)
    assert keeping.kept("host", audio_id)
    assert not keeping.kept("host", audio_id)
    assert not keeping.kept("host", "never-owed")
    assert keeping.missing("host") == ()
    assert store.held[audio_id] == 0


def test_restart_when_something_is_owed_then_it_is_held_again_and_lost_audio_is_forgotten(
    tmp_path: Path, store: MemoryStore
) -> None:
    file = tmp_path / "owed.json"
    before = Keeping(file, store)
    audio_id, lost = made(store), made(store)
    before.owe("host", audio_id)
    before.owe("host", lost)
    store.held.clear()  # what the end of the process does
    del store.streams[lost]
    after = Keeping(file, store)
    assert after.missing("host") == (f"{audio_id}.mp3",)
    assert store.held[audio_id] == 1


@pytest.mark.parametrize("content", ["not json", "[]", '{"host": 3}', '{"host": [3]}'])
def test_restart_when_the_list_is_damaged_then_nothing_is_owed_and_it_works_on(
    tmp_path: Path, store: MemoryStore, content: str
) -> None:
    file = tmp_path / "owed.json"
    file.write_text(content, encoding="utf-8")
    keeping = Keeping(file, store)
    assert keeping.missing("host") == ()
    audio_id = made(store)
    keeping.owe("host", audio_id)
    assert Keeping(file, store).missing("host") == (f"{audio_id}.mp3",)


def test_owe_when_the_list_cannot_be_written_then_it_still_holds_in_memory(
    tmp_path: Path, store: MemoryStore
) -> None:
    keeping = Keeping(tmp_path / "no" / "such" / "folder" / "owed.json", store)
    audio_id = made(store)
    keeping.owe("host", audio_id)
    assert keeping.missing("host") == (f"{audio_id}.mp3",)
