"""The settings of a running service: read again when the file changes, written back by key."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from loguru import logger

from alltalk_plugin.domain.errors import SettingsError, SettingsWriteError
from alltalk_plugin.settings.document import parse
from alltalk_plugin.settings.edit import NotASection, SettingValue, edit
from alltalk_plugin.settings.found import FoundSource
from alltalk_plugin.settings.load import PluginSections, load_settings, read_settings
from alltalk_plugin.settings.schema import Settings

Key = str | tuple[str, ...]
"""`speech.activate`, or its parts where a name itself holds a dot: ("voices", "v1.2", "rate")."""


@dataclass(frozen=True, slots=True)
class _Stamp:
    """What tells one state of the file from another without reading it."""

    mtime_ns: int
    size: int
    inode: int


class SettingsStore:
    """Thread-safe. `current` never blocks; a reload or an update may take some milliseconds of disk."""

    def __init__(
        self,
        path: Path,
        *,
        must_exist: bool = False,
        plugin_sections: PluginSections | None = None,
        found: FoundSource | None = None,
    ) -> None:
        """Read `path`. Raises: SettingsError, since there are no good settings to keep yet."""
        # Through a link to the file behind it: replacing would turn the link into a file.
        self.path = Path(os.path.realpath(path))
        self._plugin_sections = plugin_sections
        self._found = found
        self._lock = threading.Lock()
        self._stamp = _stamp(self.path)
        self._existed = self._stamp is not None
        self._current = load_settings(
            self.path, must_exist=must_exist, plugin_sections=plugin_sections, found=found
        )
        self._hashed: tuple[Settings, str] | None = None
        self._last_error: SettingsError | None = None

    @property
    def current(self) -> Settings:
        """The last good settings."""
        return self._current

    @property
    def last_error(self) -> SettingsError | None:
        """Why the file as it is now is not in force; None when it is."""
        return self._last_error

    def reload_if_changed(self) -> bool:
        """Read the file again if it, or what lies in the data folder, is another than last time; True when
        its settings came into force.

        A bad or missing file leaves the last good settings in force; `last_error` says why.
        """
        with self._lock:
            # Stamped before reading: a write in between shows up as a change next time.
            stamp = _stamp(self.path)
            if stamp == self._stamp and (self._found is None or not self._found.changed()):
                return False
            self._stamp = stamp
            self._existed = self._existed or stamp is not None
            try:
                settings = load_settings(
                    self.path,
                    must_exist=self._existed,
                    plugin_sections=self._plugin_sections,
                    found=self._found,
                )
            except SettingsError as error:
                self._last_error = error
                logger.warning("settings not usable, the last good ones stay in force", reason=error.message)
                return False
            self._current, self._last_error = settings, None
        logger.info("settings read again", path=str(self.path))
        return True

    def update(self, changes: Mapping[Key, SettingValue]) -> Settings:
        """Change single keys in the file as it is now, and put the result into force.

        None takes a key out, so that its default holds. Nothing is written when the result would not be
        valid.

        Raises: SettingsError, SettingsWriteError.
        """
        by_path = {_parts(key): value for key, value in changes.items()}
        with self._lock:
            before = self._read()
            parse(before, str(self.path))  # a broken file is left as it is
            newline = "\r\n" if "\r\n" in before else "\n"
            try:
                after = edit(before.replace("\r\n", "\n"), by_path)
            except NotASection as error:
                raise SettingsError(
                    f"{self.path}: {error} is a plain value and has no keys below it",
                    context={"file": str(self.path), "key": str(error)},
                ) from error
            settings = read_settings(
                after, self.path, plugin_sections=self._plugin_sections, found=self._found
            )
            self._write(after.replace("\n", newline))
            self._stamp, self._existed = _stamp(self.path), True
            self._current, self._last_error = settings, None
        logger.info("settings changed", keys=[".".join(path) for path in by_path])
        return settings

    def hash(self) -> str:
        """SHA-256 of the current settings in canonical JSON; equal exactly when all values are."""
        settings, hashed = self._current, self._hashed
        if hashed is None or hashed[0] is not settings:
            canonical = json.dumps(settings.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
            hashed = (settings, hashlib.sha256(canonical.encode()).hexdigest())
            self._hashed = hashed
        return hashed[1]

    def _read(self) -> str:
        try:
            with self.path.open(encoding="utf-8-sig", newline="") as file:
                return file.read()
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsWriteError(
                f"{self.path} cannot be read before a change: {error}", context={"file": str(self.path)}
            ) from error

    def _write(self, text: str) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # mkstemp gives 0600: a new file may come to hold server.token.
            handle, temporary = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
            try:
                with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                    file.write(text)
                    file.flush()
                    os.fsync(file.fileno())
                if self.path.exists():
                    Path(temporary).chmod(self.path.stat().st_mode & 0o777)
                Path(temporary).replace(self.path)
            except BaseException:
                with contextlib.suppress(OSError):
                    Path(temporary).unlink()
                raise
        except OSError as error:
            raise SettingsWriteError(
                f"{self.path} cannot be written: {error.strerror}",
                context={"file": str(self.path), "errno": error.errno},
            ) from error


def _parts(key: Key) -> tuple[str, ...]:
    parts = tuple(key.split(".")) if isinstance(key, str) else key
    if not parts or not all(parts):
        raise SettingsError(f"not a settings key: {key!r}", context={"key": str(key)})
    return parts


def _stamp(path: Path) -> _Stamp | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return _Stamp(status.st_mtime_ns, status.st_size, status.st_ino)
