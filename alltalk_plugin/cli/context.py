"""What every command shares: the data folder, the settings file, how to print, how to fail."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import NoReturn, ParamSpec, TypeVar

import click

from alltalk_plugin import bridge
from alltalk_plugin.domain.errors import AlltalkError

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class CliContext:
    """The global options. `settings_file` None means the one in the data folder."""

    home: Path
    settings_file: Path | None
    as_json: bool
    verbose: bool

    def connect(self) -> bridge.Service:
        """The service of the data folder: the one that runs, or a new one started for this call.

        Raises: bridge.BridgeError.
        """
        self.home.mkdir(parents=True, exist_ok=True)
        return bridge.attach_or_start(
            self.home, interpreter=sys.executable, settings_file=self.settings_file, deadline_s=30.0
        )


def failing_clearly(command: Callable[P, R]) -> Callable[P, R]:
    """Turn an error of ours into one line on stderr with its code and hint, and exit 1."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except AlltalkError as error:
            fail(error.message, error.code, error.hint)
        except bridge.BridgeError as error:
            fail(str(error), error.code, error.hint)

    return wrapped


def fail(message: str, code: str, hint: str) -> NoReturn:
    """Say what failed and end with exit code 1."""
    complain(message, code, hint)
    raise SystemExit(1)


def complain(message: str, code: str, hint: str) -> None:
    """Say what failed, in one line."""
    click.echo(f"alltalk-plugin: {message} [{code}]" + (f". {hint}" if hint else ""), err=True)
