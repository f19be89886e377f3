from __future__ import annotations

import errno

import pytest
import soundfile

from alltalk_plugin.domain.audio import AudioFormat
from alltalk_plugin.domain.errors import AudioNotFound, Cancelled
from tests.audio.shelf import RATE, Shelf, speech_chunk
from tests.audio.sounds import chunks, speech


@pytest.mark.parametrize("audio_format", list(AudioFormat))
def test_stream_of_a_killed_service_is_kept_as_far_as_it_came(
    shelf: Shelf, audio_format: AudioFormat
) -> None:
    writer = shelf.store.create(audio_format, RATE)
    for chunk in chunks(speech(4.0, RATE), RATE, 1_400):
        writer.write(chunk)
    path = shelf.store.get(writer.audio_id).path
    size_bytes = path.stat().st_size

    stream = shelf.reopened().get(writer.audio_id)
    assert stream.complete
    assert stream.size_bytes == size_bytes
    assert shelf.files() == [path.name]
    with soundfile.SoundFile(path) as file:
        assert len(file.read(RATE)) == RATE
        if audio_format is AudioFormat.WAV:
            assert file.frames == 4 * RATE


@pytest.mark.parametrize("audio_format", list(AudioFormat))
def test_stream_of_a_killed_service_is_deleted_when_it_has_no_audio(
    shelf: Shelf, audio_format: AudioFormat
) -> None:
    writer = shelf.store.create(audio_format, RATE)
    with pytest.raises(AudioNotFound):
        shelf.reopened().get(writer.audio_id)
    assert shelf.files() == []


def test_aborted_stream_without_audio_is_gone_at_the_next_start(shelf: Shelf) -> None:
    writer = shelf.store.create(AudioFormat.MP3, RATE)
    writer.abort(Cancelled("at once"))
    assert shelf.store.get(writer.audio_id).error is not None
    shelf.reopened()
    assert shelf.files() == []


def test_marker_without_audio_is_removed_and_foreign_files_are_left_alone(shelf: Shelf) -> None:
    shelf.folder.mkdir(parents=True)
    (shelf.folder / f"{'a' * 32}.growing").touch()
    (shelf.folder / "notes.txt").write_text("mine")
    shelf.reopened()
    assert shelf.files() == ["notes.txt"]


def test_leftover_that_the_disk_refuses_to_mend_does_not_stop_the_start(shelf: Shelf) -> None:
    writer = shelf.store.create(AudioFormat.WAV, RATE)
    writer.write(speech_chunk())
    shelf.disk.refuse = errno.EROFS
    shelf.reopened()
    assert f"{writer.audio_id}.growing" in shelf.files()
    shelf.disk.refuse = None
    shelf.reopened()
    assert shelf.files() == [f"{writer.audio_id}.wav"]
