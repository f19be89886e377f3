from __future__ import annotations

import os

import pytest

from alltalk_plugin.domain.audio import AudioFormat
from alltalk_plugin.domain.errors import AudioNotFound
from alltalk_plugin.domain.ports import AudioStore, AudioStream, SpoolWriter
from alltalk_plugin.settings.schema import AudioSettings
from tests.audio.shelf import RATE, Shelf, read_to_end, speech_chunk
from tests.fakes.store import MemoryStore


def test_store_satisfies_its_port_and_so_does_the_fake(shelf: Shelf) -> None:
    stores: tuple[AudioStore, ...] = (shelf.store, MemoryStore())
    for store in stores:
        writer: SpoolWriter = store.create(AudioFormat.WAV, RATE)
        stream: AudioStream = store.get(writer.audio_id)
        assert stream.etag is None
        writer.write(speech_chunk())
        writer.finish()
        with_reader = stream.open()
        assert len(read_to_end(with_reader)) == stream.size_bytes
        with_reader.close()
        assert stream.complete
        assert stream.etag is not None


@pytest.mark.parametrize(
    "audio_id",
    [
        "",
        "0" * 31,
        "0" * 33,
        "A" * 32,
        "g" * 32,
        "0" * 32 + "\n",
        "../" + "0" * 29,
        "/etc/passwd",
        "..",
        "0" * 28 + "/../",
        "0" * 32 + "/../x",
        "0" * 31 + "\0",
        "0" * 31 + "٣",
        "%2e%2e%2f" + "0" * 23,
        "C:\\" + "0" * 29,
    ],
)
def test_anything_but_an_id_is_not_found_and_never_reaches_the_disk(shelf: Shelf, audio_id: str) -> None:
    shelf.stored()
    (shelf.folder / ("0" * 32)).mkdir()
    for there in ("x", "0" * 31, "0" * 33, "A" * 32, "g" * 32, "0" * 32 + "\n", "0" * 31 + "٣"):
        (shelf.folder / f"{there}.wav").write_bytes(b"x")
    shelf.disk.opened.clear()
    with pytest.raises(AudioNotFound):
        shelf.store.get(audio_id)
    assert shelf.disk.opened == []


def test_id_that_nobody_made_is_not_found(shelf: Shelf) -> None:
    with pytest.raises(AudioNotFound):
        shelf.store.get("0" * 32)


def test_ids_are_random(shelf: Shelf) -> None:
    ids = {shelf.stored(seconds=0.01) for _ in range(20)}
    assert len(ids) == 20
    assert len({audio_id[0] for audio_id in ids}) > 2


def test_sweep_deletes_what_is_older_than_it_may_be(shelf: Shelf) -> None:
    shelf.settings = AudioSettings(keep_days=3, keep_mb=0)
    old, young = shelf.stored(age_days=3.1), shelf.stored(age_days=2.9)
    assert shelf.store.sweep() == 1
    assert shelf.files() == [f"{young}.wav"]
    with pytest.raises(AudioNotFound):
        shelf.store.get(old)


def test_sweep_deletes_the_oldest_until_the_rest_fits(shelf: Shelf) -> None:
    shelf.settings = AudioSettings(keep_days=0, keep_mb=1)
    ages = (1, 5, 3, 4, 2)  # 0.4 MB each
    ids = {age: shelf.stored(seconds=400_000 / 48_000, age_days=age) for age in ages}
    assert shelf.store.sweep() == 3
    assert shelf.files() == sorted(f"{ids[age]}.wav" for age in (1, 2))


def test_sweep_without_limits_deletes_nothing(shelf: Shelf) -> None:
    shelf.settings = AudioSettings(keep_days=0, keep_mb=0)
    shelf.stored(age_days=10_000)
    assert shelf.store.sweep() == 0


def test_sweep_of_a_folder_that_does_not_exist_is_nothing(shelf: Shelf) -> None:
    assert shelf.store.sweep() == 0


def test_sweep_leaves_what_grows_is_read_or_held(shelf: Shelf) -> None:
    shelf.settings = AudioSettings(keep_days=1, keep_mb=0)
    growing = shelf.store.create(AudioFormat.WAV, RATE)
    long_ago_s = shelf.clock.time() - 10 * 86_400
    os.utime(shelf.store.get(growing.audio_id).path, (long_ago_s, long_ago_s))
    read, held = shelf.stored(age_days=10), shelf.stored(age_days=10)
    reader = shelf.store.get(read).open()
    shelf.store.hold(held)
    shelf.store.hold(held)
    assert shelf.store.sweep() == 0

    reader.close()
    shelf.store.release(held)
    assert shelf.store.sweep() == 1
    shelf.store.release(held)
    shelf.store.release(held)
    assert shelf.store.sweep() == 1
    shelf.store.hold(held)  # too many releases leave no debt
    growing.finish()
    os.utime(shelf.store.get(growing.audio_id).path, (long_ago_s, long_ago_s))
    assert shelf.store.sweep() == 1
    assert shelf.files() == []


def test_stream_that_was_swept_cannot_be_opened_by_who_still_holds_it(shelf: Shelf) -> None:
    shelf.settings = AudioSettings(keep_days=1)
    stream = shelf.store.get(shelf.stored(age_days=2))
    shelf.store.sweep()
    with pytest.raises(AudioNotFound):
        stream.open()


def test_sweep_touches_only_its_own_files(shelf: Shelf) -> None:
    shelf.settings = AudioSettings(keep_days=1)
    shelf.stored(age_days=2)
    for name in ("notes.txt", "song.mp3", f"{'a' * 32}.txt", f"{'A' * 32}.wav"):
        (shelf.folder / name).write_text("mine")
        os.utime(shelf.folder / name, (1, 1))
    assert shelf.store.sweep() == 1
    assert len(shelf.files()) == 4


def test_sweep_goes_on_when_one_cannot_be_deleted(shelf: Shelf) -> None:
    shelf.settings = AudioSettings(keep_days=1)
    stuck = shelf.folder / f"{'a' * 32}.wav"
    stuck.mkdir(parents=True)
    os.utime(stuck, (1, 1))
    shelf.stored(age_days=2)
    assert shelf.store.sweep() == 1
    assert shelf.files() == [stuck.name]
