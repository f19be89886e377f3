"""`host`: an adapter's files in a chat program's folder."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from alltalk_plugin.cli.context import CliContext, failing_clearly
from alltalk_plugin.cli.listings import hosts

if TYPE_CHECKING:
    from alltalk_plugin.domain.hosts import HostAdapter

_PATH = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group()
def host() -> None:
    """Put the adapter's files into a chat program, look at them, take them away."""


host.add_command(hosts, "list")


@host.command()
@click.argument("name")
@click.argument("path", type=_PATH)
@click.pass_obj
@failing_clearly
def install(context: CliContext, name: str, path: Path) -> None:
    """Copy the adapter NAME into the chat program at PATH, or bring it to this version."""
    from alltalk_plugin.adapters import files

    adapter = _adapter(name)
    target = files.install(adapter, path, home=context.home, interpreter=Path(sys.executable))
    click.echo(f"installed in {target}. {adapter.switch_on}")


@host.command()
@click.argument("name")
@click.argument("path", type=_PATH)
@failing_clearly
def remove(name: str, path: Path) -> None:
    """Take the adapter NAME out of the chat program at PATH."""
    from alltalk_plugin.adapters import files

    click.echo(f"removed from {files.remove(_adapter(name), path)}; audio in the host's cache stays")


@host.command()
@click.argument("name")
@click.argument("path", type=_PATH)
@failing_clearly
def check(name: str, path: Path) -> None:
    """Check the adapter NAME in the chat program at PATH; exit 1 if something is wrong."""
    from alltalk_plugin.adapters import files

    found = files.check(_adapter(name), path)
    for finding in found.findings:
        click.echo(finding)
    if not found.ok:
        raise SystemExit(1)


def _adapters() -> dict[str, HostAdapter]:
    from alltalk_plugin.plugins.manager import load_plugins

    return dict(load_plugins().hosts)


def _adapter(name: str) -> HostAdapter:
    """The adapter of that name; text-generation-webui and text_generation_webui are alike."""
    from alltalk_plugin.domain.errors import HostUnknown
    from alltalk_plugin.settings.nearest import did_you_mean

    known = _adapters()
    wanted = name.replace("-", "_")
    if wanted not in known:
        raise HostUnknown(f"there is no adapter for {name!r}{did_you_mean(wanted, known)}")
    return known[wanted]
