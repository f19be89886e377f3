"""The files of one engine in a data folder, and the command that brings them there."""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from alltalk_plugin.domain.errors import InstallError

ENGINES = "engines"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class EngineFolder:
    """Where an engine's environment lies, and what belongs to it. Raises: InstallError for a name that
    is no folder's name."""

    home: Path
    engine: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.engine):
            raise InstallError(
                f"{self.engine!r} cannot have a folder: letters, digits, '.', '_' and '-' only",
                hint="Run 'alltalk-plugin engine list' for the names.",
                context={"engine": self.engine},
            )

    @property
    def root(self) -> Path:
        return self.home / ENGINES / self.engine

    @property
    def interpreter(self) -> Path:
        return self.root / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    @property
    def packages(self) -> Path:
        """Its `site-packages`; one that does not exist when there is no environment."""
        if os.name == "nt":
            return self.root / "Lib" / "site-packages"
        found = sorted(self.root.glob("lib/python3.*/site-packages"))
        return found[0] if found else self.root / "lib" / "site-packages"

    @property
    def record(self) -> Path:
        """What was done, in the environment itself: it goes when that goes."""
        return self.root / "installed.json"

    @property
    def scratch(self) -> Path:
        """Where pip unpacks: /tmp is memory on many machines, and too small for torch."""
        return self.root / "scratch"

    @property
    def lock(self) -> Path:
        """Locked by the process that installs or removes; beside the environment, so that it stays."""
        return self.home / ENGINES / f".{self.engine}.lock"

    @property
    def log(self) -> Path:
        return self.home / "logs" / f"engine-{self.engine}.log"

    def thrown_away(self) -> tuple[Path, ...]:
        """What a removal that was interrupted left."""
        return tuple(self.root.parent.glob(f".{self.engine}.removed-*"))


def default_home() -> Path:
    """The data folder when nobody names one."""
    from platformdirs import user_data_path

    return user_data_path("alltalk-plugin", appauthor=False)


def install_command(home: Path, engine: str) -> str:
    """What to type so that `engine` is installed for the data folder `home`."""
    where = "" if home == default_home() else f" --home {shlex.quote(str(home))}"
    return f"alltalk-plugin{where} engine install {engine}"
