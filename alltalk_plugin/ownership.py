"""One owner per data folder: the process that holds the operating system's lock on `owner.lock`.

The owner may publish where it listens in `address.json`. Whoever comes second is a client of it
(`attach`). A dead owner's lock is free again by itself; its stale address goes when the next one comes.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Self

import psutil
from loguru import logger

from alltalk_plugin import __version__, bridge
from alltalk_plugin.domain.errors import (
    AlltalkError,
    DataFolderUnusable,
    LockUnavailable,
    OwnedElsewhere,
    VersionMismatch,
    error_from_code,
)

LOCK_FILE = "owner.lock"

_HELD = {errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK, errno.EDEADLK}
"""What a lock call says when another holds the lock; EACCES and EDEADLK are Windows' words."""

if sys.platform == "win32":
    import msvcrt

    # Windows locks keep other processes from reading the bytes they cover: cover one behind the content.
    _LOCKED_BYTE = 4096

    def lock_descriptor(descriptor: int) -> None:
        """Lock an open file for this process, without waiting. Raises: OSError."""
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        os.lseek(descriptor, 0, os.SEEK_SET)

else:
    import fcntl

    def lock_descriptor(descriptor: int) -> None:
        """Lock an open file for this process, without waiting. Raises: OSError."""
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class Ownership:
    """The data folder `home` belongs to this process until closed. Thread-safe."""

    def __init__(self, home: Path, descriptor: int) -> None:
        self.home = home
        self._descriptor: int | None = descriptor
        self._published: bridge.Address | None = None

    def publish(self, port: int, token: str, *, host: str = "127.0.0.1") -> bridge.Address:
        """Write `address.json` (mode 0600, atomic); `host` is where clients on this machine connect.

        Raises: DataFolderUnusable.
        """
        address = bridge.Address(
            host=host,
            port=port,
            token=token,
            version=__version__,
            pid=os.getpid(),
            started_at=psutil.Process().create_time(),
        )
        try:
            _write_private(self.home / bridge.ADDRESS_FILE, json.dumps(asdict(address)))
        except OSError as error:
            raise _unusable(self.home, error) from error
        self._published = address
        return address

    def close(self) -> None:
        """Take the address back and free the folder. Idempotent."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is None:
            return
        if self._published is not None:
            with contextlib.suppress(OSError):
                (self.home / bridge.ADDRESS_FILE).unlink()
        os.close(descriptor)  # frees the lock; the file stays, or two could lock two different ones

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()


def own(home: Path, *, lock: Callable[[int], None] = lock_descriptor) -> Ownership:
    """Make this process the owner of `home` (created if missing), until closed.

    Raises: OwnedElsewhere, DataFolderUnusable, LockUnavailable.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(home / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise _unusable(home, error) from error
    try:
        _take(home, descriptor, lock)
        # No address is true before we publish ours: nobody may attach to a dead owner's.
        (home / bridge.ADDRESS_FILE).unlink(missing_ok=True)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode("ascii"))
    except OSError as error:
        os.close(descriptor)
        raise _unusable(home, error) from error
    except AlltalkError:
        os.close(descriptor)
        raise
    logger.debug("data folder owned", home=str(home))
    return Ownership(home, descriptor)


def attach(home: Path) -> bridge.Service:
    """A client of the living owner of `home`, which must be of our version.

    Raises: ServiceUnreachable, VersionMismatch.
    """
    try:
        service = bridge.attach(home)
    except bridge.BridgeError as error:
        raise typed(error) from error
    return _same_version(service)


def attach_or_start(
    home: Path, *, settings_file: Path | None = None, deadline_s: float = 30.0
) -> bridge.Service:
    """A client of the owner of `home`; without one, a service is started with this interpreter.

    Raises: ServiceUnreachable, VersionMismatch, DeadlineExceeded.
    """
    try:
        service = bridge.attach_or_start(
            home, interpreter=sys.executable, settings_file=settings_file, deadline_s=deadline_s
        )
    except bridge.BridgeError as error:
        raise typed(error) from error
    return _same_version(service)


def typed(error: bridge.BridgeError) -> AlltalkError:
    """A bridge's error as one of the tree, by its code."""
    return error_from_code(error.code, error.message, hint=error.hint or None, context=error.context)


def _same_version(service: bridge.Service) -> bridge.Service:
    theirs = service.address.version
    if theirs != __version__:
        raise VersionMismatch(
            f"the running service is version {theirs}, this is {__version__}",
            context={"ours": __version__, "theirs": theirs, "pid": service.address.pid},
        )
    return service


def _take(home: Path, descriptor: int, lock: Callable[[int], None]) -> None:
    try:
        lock(descriptor)
    except OSError as error:
        if error.errno in _HELD:
            raise _owned_elsewhere(home) from error
        # ENOLCK, EOPNOTSUPP, ENOSYS and their kin: network and user-space file systems.
        raise LockUnavailable(
            f"the file system of {home} cannot lock files: {error.strerror or error}",
            context={"errno": error.errno},
        ) from error


def _owned_elsewhere(home: Path) -> OwnedElsewhere:
    pid: int | None = None
    with contextlib.suppress(OSError, ValueError):
        pid = int((home / LOCK_FILE).read_text(encoding="ascii"))
    address: str | None = None
    with contextlib.suppress(bridge.BridgeError):
        published = bridge.read_address(home)
        address = published.url if published is not None and published.pid == pid else None
    listening = f", listening at {address}" if address else ""
    return OwnedElsewhere(
        f"{home} belongs to another running process (pid {pid or 'unknown'}{listening})",
        context={"pid": pid, "address": address},
    )


def _write_private(path: Path, text: str) -> None:
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise


def _unusable(home: Path, error: OSError) -> DataFolderUnusable:
    return DataFolderUnusable(
        f"the data folder {home} cannot be used: {error.strerror or error}", context={"errno": error.errno}
    )
