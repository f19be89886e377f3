"""`model`: fetch, add, list, check and remove models."""

from __future__ import annotations

import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import click

from alltalk_plugin import bridge
from alltalk_plugin.cli import speech_server
from alltalk_plugin.cli.byte_progress import ByteProgress, byte_progress
from alltalk_plugin.cli.context import CliContext, failing_clearly
from alltalk_plugin.cli.shelves import note_engine, note_faults, open_shelf, self_tests
from alltalk_plugin.cli.tables import print_json, print_rows

if TYPE_CHECKING:
    from alltalk_plugin.library.adding import AddedModel
    from alltalk_plugin.library.getting import Consent, Terms
    from alltalk_plugin.library.shelf import Shelf

_SHOWN_LANGUAGES = 6
_ENGINE = click.option("--engine", help="Engine.  [default: the one that knows the files]")
_DEVICE = click.option("--device", default="cpu", show_default=True, help="cpu, cuda:0, mps")
_TEST = click.option("--test", "tested", is_flag=True, help="Load it and let it speak before it is added.")


@click.group()
def model() -> None:
    """Fetch, add, check and remove models."""


@model.command()
@click.argument("source", metavar="PATH_OR_ADDRESS")
@_ENGINE
@click.option("--id", "name", help="Name of the model.  [default: that of the folder or file]")
@_DEVICE
@click.option("--option", "options", multiple=True, metavar="NAME=VALUE", help="Load option of the engine.")
@click.option("--copy", "copied", is_flag=True, help="Copy the files into the data folder.")
@click.option("--voices", is_flag=True, help="Of a server: add a voice for each that it has.")
@_TEST
@click.pass_obj
@failing_clearly
def add(
    context: CliContext,
    *,
    source: str,
    engine: str | None,
    name: str | None,
    device: str,
    options: tuple[str, ...],
    copied: bool,
    voices: bool,
    tested: bool,
) -> None:
    """Add the model at a path; its files stay where they are unless --copy is given. Or the address
    (http, https) of a speech server with the OpenAI API: it is asked what it has."""
    from alltalk_plugin.domain.models import Device
    from alltalk_plugin.library.adding import NewModel, add_model

    shelf = open_shelf(context)
    pairs = [option.partition("=") for option in options]
    if any(not separator for _, separator, _ in pairs):
        raise click.UsageError("--option takes NAME=VALUE.")
    if speech_server.is_address(source):
        if copied or engine not in (None, speech_server.ENGINE):
            raise click.UsageError("An address is a speech server's; 'model get' fetches files.")
        told = {key: value for key, _, value in pairs}
        new, offer = speech_server.new_model(source, name, told)
        with ExitStack() as stack:
            test = stack.enter_context(self_tests(context, shelf)) if tested else None
            speech_server.add_from_server(context, shelf, new, offer, voices=voices, test=test)
        return
    if voices:
        raise click.UsageError("--voices is for the address of a server.")
    path = Path(source)
    new = NewModel(
        name=name or path.absolute().name.removesuffix(".onnx"),
        path=path,
        engine=engine,
        device=Device(device),
        options={key: value for key, _, value in pairs},
        copied=copied,
    )
    with ExitStack() as stack:
        test = stack.enter_context(self_tests(context, shelf)) if tested else None
        progress = stack.enter_context(byte_progress("reading"))
        added = add_model(shelf, new, self_test=test, progress=progress)
    _print_added(context, shelf, added)


