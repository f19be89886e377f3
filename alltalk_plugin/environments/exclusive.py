"""One process at a time works on an engine's environment."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from alltalk_plugin.domain.errors import InstallError
from alltalk_plugin.environments.places import EngineFolder
from alltalk_plugin.ownership import lock_descriptor


@contextmanager
def alone(folder: EngineFolder, lock: Callable[[int], None] = lock_descriptor) -> Iterator[None]:
    """Hold the engine's lock; the operating system frees it when the process ends. Raises: InstallError."""
    try:
        folder.lock.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder.lock, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise InstallError(
            f"the data folder {folder.home} cannot be written to: {error.strerror}",
            hint="Choose another with --home.",
            context={"engine": folder.engine, "errno": error.errno},
        ) from error
    try:
        try:
            lock(descriptor)
        except (BlockingIOError, PermissionError) as error:  # the second is Windows' word
            raise InstallError(
                f"another process is installing or removing {folder.engine}",
                hint="Wait until it has ended, then run the command again.",
                context={"engine": folder.engine},
            ) from error
        except OSError as error:
            raise InstallError(
                f"the disk of {folder.home} cannot lock files: {error.strerror}",
                hint="Choose a data folder on a disk of this machine with --home.",
                context={"engine": folder.engine, "errno": error.errno},
            ) from error
        yield
    finally:
        os.close(descriptor)
