from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable

import pytest
import soundfile

from alltalk_plugin.domain.audio import AudioFormat
from alltalk_plugin.domain.errors import AudioNotFound, Cancelled, StoreFailed
from tests.audio.shelf import NOW, RATE, Shelf, speech_chunk


def test_abort_gives_readers_what_is_there_and_then_the_error(shelf: Shelf) -> None:
    writer = shelf.store.create(AudioFormat.OPUS, RATE)
    stream = shelf.store.get(writer.audio_id)
    reader = stream.open()
    writer.write(speech_chunk(0.7))
    writer.abort(Cancelled("stopped", hint="none"))
    writer.abort(Cancelled("again"))
    gathered = b""
    with pytest.raises(Cancelled, match="stopped") as raised:
        while piece := reader.read(4_096, NOW):
            gathered += piece
    assert raised.value.hint == "none"
    assert gathered == stream.path.read_bytes()
    assert soundfile.info(stream.path).duration == pytest.approx(0.7, abs=0.01)
    assert stream.complete
    assert stream.error is not None
    assert shelf.files() == [f"{writer.audio_id}.opus"]


def test_abort_on_a_full_disk_ends_the_stream_with_the_reason_it_was_given(shelf: Shelf) -> None:
    writer = shelf.store.create(AudioFormat.OPUS, RATE)
    writer.write(speech_chunk(0.7))
    shelf.disk.space_bytes = 0
    writer.abort(Cancelled("stopped"))
    stream = shelf.store.get(writer.audio_id)
    assert stream.complete
    assert isinstance(stream.error, Cancelled)
    assert f"{writer.audio_id}.growing" in shelf.files()  # so that the next start looks at it


def full_at_header(shelf: Shelf) -> None:
    shelf.disk.space_bytes = 10
    shelf.store.create(AudioFormat.WAV, RATE)


def full_in_the_middle(shelf: Shelf) -> None:
    writer = shelf.store.create(AudioFormat.WAV, RATE)
    writer.write(speech_chunk())
    shelf.disk.space_bytes = 1_001
    writer.write(speech_chunk())


def full_at_the_tail(shelf: Shelf) -> None:
    writer = shelf.store.create(AudioFormat.OPUS, RATE)
    writer.write(speech_chunk(1.5))
    shelf.disk.space_bytes = 100
    writer.finish()


def full_at_the_patch(shelf: Shelf) -> None:
    writer = shelf.store.create(AudioFormat.WAV, RATE)
    writer.write(speech_chunk())
    shelf.disk.space_bytes = 2
    writer.finish()


def folder_is_a_file(shelf: Shelf) -> None:
    shelf.folder.parent.mkdir(parents=True)
    shelf.folder.write_text("in the way")
    shelf.store.create(AudioFormat.WAV, RATE)


def folder_removed(shelf: Shelf) -> None:
    writer = shelf.store.create(AudioFormat.WAV, RATE)
    writer.write(speech_chunk())
    shutil.rmtree(shelf.folder)
    writer.finish()


def read_only(shelf: Shelf) -> None:
    shelf.disk.refuse = errno.EROFS
    shelf.store.create(AudioFormat.WAV, RATE)


def not_permitted(shelf: Shelf) -> None:
    shelf.disk.refuse = errno.EACCES
    shelf.store.create(AudioFormat.WAV, RATE)


def never_ending(shelf: Shelf) -> None:
    shelf.max_stream_bytes = 50_000
    writer = shelf.reopened().create(AudioFormat.WAV, RATE)
    for _ in range(10):
        writer.write(speech_chunk())


@pytest.mark.parametrize(
    ("failure", "number", "advice"),
    [
        (full_at_header, errno.ENOSPC, "free some space"),
        (full_in_the_middle, errno.ENOSPC, "free some space"),
        (full_at_the_tail, errno.ENOSPC, "free some space"),
        (full_at_the_patch, errno.ENOSPC, "free some space"),
        (folder_is_a_file, errno.EEXIST, "writable"),
        (folder_removed, errno.ENOENT, "made again"),
        (read_only, errno.EROFS, "read-only"),
        (not_permitted, errno.EACCES, "right to write"),
        (never_ending, errno.EFBIG, "too long"),
    ],
)
def test_disk_that_fails_gives_an_error_with_path_number_and_advice(
    shelf: Shelf, failure: Callable[[Shelf], None], number: int, advice: str
) -> None:
    with pytest.raises(StoreFailed) as raised:
        failure(shelf)
    assert raised.value.context["errno"] == number
    assert str(raised.value.context["path"]).startswith(str(shelf.folder))
    assert advice in raised.value.hint


def test_failed_header_leaves_no_file(shelf: Shelf) -> None:
    with pytest.raises(StoreFailed):
        full_at_header(shelf)
    assert shelf.files() == []


def test_disk_full_in_the_middle_ends_the_stream_and_the_audio_before_it_is_kept(shelf: Shelf) -> None:
    writer = shelf.store.create(AudioFormat.WAV, RATE)
    stream = shelf.store.get(writer.audio_id)
    reader = stream.open()
    writer.write(speech_chunk(0.5))
    shelf.disk.space_bytes = 777
    with pytest.raises(StoreFailed) as raised:
        writer.write(speech_chunk(0.5))
    calls: tuple[Callable[[], None], ...] = (lambda: writer.write(speech_chunk()), writer.finish)
    for call in calls:
        with pytest.raises(StoreFailed):
            call()
    writer.abort(Cancelled("later"))
    assert len(reader.read(10**6, NOW) or b"") == 44 + RATE
    with pytest.raises(StoreFailed):
        reader.read(1, NOW)
    assert stream.error is raised.value
    reader.close()

    shelf.disk.space_bytes = None
    kept = shelf.reopened().get(writer.audio_id)
    assert (kept.complete, kept.error, kept.size_bytes) == (True, None, 44 + RATE)
    assert soundfile.info(kept.path).duration == pytest.approx(0.5)


def test_store_works_again_when_the_disk_does(shelf: Shelf) -> None:
    with pytest.raises(StoreFailed):
        folder_removed(shelf)
    assert soundfile.info(shelf.store.get(shelf.stored()).path).duration == pytest.approx(0.5)


def test_reader_of_a_file_that_was_removed_or_cut_gets_an_error(shelf: Shelf) -> None:
    cut, removed = shelf.store.get(shelf.stored()), shelf.store.get(shelf.stored())
    reader = cut.open(offset=1_000)
    os.truncate(cut.path, 100)
    with pytest.raises(StoreFailed):
        reader.read(10, NOW)
    removed.path.unlink()
    with pytest.raises(AudioNotFound):
        removed.open()
    assert removed.readers == 0


def test_marker_that_cannot_be_removed_does_not_lose_the_audio(shelf: Shelf) -> None:
    writer = shelf.store.create(AudioFormat.WAV, RATE)
    stream = shelf.store.get(writer.audio_id)
    marker = stream.path.with_suffix(".growing")
    marker.unlink()
    marker.mkdir()
    writer.write(speech_chunk())
    writer.finish()
    assert (stream.complete, stream.error) == (True, None)
