"""`voices`, `models`, `plugins`, `hosts`: what there is."""

from __future__ import annotations

from typing import Any

import click

from alltalk_plugin.cli.context import CliContext, failing_clearly
from alltalk_plugin.cli.shelves import note_faults, open_shelf
from alltalk_plugin.cli.tables import print_rows


@click.command()
@click.pass_obj
@failing_clearly
def voices(context: CliContext) -> None:
    """List the voices, those found in the data folder too, and who uses them."""
    from alltalk_plugin.library.folders import VOICES
    from alltalk_plugin.voices.catalog import VoiceCatalog

    shelf = open_shelf(context)
    settings = shelf.settings
    users: dict[str, list[str]] = {name: [] for name in settings.voices}
    users[settings.default_voice].append("default")
    users[settings.narrator_voice].append("narrator")
    for name, character in settings.characters.items():
        for voice in {character.voice, *character.languages.values()}:
            users[voice].append(name)
        if character.narrator:
            users[character.narrator].append(f"narrator of {name}")
    for tag, voice in settings.languages.voices.items():
        users[voice].append(f"language {tag}")
    rows = [
        (
            profile.name,
            profile.model,
            profile.speaker,
            profile.language or "any",
            profile.rate,
            profile.pitch_semitones,
            profile.fallback,
            users[profile.name],
        )
        for profile in VoiceCatalog(lambda: settings).all()
    ]
    headings = ("voice", "model", "speaker", "language", "rate", "pitch", "fallback", "used by")
    print_rows(headings, rows, as_json=context.as_json)
    note_faults(shelf, VOICES)


@click.group(invoke_without_command=True)
@click.pass_context
def models(click_context: click.Context) -> None:
    """List the models with their state and memory; or pin or unload one."""
    if click_context.invoked_subcommand is None:
        _list_models(click_context.obj)


@failing_clearly
def _list_models(context: CliContext) -> None:
    listing = context.connect().request("GET", "/api/v1/models")
    headings = (
        "model",
        "engine",
        "state",
        "need MB",
        "resident MB",
        "leases",
        "pinned",
        "load time",
        "last error",
    )
    rows = [
        (
            model["id"],
            model["engine"],
            model["state"],
            _megabytes(model["need_bytes"]),
            _megabytes(model["resident_bytes"]),
            model["leases"],
            model["pinned"],
            expected_time(model),
            model["last_error"],
        )
        for model in listing["models"]
    ]
    print_rows(headings, rows, as_json=context.as_json)


@click.command()
@click.pass_obj
@failing_clearly
def plugins(context: CliContext) -> None:
    """List the plugins with their version and hooks, broken ones included."""
    from alltalk_plugin.plugins.manager import load_plugins

    rows = [(plugin.name, plugin.version, plugin.hooks, plugin.error) for plugin in load_plugins().listing()]
    print_rows(("plugin", "version", "hooks", "error"), rows, as_json=context.as_json)


@click.command()
@click.pass_obj
@failing_clearly
def hosts(context: CliContext) -> None:
    """List the hosts that have an adapter."""
    from alltalk_plugin.plugins.manager import load_plugins

    registry = load_plugins().hosts
    rows = [(name, len(adapter.files) or "none: speaks HTTP") for name, adapter in registry.items()]
    print_rows(("host", "files"), rows, as_json=context.as_json)


def _megabytes(count: Any) -> float | None:
    return None if count is None else count / 1e6


def expected_time(told: dict[str, Any]) -> str:
    """How long a load is expected to take, with its range."""
    if told["eta_s"] is None:
        return "unknown"
    least, most = told["eta_range_s"]
    return f"{told['eta_s']:.1f} s ({least:.1f} to {most:.1f})"
