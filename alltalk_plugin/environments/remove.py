"""`engine remove`: takes an engine's environment away."""

from __future__ import annotations

from pathlib import Path

from alltalk_plugin.domain.errors import InstallError
from alltalk_plugin.environments import making
from alltalk_plugin.environments.exclusive import alone
from alltalk_plugin.environments.install import in_use
from alltalk_plugin.environments.places import EngineFolder


def remove(home: Path, engine: str, *, force: bool = False) -> bool:
    """Whether there was one. `force` removes it under processes that run from it.

    Raises: InstallError.
    """
    folder = EngineFolder(home, engine)
    if not folder.root.is_symlink() and not folder.root.exists() and not folder.thrown_away():
        return False
    with alone(folder):
        users = making.users_of(folder)
        if users and not force:
            raise in_use(folder, users, "Stop the service of this data folder first, or add --force.")
        try:
            making.throw_away(folder)
        except OSError as error:
            raise InstallError(
                f"{engine} could not be removed: {error.filename}: {error.strerror}",
                hint="Close what uses it and run the command again.",
                context={"engine": engine, "errno": error.errno},
            ) from error
    return True


def installed_engines(home: Path) -> tuple[str, ...]:
    """Every engine with a folder, known or not."""
    folder = home / "engines"
    if not folder.is_dir():
        return ()
    return tuple(sorted(path.name for path in folder.iterdir() if not path.name.startswith(".")))
