"""An archive's files put into a folder, and nowhere else."""

from __future__ import annotations

import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from alltalk_plugin.domain.errors import DownloadFailed, InstallError
from alltalk_plugin.library.names import name_fault

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
MOST_FILES = 10_000
"""A model has a dozen files; this many are an attack on the file system."""
_BLOCK_BYTES = 1_048_576


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive, and how to read it."""

    path: PurePosixPath
    size_bytes: int
    open: Callable[[], IO[bytes]]


def is_archive(name: str) -> bool:
    return name.lower().endswith(SUFFIXES)


def unpack(archive: Path, folder: Path, check_room: Callable[[int], None]) -> None:
    """Every file of `archive` below `folder`; a single folder around all of them is left out.

    Links, devices and names that lead elsewhere are refused before anything is written.
    Raises: DownloadFailed for an archive that is damaged or not to be trusted, InstallError.
    """
    with _opened(archive) as members:
        if not members:
            raise DownloadFailed(f"{archive.name} holds no files", hint="Check the address.")
        if len(members) > MOST_FILES:
            raise _untrusted(archive, f"it holds {len(members)} files")
        for member in members:
            _check(archive, member.path)
        check_room(sum(member.size_bytes for member in members))
        strip = 1 if len({member.path.parts[0] for member in members}) == 1 else 0
        strip = strip if all(len(member.path.parts) > 1 for member in members) else 0
        for member in members:
            _write(archive, member, folder.joinpath(*member.path.parts[strip:]))


@contextmanager
def _opened(archive: Path) -> Iterator[Sequence[Member]]:
    try:
        if archive.name.lower().endswith(".zip"):
            with zipfile.ZipFile(archive) as found:
                yield [_zip_member(archive, found, info) for info in found.infolist() if not info.is_dir()]
        else:
            with tarfile.open(archive) as found_tar:
                yield [_tar_member(archive, found_tar, info) for info in found_tar if not info.isdir()]
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, NotImplementedError) as error:
        raise DownloadFailed(
            f"{archive.name} is damaged or no archive that can be read: {error}",
            hint="Fetch it again.",
            context={"path": archive.name},
        ) from error
    except OSError as error:
        raise InstallError(
            f"{archive.name} cannot be unpacked: {error.strerror or error}",
            hint="Check that the data folder is writable and the disk is not full.",
        ) from error


def _zip_member(archive: Path, found: zipfile.ZipFile, info: zipfile.ZipInfo) -> Member:
    unix_kind = info.external_attr >> 28
    if unix_kind not in {0, 0o10}:
        raise _untrusted(archive, f"{info.filename!r} is no plain file")
    return Member(PurePosixPath(info.filename), info.file_size, lambda: found.open(info))


def _tar_member(archive: Path, found: tarfile.TarFile, info: tarfile.TarInfo) -> Member:
    if not info.isreg():
        raise _untrusted(archive, f"{info.name!r} is no plain file")

    def opened() -> IO[bytes]:
        file = found.extractfile(info)
        if file is None:  # links only, which were refused
            raise tarfile.ReadError(f"{info.name!r} has no content")
        return file

    return Member(PurePosixPath(info.name), info.size, opened)


def _check(archive: Path, path: PurePosixPath) -> None:
    parts = path.parts
    for part in parts:
        # A leading dot is fine in a file (.gitattributes); the rest is as for names of our own.
        if part == ".." or (fault := name_fault(part.lstrip(".") or part)) is not None:
            raise _untrusted(
                archive, f"{str(path)!r} leads elsewhere" if part == ".." else f"{part!r}: {fault}"
            )
    if path.is_absolute() or not parts:
        raise _untrusted(archive, f"{str(path)!r} leads elsewhere")


def _write(archive: Path, member: Member, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with member.open() as source, target.open("xb") as file:
        while block := source.read(_BLOCK_BYTES):
            written += len(block)
            if written > member.size_bytes:
                raise _untrusted(archive, f"{str(member.path)!r} is longer than it says")
            file.write(block)


def _untrusted(archive: Path, reason: str) -> DownloadFailed:
    return DownloadFailed(
        f"{archive.name} is not unpacked: {reason}",
        hint="Do not trust this file: get it from somewhere else.",
        context={"path": archive.name},
    )
