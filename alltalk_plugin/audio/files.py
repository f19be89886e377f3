"""The audio store's way to the disk; the place where tests make a disk full."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Literal, Protocol

from alltalk_plugin.domain.errors import StoreFailed

Mode = Literal["rb", "r+b", "x+b"]


class RawFile(Protocol):
    """An unbuffered file. What was written is seen by every other handle at once."""

    def write(self, b: bytes, /) -> int | None: ...
    def read(self, size: int = -1, /) -> bytes | None: ...
    def seek(self, offset: int, /) -> int: ...
    def truncate(self, size: int, /) -> int: ...
    def close(self) -> None: ...


OpenFile = Callable[[Path, Mode], RawFile]


def open_unbuffered(path: Path, mode: Mode) -> RawFile:
    return path.open(mode, buffering=0)


def write_all(file: RawFile, piece: bytes) -> None:
    """Write every byte: a raw write may take only a part, most likely when the disk is nearly full."""
    view = memoryview(piece)
    while view:
        written = file.write(bytes(view))
        if not written:
            raise OSError(errno.ENOSPC, "the file took no more bytes")
        view = view[written:]


_HINTS = {
    errno.ENOSPC: "The disk is full: free some space, or lower audio.keep_mb.",
    errno.EDQUOT: "The disk quota is used up: free some space, or lower audio.keep_mb.",
    errno.ENOENT: "The audio folder was removed while the service ran; it is made again with the next reply.",
    errno.EACCES: "Give the service's user the right to write there, or set audio.folder to another place.",
    errno.EPERM: "Give the service's user the right to write there, or set audio.folder to another place.",
    errno.EROFS: "The file system is read-only: set audio.folder to a writable place.",
    errno.EFBIG: "The reply is too long for one stream: send less text at once, or use mp3.",
}


def store_failed(path: Path, error: OSError) -> StoreFailed:
    """The error of a failed disk operation, to be raised `from` it."""
    return StoreFailed(
        f"the audio file {path} failed: {error.strerror or error}",
        hint=_HINTS.get(error.errno or 0),
        context={"path": str(path), "errno": error.errno},
    )
