"""The command line. Exit codes: 0 done, 1 the work failed, 2 wrong usage."""

from __future__ import annotations

from pathlib import Path

import click

from alltalk_plugin import __version__
from alltalk_plugin.cli.alltalk_import import import_alltalk
from alltalk_plugin.cli.compare import compare
from alltalk_plugin.cli.context import CliContext
from alltalk_plugin.cli.demo import demo
from alltalk_plugin.cli.doctor import doctor
from alltalk_plugin.cli.engine import engine
from alltalk_plugin.cli.hosts import host
from alltalk_plugin.cli.listings import hosts, models, plugins, voices
from alltalk_plugin.cli.model import model
from alltalk_plugin.cli.serve import serve
from alltalk_plugin.cli.speak import explain, say
from alltalk_plugin.cli.swaps import journal, rollback, swap
from alltalk_plugin.cli.voice import voice
from alltalk_plugin.environments.places import default_home


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="alltalk-plugin")
@click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="ALLTALK_PLUGIN_HOME",
    help="Data folder.  [env: ALLTALK_PLUGIN_HOME; default: the user's data folder]",
)
@click.option(
    "--settings",
    "settings_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Settings file.  [default: settings.yaml in the data folder]",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON where a table is printed.")
@click.option("-v", "--verbose", is_flag=True, help="Log to stderr in detail.")
@click.pass_context
def cli(
    context: click.Context, home: Path | None, settings_file: Path | None, as_json: bool, verbose: bool
) -> None:
    """Speak chat replies: every character, the narrator and each language in its own voice."""
    context.obj = CliContext(
        home=(home or default_home()).absolute(),
        settings_file=settings_file.absolute() if settings_file else None,
        as_json=as_json,
        verbose=verbose,
    )


_COMMANDS = (
    *(say, explain, serve, doctor, demo, compare),
    *(voices, models, plugins, hosts, host, engine),
    *(model, voice, import_alltalk),
    *(swap, rollback, journal),
)
for command in _COMMANDS:
    cli.add_command(command)


def main() -> None:
    """Entry point of the `alltalk-plugin` script."""
    cli(prog_name="alltalk-plugin")
