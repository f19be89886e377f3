"""The files that hold weights: what kind each is, how large, whether it is whole and safe. Stdlib only."""

from __future__ import annotations

import io
import json
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from alltalk_plugin.domain.errors import ModelCorrupt, ModelNotFound, UnsafeCheckpoint
from alltalk_plugin.engines.coqui.pickles import Global, check_pickle, plain_parts

ZIP_MAGIC, NUMPY_MAGIC = b"PK\x03\x04", b"\x93NUMPY"
_DESCR = re.compile(rb"'descr': *([^:]*), *'fortran_order'")
_LEGACY_HEADS = 3
"""A checkpoint from before PyTorch 1.6 has its magic number, protocol and machine as pickles of their own."""
_MAX_HEADER_BYTES = 100_000_000
"""The limit of the safetensors format; a pickle without its tensors stays far below too."""


def check_weights(path: Path, *, besides: Collection[Global] = ()) -> None:
    """See that a file holds weights and nothing that acts. Reads its headers only.

    Raises: ModelNotFound, ModelCorrupt, UnsafeCheckpoint.
    """
    with _opened(path) as file:
        magic = file.read(8)
        file.seek(0)
        if not magic:
            raise ModelCorrupt(f"{path.name} is empty", context={"path": str(path)})
        if magic.startswith(ZIP_MAGIC):
            with _archive(path) as archive, _pickled(archive, path) as pickled:
                check_pickle(pickled, path.name, besides=besides)
        elif path.suffix == ".safetensors":
            safetensors_header(path)
        elif magic.startswith(NUMPY_MAGIC):
            _check_numpy(file, path)
        else:
            _check_legacy(file, path, besides)


def weights_bytes(path: Path) -> int:
    """Bytes of all tensors in a file, from its headers. Raises: ModelNotFound, ModelCorrupt."""
    if path.suffix == ".safetensors":
        offsets = [entry["data_offsets"] for entry in safetensors_header(path).values()]
        return sum(end - start for start, end in offsets)
    with _opened(path) as file:
        zipped = file.read(4) == ZIP_MAGIC
    if not zipped:
        return path.stat().st_size
    with _archive(path) as archive:
        return sum(entry.file_size for entry in archive.infolist() if "/data/" in f"/{entry.filename}")


def check_whole(path: Path) -> None:
    """Compare every byte with its checksum, where the format has one: PyTorch itself does not.

    141 MB take 0.1 s from the page cache. Raises: ModelNotFound, ModelCorrupt.
    """
    with _opened(path) as file:
        if file.read(4) != ZIP_MAGIC:
            return
    with _archive(path) as archive:
        damaged = archive.testzip()
    if damaged is not None:
        raise ModelCorrupt(
            f"{path.name} is damaged: {damaged} is not what was written",
            context={"path": str(path), "entry": damaged},
        )


@contextmanager
def checked_whole(paths: Sequence[Path]) -> Iterator[None]:
    """`check_whole` of some files in another thread, while they are read here.

    Raises: ModelNotFound, ModelCorrupt; also in place of what a damaged file made go wrong meanwhile.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="checksums") as beside:
        checks = [beside.submit(check_whole, path) for path in paths]
        try:
            yield
        finally:
            for check in checks:
                check.result()


def names_in(path: Path, *, field: str | None = None) -> tuple[str, ...]:
    """The names in a file that maps them (speakers, languages) to numbers or tensors; JSON or pickle.

    `field`: the entry of each value that holds the name, where the keys are recordings.

    Raises: ModelNotFound, ModelCorrupt, UnsafeCheckpoint.
    """
    read = _json_in(path) if path.suffix == ".json" else _pickled_mapping(path)
    if not isinstance(read, dict):
        raise ModelCorrupt(f"{path.name} is no list of names", context={"path": str(path)})
    if field is None:
        return tuple(str(key) for key in read)
    return tuple(str(value[field]) for value in read.values() if isinstance(value, dict) and field in value)


def _json_in(path: Path) -> object:
    with _opened(path) as file:
        try:
            return json.load(file)
        except ValueError as error:
            raise ModelCorrupt(f"{path.name} is no JSON", context={"path": str(path)}) from error


def _pickled_mapping(path: Path) -> object:
    check_weights(path)
    with _opened(path) as file:
        if file.read(4) == ZIP_MAGIC:
            with _archive(path) as archive, _pickled(archive, path) as pickled:
                return plain_parts(pickled, path.name)
        file.seek(0)
        for _ in range(_LEGACY_HEADS):
            check_pickle(file, path.name)
        return plain_parts(file, path.name)


def safetensors_header(path: Path) -> dict[str, dict[str, list[int]]]:
    """Name of each tensor and where its bytes lie (`data_offsets`).

    Raises: ModelNotFound, ModelCorrupt when the header is none, or promises more than the file has.
    """
    with _opened(path) as file:
        size = path.stat().st_size
        head = file.read(8)
        length = struct.unpack("<Q", head)[0] if len(head) == 8 else 0
        sensible = 0 < length <= min(size - 8, _MAX_HEADER_BYTES)
        try:
            read = json.loads(file.read(length) if sensible else b"")
            tensors = {name: entry for name, entry in read.items() if name != "__metadata__"}
            ends = [int(entry["data_offsets"][1]) for entry in tensors.values()]
        except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
            raise ModelCorrupt(
                f"{path.name} has no safetensors header: {error}", context={"path": str(path)}
            ) from error
    if max(ends, default=0) != size - 8 - length:
        raise ModelCorrupt(f"{path.name} is cut short", context={"path": str(path), "bytes": size})
    return tensors


def _check_numpy(file: IO[bytes], path: Path) -> None:
    """Arrays of numbers are harmless; arrays of objects are pickles behind a text header."""
    head = file.read(12)
    wide = len(head) > 6 and head[6] >= 2
    length = int.from_bytes(head[8:12] if wide else head[8:10], "little")
    file.seek(12 if wide else 10)
    described = _DESCR.search(file.read(length))
    if described is None:
        raise ModelCorrupt(f"{path.name} has no NumPy header", context={"path": str(path)})
    if b"O" in described[1]:
        check_pickle(file, path.name)


def _check_legacy(file: IO[bytes], path: Path, besides: Collection[Global]) -> None:
    for _ in range(_LEGACY_HEADS + 2):
        check_pickle(file, path.name, besides=besides)


def _pickled(archive: zipfile.ZipFile, path: Path) -> IO[bytes]:
    """The one pickle of an archive, in memory, where it is walked in half the time.

    Raises: ModelCorrupt, UnsafeCheckpoint (a TorchScript program).
    """
    names = [entry for entry in archive.infolist() if entry.filename.rpartition("/")[2] == "data.pkl"]
    if any(name.endswith("constants.pkl") or "/code/" in name for name in archive.namelist()):
        raise UnsafeCheckpoint(f"{path.name} is a TorchScript program", context={"path": str(path)})
    if len(names) != 1 or names[0].file_size > _MAX_HEADER_BYTES:
        raise ModelCorrupt(f"{path.name} is no PyTorch checkpoint", context={"path": str(path)})
    return io.BytesIO(archive.read(names[0]))


@contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        # RuntimeError: encrypted. NotImplementedError: packed in a way that PyTorch never does.
        raise ModelCorrupt(
            f"{path.name} is damaged or cut short: {error}", context={"path": str(path)}
        ) from error


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    try:
        file = path.open("rb")
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise ModelNotFound(f"{path} cannot be read: {reason}", context={"path": str(path)}) from error
    with file:
        yield file
