"""A model's card: which files it is made of, each with its size and SHA-256, where it came from, and which
terms its user accepted. One JSON file for each model in the data folder, so that nothing is ever written
beside files that are not ours."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from alltalk_plugin.domain.errors import AlltalkError, HashMismatch, InstallError, ModelNotFound
from alltalk_plugin.library.names import name_fault

CARDS = "model-cards"
_BLOCK_BYTES = 1_048_576

Progress = Callable[[int], None]
"""Told how many bytes more are done."""


def no_progress(_more_bytes: int) -> None:
    """For callers who do not watch."""


@dataclass(frozen=True, slots=True)
class FileRecord:
    """`path` is relative to the model's own where it lies below it."""

    path: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """`path` is the model's folder or file, empty when it has no files here. Times are ISO 8601, UTC;
    `terms_accepted` None: there were no terms to accept, or nobody was asked."""

    model: str
    engine: str
    kind: str
    path: str
    files: tuple[FileRecord, ...]
    source: str
    licence: str | None
    terms_accepted: str | None
    added: str


class Cards:
    """The cards of one data folder."""

    def __init__(self, home: Path) -> None:
        self._folder = home / CARDS

    def read(self, model: str) -> ModelCard | None:
        """None when there is no card. Raises: InstallError for one that makes no sense."""
        if name_fault(model) is not None:
            return None  # a name that only a settings file can give; none of ours
        path = self._path(model)
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            files = tuple(FileRecord(**one) for one in found.pop("files"))
            return ModelCard(**{**found, "files": files})
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InstallError(
                f"the card {path} cannot be read: {error}",
                hint="Delete that file and add the model again.",
                context={"model": model},
            ) from error

    def write(self, card: ModelCard) -> None:
        """Raises: InstallError."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=self._folder, prefix=".card-")
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    json.dump(asdict(card), file, ensure_ascii=False, indent=2)
                Path(temporary).replace(self._path(card.model))
            except BaseException:
                with suppress(OSError):
                    Path(temporary).unlink()
                raise
        except OSError as error:
            raise InstallError(
                f"the card of {card.model} cannot be written: {error.strerror}",
                hint="Check that the data folder is writable and the disk is not full.",
                context={"model": card.model},
            ) from error

    def remove(self, model: str) -> None:
        """Nothing happens when there is none."""
        if name_fault(model) is None:
            self._path(model).unlink(missing_ok=True)

    def _path(self, model: str) -> Path:
        return self._folder / f"{model}.json"


def record(path: Path, root: Path, progress: Progress = no_progress) -> FileRecord:
    """What is known of a file once it is read whole. Raises: ModelNotFound."""
    folder = root if root.is_dir() else root.parent
    below = path.is_relative_to(folder)
    try:
        return FileRecord(
            path=path.relative_to(folder).as_posix() if below else str(path),
            size_bytes=path.stat().st_size,
            sha256=sha256_of(path, progress),
        )
    except OSError as error:
        raise ModelNotFound(f"{path} cannot be read: {error.strerror}") from error


def sha256_of(path: Path, progress: Progress = no_progress) -> str:
    """Raises: OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
            progress(len(block))
    return digest.hexdigest()


def differences(card: ModelCard, progress: Progress = no_progress) -> Iterator[AlltalkError]:
    """What is not as the card says: ModelNotFound for a missing file, HashMismatch for another content."""
    root = Path(card.path)
    folder = root.parent if root.is_file() else root
    for known in card.files:
        path = folder / known.path
        try:
            size_bytes = path.stat().st_size
            if size_bytes != known.size_bytes:
                yield HashMismatch(
                    f"{path} has {size_bytes} bytes, it had {known.size_bytes}",
                    context={"model": card.model, "path": str(path), "want_sha256": known.sha256},
                )
                continue
            sha256 = sha256_of(path, progress)
        except OSError as error:
            yield ModelNotFound(
                f"{path} cannot be read: {error.strerror}",
                hint="Bring the file back, or remove the model and add it again.",
                context={"model": card.model, "path": str(path)},
            )
            continue
        if sha256 != known.sha256:
            yield HashMismatch(
                f"{path} was changed since the model was added",
                context={
                    "model": card.model,
                    "path": str(path),
                    "want_sha256": known.sha256,
                    "got_sha256": sha256,
                },
            )
