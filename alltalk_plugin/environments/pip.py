"""Runs an environment's own pip: its output into a log file, what matters of it to a listener."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from alltalk_plugin.environments.events import Downloading, Listener, Working

_LAST_LINES = 12
_PROGRESS = re.compile(r"Progress (\d+) of (\d+)")
_TOLD = ("Collecting", "Downloading", "Using cached", "Processing", "Obtaining", "Building", "Installing")

# pip ends with us, even when we are killed: an orphan would go on writing beside the next installer.
_TETHERED = """
import os, runpy, sys, threading
def watch():
    while os.read(0, 1):
        pass
    os._exit(9)
threading.Thread(target=watch, daemon=True).start()
sys.argv[0] = "pip"
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""


class PipFailed(Exception):
    """pip ended with an error; `reason` is its own first word about it, `last_lines` its last."""

    def __init__(self, reason: str, last_lines: Sequence[str]) -> None:
        super().__init__(reason)
        self.reason = reason
        self.last_lines = tuple(last_lines)


class Pip:
    """The pip of `interpreter`. Its settings are the user's own: files and PIP_* variables."""

    def __init__(self, interpreter: Path, *, log: Path, scratch: Path, tell: Listener) -> None:
        self._interpreter = interpreter
        self._log = log
        self._scratch = scratch
        self._tell = tell

    def run(self, *arguments: str) -> None:
        """Raises: PipFailed, OSError."""
        # PIP_USER=0: where a user's settings ask for --user, pip refuses to work in an environment.
        self._run(arguments, {"PIP_USER": "0"})

    def offers(self, requirement: str, index: str) -> bool:
        """Whether `index` answers and has the distribution; pip's other sources are not asked."""
        with tempfile.TemporaryDirectory(dir=self._scratch) as nothing:
            only = {"PIP_FIND_LINKS": nothing, "PIP_EXTRA_INDEX_URL": index, "PIP_DEFAULT_TIMEOUT": "15"}
            try:
                self._run(("index", "versions", requirement, "--index-url", index, "--retries", "1"), only)
            except PipFailed:
                return False
        return True

    def _run(self, arguments: Sequence[str], variables: Mapping[str, str]) -> None:
        self._scratch.mkdir(parents=True, exist_ok=True)
        self._log.parent.mkdir(parents=True, exist_ok=True)
        scratch = str(self._scratch)
        common = ["--no-input", "--disable-pip-version-check"]
        if arguments[0] == "install":
            common += ["--progress-bar", "raw"]
        with self._log.open("a", encoding="utf-8") as log:
            log.write(f"$ pip {' '.join(arguments)}\n")
            process = subprocess.Popen(
                [str(self._interpreter), "-I", "-X", "utf8", "-c", _TETHERED, *arguments, *common],
                stdin=subprocess.PIPE,  # held open: its end is the end of pip
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env={**os.environ, "TMPDIR": scratch, "TEMP": scratch, "TMP": scratch, **variables},
                encoding="utf-8",
                errors="replace",
            )
            with process:
                try:
                    lines = self._follow(process, log)
                    process.wait()  # before its stdin is closed, which would end it
                except BaseException:
                    process.kill()
                    raise
        if process.returncode != 0:
            said = [line for line in lines if line.startswith("ERROR:")]
            reason = (
                said[0].removeprefix("ERROR:").strip() if said else f"pip ended with {process.returncode}"
            )
            raise PipFailed(reason, lines[-_LAST_LINES:])

    def _follow(self, process: subprocess.Popen[str], log: IO[str]) -> list[str]:
        lines: list[str] = []
        for raw in process.stdout or ():
            line = raw.rstrip()
            if (progress := _PROGRESS.fullmatch(line)) is not None:
                self._tell(Downloading(int(progress[1]), int(progress[2])))
                continue
            with suppress(OSError):  # a full disk is pip's to report
                log.write(f"{line}\n")
            lines.append(line)
            if line.lstrip().startswith(_TOLD):
                self._tell(Working(line.strip()))
        return lines
