"""Makes, tries and throws away the environment itself."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
from pathlib import Path

import psutil

from alltalk_plugin.domain.engines import EngineSpec
from alltalk_plugin.domain.errors import InstallError
from alltalk_plugin.environments.places import EngineFolder
from alltalk_plugin.workers.supervisor import CHILD

IMPORT_CHECK = Path(__file__).with_name("import_check.py")
IMPORT_TIMEOUT_S = 600.0
"""torch and transformers, read for the first time from a slow disk by a virus scanner."""


def make(folder: EngineFolder) -> None:
    """An empty environment with a pip, from this interpreter; nothing is downloaded. Raises: InstallError.

    virtualenv and not venv: Debian's Python lacks the latter's pip.
    """
    folder.scratch.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "virtualenv", "--quiet", "--no-download", "--no-periodic-update"]
    command += ["--app-data", str(folder.scratch), "--python", sys.executable, str(folder.root)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode != 0:
        why = (made.stderr or made.stdout).strip().splitlines() or [f"exit code {made.returncode}"]
        raise InstallError(
            f"no environment could be made in {folder.root}: {why[-1]}",
            hint="Check that the folder can be written to, and install alltalk-plugin again with pip.",
            context={"engine": folder.engine},
        )


def try_import(folder: EngineFolder, spec: EngineSpec) -> None:
    """Import the engine in its environment, as a worker does. Raises: InstallError."""
    isolated = [str(folder.interpreter), "-I", "-X", "utf8"]
    try:
        tried = subprocess.run(
            [*isolated, str(IMPORT_CHECK), str(CHILD), spec.entry],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=IMPORT_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _unusable(folder, f"its import took more than {IMPORT_TIMEOUT_S:g} s") from error
    with folder.log.open("a", encoding="utf-8") as log:
        log.write(f"$ import {spec.entry}\n{tried.stdout}{tried.stderr}")
    if tried.returncode != 0:
        said = tried.stderr.strip().splitlines() or [f"it ended with exit code {tried.returncode}"]
        raise _unusable(folder, said[-1])


def throw_away(folder: EngineFolder) -> None:
    """Remove the environment and what earlier removals left. Raises: OSError.

    It is renamed first: killed in the middle, a removal never leaves half an environment in its place.
    """
    if folder.root.is_symlink():
        folder.root.unlink()
    elif folder.root.exists():
        folder.root.rename(folder.root.with_name(f".{folder.engine}.removed-{secrets.token_hex(4)}"))
    for left in folder.thrown_away():
        shutil.rmtree(left)


def users_of(folder: EngineFolder) -> tuple[int, ...]:
    """The processes that run from the environment."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"]
        if command and Path(command[0]).is_relative_to(folder.root):
            found.append(process.pid)
    return tuple(found)


def size_bytes(root: Path) -> int:
    """What the files of a folder take together."""
    total = 0
    for parent, _, names in os.walk(root):
        for name in names:
            total += os.lstat(os.path.join(parent, name)).st_size  # noqa: PTH118  60,000 files: pathlib doubles the time
    return total


def _unusable(folder: EngineFolder, why: str) -> InstallError:
    return InstallError(
        f"{folder.engine} was installed, but cannot be imported: {why}",
        hint=f"The whole report is in {folder.log}. Run the command again with --force to make it anew.",
        context={"engine": folder.engine, "step": "import", "log": str(folder.log)},
    )
