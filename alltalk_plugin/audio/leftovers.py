"""Streams that a killed service did not end."""

from __future__ import annotations

from pathlib import Path

from loguru import logger

from alltalk_plugin.audio.encode import WAV_HEADER_BYTES, wav_size_patches
from alltalk_plugin.audio.files import OpenFile, write_all
from alltalk_plugin.domain.audio import AudioFormat


def settle_leftovers(folder: Path, open_file: OpenFile) -> None:
    """End every stream in `folder` that has a marker: kept if it has audio, else deleted.

    To be called before any stream is made. What the disk refuses is logged and tried at the next start.
    """
    for marker in sorted(folder.glob("*.growing")):
        try:
            for audio_format in AudioFormat:
                _settle(marker.with_suffix(f".{audio_format}"), audio_format, open_file)
            marker.unlink(missing_ok=True)
        except OSError as error:
            logger.warning("audio of a killed service not settled", path=str(marker), errno=error.errno)


def _settle(path: Path, audio_format: AudioFormat, open_file: OpenFile) -> None:
    if not path.is_file():
        return
    if audio_format is AudioFormat.WAV:
        kept = path.stat().st_size > WAV_HEADER_BYTES
        if kept:
            _mend_wav(path, open_file)
    else:
        kept = _decodes(path)
    if not kept:
        path.unlink()
    logger.info("audio of a killed service settled", path=str(path), kept=kept)


def _mend_wav(path: Path, open_file: OpenFile) -> None:
    file = open_file(path, "r+b")
    try:
        for patch in wav_size_patches(path.stat().st_size):
            file.seek(patch.offset)
            write_all(file, patch.replacement)
    finally:
        file.close()


def _decodes(path: Path) -> bool:
    """Whether a decoder gets a sample out of it. The containers need no mending: all can be cut anywhere."""
    import soundfile

    try:
        with soundfile.SoundFile(path) as file:
            return len(file.read(1)) > 0
    except soundfile.LibsndfileError:
        return False