@model.command()
@click.argument("source")
@_ENGINE
@click.option("--id", "name", help="Name of the model.  [default: that of the catalogue]")
@_DEVICE
@click.option(
    "--catalogue", metavar="URL", help="Another copy of Piper's voices.json or Coqui's .models.json."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--accept-terms", is_flag=True, help="Accept the terms of use that the model has.")
@_TEST
@click.pass_obj
@failing_clearly
def get(
    context: CliContext,
    *,
    source: str,
    engine: str | None,
    name: str | None,
    device: str,
    catalogue: str | None,
    yes: bool,
    accept_terms: bool,
    tested: bool,
) -> None:
    """Fetch a model: piper:VOICE, coqui:NAME, or the address of an archive or .onnx file.

    Size and licence are shown first. What has come is kept when it breaks off; the same command goes on.
    """
    from alltalk_plugin.domain.models import Device
    from alltalk_plugin.library.catalogues import find_offer
    from alltalk_plugin.library.getting import get_model
    from alltalk_plugin.ownership import lock_descriptor

    shelf = open_shelf(context)
    offer = find_offer(source, catalogue)
    with ExitStack() as stack:
        test = stack.enter_context(self_tests(context, shelf)) if tested else None
        progress = stack.enter_context(byte_progress("fetching"))
        added = get_model(
            shelf,
            offer,
            name=name,
            engine=engine,
            device=Device(device),
            consent=_consent(progress, yes=yes, accept_terms=accept_terms),
            lock=lock_descriptor,
            self_test=test,
            progress=progress,
        )
    _print_added(context, shelf, added)


@model.command("list")
@click.pass_obj
@failing_clearly
def list_(context: CliContext) -> None:
    """List the models with what their files say, broken ones with the reason."""
    from alltalk_plugin.library.folders import MODELS
    from alltalk_plugin.library.listing import listed_models

    shelf = open_shelf(context)
    headings = ("model", "engine", "kind", "languages", "speakers", "clones", "MB", "where", "state")
    rows = [
        (
            found.name,
            found.engine,
            found.kind or None,
            list(found.languages) if context.as_json else _few(found.languages),
            found.speakers,
            found.clones,
            round(found.size_bytes / 1e6, 1),
            str(found.path or shelf.profile(found.name).options.get("base_url", "built in")),
            "ok" if found.fault is None else f"broken: {found.fault}",
        )
        for found in listed_models(shelf)
    ]
    print_rows(headings, rows, as_json=context.as_json)
    note_faults(shelf, MODELS)


@model.command()
@click.argument("name", metavar="ID")
@click.pass_obj
@failing_clearly
def speakers(context: CliContext, name: str) -> None:
    """List the speakers of a model, with the languages they speak. A speech server is asked for its own."""
    from alltalk_plugin.library.looking import describe

    shelf = open_shelf(context)
    profile = shelf.profile(name)
    said = describe(shelf.spec(profile.engine, name), profile)
    listed = speech_server.listed_voices(profile)
    if listed == ():
        click.echo("note: the server lists no voices; this is what the settings say", err=True)
    rows = [(voice.speaker, voice.name, list(voice.languages)) for voice in listed or said.voices]
    print_rows(("speaker", "name", "languages"), rows, as_json=context.as_json)


@model.command()
@click.argument("names", nargs=-1, metavar="[ID]...")
@click.option("--no-speech", is_flag=True, help="Do not load it and let it speak.")
@click.pass_obj
@failing_clearly
def check(context: CliContext, names: tuple[str, ...], no_speech: bool) -> None:
    """Check models, all of them if none is named: hashes, headers, memory, speech; exit 1 on a fault."""
    from alltalk_plugin.library.checking import Verdict, check_model
    from alltalk_plugin.swap.memory import SystemMemory

    shelf = open_shelf(context)
    memory = SystemMemory()
    with ExitStack() as stack:
        test = None if no_speech else stack.enter_context(self_tests(context, shelf))
        progress = stack.enter_context(byte_progress("reading"))
        findings = [
            finding
            for name in names or shelf.settings.models
            for finding in check_model(shelf, name, memory=memory, self_test=test, progress=progress)
        ]
    rows = [(one.model, one.subject, one.verdict.value, one.code, one.detail) for one in findings]
    print_rows(("model", "subject", "verdict", "code", "detail"), rows, as_json=context.as_json)
    if any(finding.verdict is Verdict.BAD for finding in findings):
        raise SystemExit(1)


@model.command()
@click.argument("name", metavar="ID")
@click.option("--force", is_flag=True, help="Also when voices use it: they speak on the built-in model then.")
@click.option("--yes", is_flag=True, help="Do not ask before files are deleted.")
@click.pass_obj
@failing_clearly
def remove(context: CliContext, *, name: str, force: bool, yes: bool) -> None:
    """Remove a model; its files too if they lie in the data folder."""
    from alltalk_plugin.library.removing import model_removal, remove_model

    shelf = open_shelf(context)
    planned = model_removal(shelf, name)
    confirm_deletion(planned.deleted, yes=yes)
    if force or not planned.rerouted:
        _let_go(context, name)
    removal = remove_model(shelf, name, force=force)
    click.echo(f"removed {name}" + "".join(f"; deleted {path}" for path in removal.deleted))
    if removal.rerouted:
        click.echo(f"note: on the built-in model now: {', '.join(removal.rerouted)}", err=True)


def _let_go(context: CliContext, name: str) -> None:
    """A service that runs lets go of the model before its files are deleted. A pinned one leaves within
    seconds after it is out of the settings."""
    with suppress(bridge.BridgeError):
        bridge.attach(context.home).request("POST", f"/api/v1/models/{quote(name, safe='')}/unload")


def confirm_deletion(paths: tuple[Path, ...], *, yes: bool) -> None:
    """Ask before files are deleted, where there is somebody to ask."""
    if paths and not yes and sys.stdin.isatty():
        click.confirm(f"Delete {', '.join(map(str, paths))}?", abort=True, err=True)


def _consent(progress: ByteProgress, *, yes: bool, accept_terms: bool) -> Consent:
    def consent(terms: Terms) -> bool:
        progress.expect(terms.size_bytes)
        size = "size unknown" if terms.size_bytes is None else f"{terms.size_bytes / 1e6:.1f} MB"
        about = f" ({terms.description})" if terms.description else ""
        click.echo(f"{terms.name}{about}: {size}, from {terms.source}", err=True)
        click.echo(f"licence: {terms.licence}", err=True)
        if accept_terms or (yes and not terms.gated):
            return True
        if not sys.stdin.isatty():
            return False
        question = "Have you read these terms, and do you accept them?" if terms.gated else "Fetch it?"
        return click.confirm(question, err=True)

    return consent


def _print_added(context: CliContext, shelf: Shelf, added: AddedModel) -> None:
    card, need = added.card, added.estimate
    size_bytes = sum(file.size_bytes for file in card.files)
    if context.as_json:
        print_json(
            {
                "id": card.model,
                "engine": card.engine,
                "kind": card.kind,
                "path": card.path,
                "size_bytes": size_bytes,
                "need_bytes": need.load_bytes,
                "files": [{"path": file.path, "sha256": file.sha256} for file in card.files],
            }
        )
    else:
        click.echo(
            f"added {card.model}: {card.kind or card.engine}, {len(card.files)} files,"
            f" {size_bytes / 1e6:.1f} MB, needs {need.load_bytes / 1e6:.0f} MB of memory; {card.path}"
        )
    note_engine(context, shelf.spec(card.engine, card.model))


def _few(languages: tuple[str, ...]) -> str:
    shown = " ".join(sorted(languages)[:_SHOWN_LANGUAGES])
    return (
        f"{shown} and {len(languages) - _SHOWN_LANGUAGES} more"
        if len(languages) > _SHOWN_LANGUAGES
        else shown
    )
