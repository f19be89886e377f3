"""What a speech server offers becomes a model of ours, and its voices voices."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from alltalk_plugin.cli.tables import print_json
from alltalk_plugin.domain.errors import RequestError

if TYPE_CHECKING:
    from alltalk_plugin.cli.context import CliContext
    from alltalk_plugin.domain.engines import EngineVoice
    from alltalk_plugin.domain.models import ModelProfile
    from alltalk_plugin.engines.remote.discovery import RemoteOffer
    from alltalk_plugin.library.adding import NewModel, SelfTest
    from alltalk_plugin.library.shelf import Shelf

ENGINE = "remote"
_SHOWN = 8
_PATIENCE_S = 5.0
"""For a list of voices, over all requests; a server that has to start first is asked again."""


def is_address(source: str) -> bool:
    """Whether a model is to be added from a server instead of from files."""
    return source.startswith(("http://", "https://"))


def new_model(url: str, name: str | None, options: Mapping[str, str]) -> tuple[NewModel, RemoteOffer]:
    """Ask the server what it has; which of its models is asked on a terminal where there are several.

    Raises: RequestError, ModelIncompatible, and every RemoteError.
    """
    from alltalk_plugin.engines.remote.discovery import discover
    from alltalk_plugin.library.adding import NewModel

    key_env = options.get("key_env", "")
    offer = discover(url, key_env, model=options.get("model", ""))
    told = dict(options) | {"base_url": offer.base_url}
    if "model" not in told and (chosen := _chosen_model(offer)) is not None:
        told["model"] = chosen
        offer = discover(url, key_env, model=chosen)
    speakers = [voice.speaker for voice in offer.voices]
    if speakers and "voice" not in told and "alloy" not in speakers:
        told["voice"] = speakers[0]  # what speaks without a speaker, and in the self-test
    click.echo(f"{offer.base_url}: models {_few([one.name for one in offer.models])}", err=True)
    click.echo(f"voices {_few(speakers)}", err=True)
    name = name or urlsplit(offer.base_url).hostname or ""
    return NewModel(name=name, path=None, engine=ENGINE, options=told, source=offer.base_url), offer


def add_from_server(
    context: CliContext,
    shelf: Shelf,
    new: NewModel,
    offer: RemoteOffer,
    *,
    voices: bool,
    test: SelfTest | None,
) -> None:
    """Write the model down, and a voice for each that the server has, if that is wanted."""
    from alltalk_plugin.library.adding import add_model
    from alltalk_plugin.library.voices import add_offered_voices

    added = add_model(shelf, new, self_test=test)
    model = added.profile.ref
    if not voices and offer.voices and sys.stdin.isatty():
        voices = click.confirm(f"Add a voice for each of the {len(offer.voices)}?", err=True)
    names = add_offered_voices(shelf, model, offer.voices) if voices else ()
    if context.as_json:
        print_json({"id": model, "engine": ENGINE, "options": dict(added.profile.options), "voices": names})
        return
    click.echo(f"added {model}: {ENGINE}, {offer.base_url}")
    for name in names:
        click.echo(f"added voice {name}")


def listed_voices(profile: ModelProfile) -> tuple[EngineVoice, ...] | None:
    """What the server of a model says of its voices; None for a model that is not on a server.

    Raises: every RemoteError.
    """
    from alltalk_plugin.engines.remote.discovery import discover

    if profile.engine != ENGINE:
        return None
    told = {name: str(value) for name, value in profile.options.items()}
    url, key_env = told.get("base_url", ""), told.get("key_env", "")
    return discover(url, key_env, model=told.get("model", ""), timeout_s=_PATIENCE_S).voices


def _chosen_model(offer: RemoteOffer) -> str | None:
    """None when the server lists none: the engine's default is asked for then."""
    speech = [one.name for one in offer.models if one.speech]
    names = speech or [one.name for one in offer.models if one.speech is None]
    if len(names) < 2:
        return names[0] if names else None
    if not sys.stdin.isatty():
        raise RequestError(
            f"{offer.base_url} has several models: {_few(names)}",
            hint="Say which with --option model=NAME.",
            context={"models": len(names)},
        )
    chosen: str = click.prompt("Which model", type=click.Choice(names), err=True)
    return chosen


def _few(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more or "not listed"
