"""`engine`: the environments that neural engines run in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from alltalk_plugin.cli.context import CliContext, complain, failing_clearly
from alltalk_plugin.cli.tables import print_rows
from alltalk_plugin.domain.errors import AlltalkError, InstallError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alltalk_plugin.domain.engines import EngineSpec

_HEADINGS = ("engine", "runs in", "versions", "MB", "why")


@click.group()
def engine() -> None:
    """Install the libraries of neural engines, each engine apart; look at them, take them away."""


@engine.command("list")
@click.pass_obj
@failing_clearly
def list_engines(context: CliContext) -> None:
    """List the engines with where each runs, or why it cannot."""
    from alltalk_plugin.environments.locate import Standing, place

    rows = []
    for spec in _engines().values():
        found = place(context.home, spec)
        runs_in = {Standing.SERVICE: "the service", Standing.OWN: "its own environment"}
        rows.append(
            (
                spec.name,
                runs_in.get(found.standing, found.standing.value),
                found.versions,
                found.size_mb,
                found.why,
            )
        )
    print_rows(_HEADINGS, rows, as_json=context.as_json)


@engine.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option(
    "--device",
    type=click.Choice(["cpu", "cuda"]),
    help="Builds for it.  [default: cuda where an NVIDIA device is found]",
)
@click.option("--force", is_flag=True, help="Make it anew, whatever is there.")
@click.pass_obj
@failing_clearly
def install(context: CliContext, *, names: tuple[str, ...], device: str | None, force: bool) -> None:
    """Give each engine NAME an environment with the versions it was tried with.

    Stopped at any moment, the same command goes on where it was.
    """
    from alltalk_plugin.cli.engine_progress import watcher
    from alltalk_plugin.environments.install import install as make
    from alltalk_plugin.environments.locate import Standing

    engines = _engines()
    specs = [_spec(name, engines) for name in names]  # a misspelt one is told before the first is installed
    failed = False
    for spec in specs:
        try:
            with watcher() as tell:
                done = make(context.home, spec, device=device, force=force, tell=tell)
        except AlltalkError as error:
            failed = True  # the others need not suffer for it
            complain(error.message, error.code, error.hint)
            continue
        found = done.placement
        if found.standing is Standing.SERVICE:
            click.echo(f"{spec.name} runs in the service's environment: {found.why}")
        elif done.changed:
            cost = f"{found.size_mb} MB, {done.duration_s:.0f} s"
            click.echo(f"{spec.name} installed: {', '.join(found.versions)}; {cost}")
        else:
            click.echo(f"{spec.name} is already installed: {', '.join(found.versions)}")
    if failed:
        raise SystemExit(1)


@engine.command()
@click.argument("name")
@click.option("--force", is_flag=True, help="Also under workers that run from it.")
@click.pass_obj
@failing_clearly
def remove(context: CliContext, *, name: str, force: bool) -> None:
    """Take the environment of the engine NAME away; its models and voices stay."""
    from alltalk_plugin.environments.remove import installed_engines
    from alltalk_plugin.environments.remove import remove as take_away

    known = set(installed_engines(context.home)) | set(_engines())
    if name not in known:
        raise _unknown(name, known)
    gone = take_away(context.home, name, force=force)
    click.echo(f"{name} removed" if gone else f"{name} has no environment of its own: nothing to remove")


def _engines() -> Mapping[str, EngineSpec]:
    from alltalk_plugin.plugins.manager import load_plugins

    return load_plugins().engines


def _spec(name: str, engines: Mapping[str, EngineSpec]) -> EngineSpec:
    if name not in engines:
        raise _unknown(name, engines)
    return engines[name]


def _unknown(name: str, known: Mapping[str, object] | set[str]) -> InstallError:
    from alltalk_plugin.settings.nearest import did_you_mean

    return InstallError(
        f"there is no engine '{name}'{did_you_mean(name, known)}",
        hint="Run 'alltalk-plugin engine list' for the names.",
        context={"engine": name},
    )
