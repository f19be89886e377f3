from __future__ import annotations

import errno
import threading

import numpy as np
import pytest
import soundfile

from alltalk_plugin.audio.encode import MEDIA_TYPES
from alltalk_plugin.domain.audio import AudioChunk, AudioFormat
from alltalk_plugin.domain.errors import FormatUnsupported, StoreFailed
from tests.audio.shelf import LONG_S, NOW, RATE, Shelf, read_to_end, speech_chunk
from tests.audio.sounds import chunks, speech


@pytest.mark.parametrize("audio_format", list(AudioFormat))
def test_readers_of_a_growing_stream_get_the_bytes_that_are_stored_but_for_the_head(
    shelf: Shelf, audio_format: AudioFormat
) -> None:
    writer = shelf.store.create(audio_format, RATE)
    stream = shelf.store.get(writer.audio_id)
    got: list[bytes] = [b""] * 4
    started = threading.Barrier(5)

    def follow(number: int) -> None:
        reader = stream.open()
        started.wait()
        got[number] = read_to_end(reader, size=(1, 100, 4_096, 1_000_000)[number] + 50)
        reader.close()

    threads = [threading.Thread(target=follow, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    started.wait()
    for chunk in chunks(speech(2.0, RATE), RATE, 1_400):
        writer.write(chunk)
    writer.finish()
    for thread in threads:
        thread.join()

    stored = stream.path.read_bytes()
    head = {AudioFormat.WAV: 44, AudioFormat.FLAC: 42, AudioFormat.MP3: 192}.get(audio_format, 0)
    assert {len(each) for each in got} == {len(stored)} == {stream.size_bytes}
    assert {each[head:] for each in got} == {stored[head:]}
    assert soundfile.info(stream.path).duration == pytest.approx(2.0, abs=0.005)
    assert stream.media_type == MEDIA_TYPES[audio_format]


def test_stream_is_visible_while_it_grows_and_says_so(shelf: Shelf) -> None:
    writer = shelf.store.create(AudioFormat.WAV, RATE)
    stream = shelf.store.get(writer.audio_id)
    assert (stream.complete, stream.etag, stream.size_bytes) == (False, None, 44)
    writer.write(speech_chunk(0.5))
    assert stream.size_bytes == 44 + RATE
    assert shelf.files() == sorted((f"{writer.audio_id}.growing", f"{writer.audio_id}.wav"))
    writer.finish()
    assert (stream.complete, stream.error) == (True, None)
    assert shelf.files() == [f"{writer.audio_id}.wav"]


def test_read_gives_none_when_nothing_comes_in_time_and_empty_at_the_end(shelf: Shelf) -> None:
    writer = shelf.store.create(AudioFormat.WAV, RATE)
    reader = shelf.store.get(writer.audio_id).open(offset=44)
    assert reader.read(100, NOW) is None
    writer.write(speech_chunk())
    assert len(reader.read(100, NOW) or b"") == 100
    writer.finish()
    read_to_end(reader)
    assert reader.read(100, NOW) == b""


def test_reader_may_begin_ahead_of_what_is_there(shelf: Shelf) -> None:
    writer = shelf.store.create(AudioFormat.WAV, RATE)
    stream = shelf.store.get(writer.audio_id)
    reader, beyond = stream.open(offset=1_000), stream.open(offset=10**9)
    assert reader.read(10, NOW) is None
    writer.write(speech_chunk())
    writer.finish()
    assert reader.read(10, NOW) == stream.path.read_bytes()[1_000:1_010]
    assert beyond.read(10, NOW) == b""


def test_waiting_reader_is_woken_by_the_producer(shelf: Shelf) -> None:
    writer = shelf.store.create(AudioFormat.WAV, RATE)
    reader = shelf.store.get(writer.audio_id).open(offset=44)
    got: list[bytes | None] = []
    thread = threading.Thread(target=lambda: got.append(reader.read(64, LONG_S)))
    thread.start()
    writer.write(speech_chunk())
    thread.join()
    assert len(got[0] or b"") == 64


def test_closing_a_reader_ends_its_waiting_read(shelf: Shelf) -> None:
    writer = shelf.store.create(AudioFormat.WAV, RATE)
    reader = shelf.store.get(writer.audio_id).open(offset=44)
    got: list[bytes | None] = []
    thread = threading.Thread(target=lambda: got.append(reader.read(64, LONG_S)))
    thread.start()
    reader.close()
    reader.close()
    thread.join()
    assert got == [b""]
    assert reader.read(64, LONG_S) == b""


def test_last_reader_gone_is_told_whenever_it_happens_and_not_before(shelf: Shelf) -> None:
    writer = shelf.store.create(AudioFormat.WAV, RATE)
    stream = shelf.store.get(writer.audio_id)
    readers_then: list[int] = []
    forget = stream.on_last_reader_gone(lambda: readers_then.append(stream.readers))
    first, second = stream.open(), stream.open()
    assert stream.readers == 2
    first.close()
    assert readers_then == []
    second.close()
    second.close()
    assert readers_then == [0]
    stream.open().close()
    assert readers_then == [0, 0]
    forget()
    stream.open().close()
    assert readers_then == [0, 0]


def test_complete_stream_is_found_again_after_a_restart_with_the_same_tag(shelf: Shelf) -> None:
    audio_id = shelf.stored()
    before = shelf.store.get(audio_id)
    after = shelf.reopened().get(audio_id)
    assert (after.complete, after.etag, after.audio_format) == (True, before.etag, before.audio_format)
    reader = after.open()
    assert read_to_end(reader) == before.path.read_bytes()
    reader.close()


def test_writer_refuses_another_rate_and_anything_after_the_end(shelf: Shelf) -> None:
    writer = shelf.store.create(AudioFormat.WAV, RATE)
    with pytest.raises(ValueError, match="Hz"):
        writer.write(AudioChunk(np.zeros(5, np.float32), RATE + 1))
    writer.finish()
    with pytest.raises(ValueError, match="ended"):
        writer.write(speech_chunk())
    with pytest.raises(ValueError, match="ended"):
        writer.finish()


def test_format_that_cannot_be_written_leaves_nothing_behind(shelf: Shelf) -> None:
    with pytest.raises(FormatUnsupported):
        shelf.store.create(AudioFormat.OPUS, 22_050)
    assert shelf.files() == []


def test_disk_that_breaks_while_it_is_read_is_an_error(shelf: Shelf) -> None:
    reader = shelf.store.get(shelf.stored()).open()
    shelf.disk.broken = True
    with pytest.raises(StoreFailed) as raised:
        reader.read(10, NOW)
    assert raised.value.context["errno"] == errno.EIO
    shelf.disk.broken = False
    assert len(reader.read(10, NOW) or b"") == 10


def test_reader_gets_only_what_the_writer_has_announced(shelf: Shelf) -> None:
    writer = shelf.store.create(AudioFormat.WAV, RATE)
    stream = shelf.store.get(writer.audio_id)
    reader = stream.open()
    with stream.path.open("ab") as file:
        file.write(b"half of a write that is still under way")
    assert len(reader.read(1_000, NOW) or b"") == 44
    assert reader.read(1_000, NOW) is None
