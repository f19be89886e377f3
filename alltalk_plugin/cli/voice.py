"""`voice`: add, hear and remove voices."""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from alltalk_plugin.bridge import BridgeError
from alltalk_plugin.cli.context import CliContext, failing_clearly
from alltalk_plugin.cli.model import confirm_deletion
from alltalk_plugin.cli.shelves import open_shelf
from alltalk_plugin.cli.speak import say
from alltalk_plugin.cli.speech_server import listed_voices
from alltalk_plugin.cli.tables import print_json
from alltalk_plugin.domain.errors import RequestError, VoiceNotFound
from alltalk_plugin.domain.language import LanguageTag, base_language, language_tag
from alltalk_plugin.settings.nearest import did_you_mean

if TYPE_CHECKING:
    from alltalk_plugin.library.shelf import Shelf

_HEARD_WITHIN_S = 10.0
"""A running service reads changed settings every 2 s; more when it has much to do."""
_POLL_S = 0.2


@click.group()
def voice() -> None:
    """Add, hear and remove voices; 'alltalk-plugin voices' lists them."""


@voice.command()
@click.argument("name")
@click.option("--model", required=True, help="Model that it speaks on.")
@click.option(
    "--reference",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Recording to imitate; may be given several times.",
)
@click.option("--speaker", help="One of the model's own speakers.")
@click.option("--language", help="Speaks this language only (BCP 47).")
@click.pass_obj
@failing_clearly
def add(
    context: CliContext,
    *,
    name: str,
    model: str,
    reference: tuple[Path, ...],
    speaker: str | None,
    language: str | None,
) -> None:
    """Add the voice NAME; recordings are checked and copied into the data folder."""
    from alltalk_plugin.library.voices import NewVoice, add_voice

    shelf = open_shelf(context)
    new = NewVoice(name=name, model=model, speaker=speaker, language=_tag(language), reference=reference)
    listed = listed_voices(shelf.profile(model)) if speaker is not None else None
    added = add_voice(shelf, new, check_reference, listed=listed)
    for warning in added.warnings:
        click.echo(f"note: {warning}", err=True)
    if context.as_json:
        print_json({"voice": added.voice.name, "model": added.voice.model, "warnings": added.warnings})
    else:
        hear = f"alltalk-plugin voice preview {shlex.quote(added.voice.name)}"
        click.echo(f"added {added.voice.name} on {added.voice.model}; hear it: {hear}")


@voice.command()
@click.argument("name")
@click.option("--text", help="What to say.  [default: a sentence in the voice's language]")
@click.option("--language", help="BCP 47 tag of the text.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="File to write.")
@click.pass_context
def preview(
    click_context: click.Context, *, name: str, text: str | None, language: str | None, out: Path | None
) -> None:
    """Let the voice NAME say a sentence, into a file."""
    text, language = _sentence(click_context.obj, name, text, language)
    click_context.invoke(
        say,
        text=text,
        character=None,
        voice=name,
        language=language,
        out=out or Path(f"{name}.wav"),
        audio_format=None,
    )


@voice.command()
@click.argument("name")
@click.option("--force", is_flag=True, help="Also when characters use it: they get the default voice then.")
@click.option("--yes", is_flag=True, help="Do not ask before files are deleted.")
@click.pass_obj
@failing_clearly
def remove(context: CliContext, *, name: str, force: bool, yes: bool) -> None:
    """Remove the voice NAME; its recordings too if they lie in the data folder."""
    from alltalk_plugin.library.removing import remove_voice, voice_removal

    shelf = open_shelf(context)
    confirm_deletion(voice_removal(shelf, name).deleted, yes=yes)
    removal = remove_voice(shelf, name, force=force)
    click.echo(f"removed {name}" + "".join(f"; deleted {path}" for path in removal.deleted))
    if removal.rerouted:
        click.echo(f"note: without this voice now: {', '.join(removal.rerouted)}", err=True)


@failing_clearly
def _sentence(
    context: CliContext, name: str, text: str | None, language: str | None
) -> tuple[str, str | None]:
    """What to say in which language, once the service knows the voice too."""
    from alltalk_plugin.workers.verification import NEUTRAL_UTTERANCE, UTTERANCES

    shelf = open_shelf(context)
    voices = shelf.settings.voices
    if name not in voices:
        raise VoiceNotFound(
            f"there is no voice {name!r}{did_you_mean(name, voices)}", context={"voice": name}
        )
    _wait_until_known(context, name)
    tag = _tag(language) or voices[name].language or _first_language(shelf, name)
    if text is not None:
        return text, language
    return UTTERANCES.get(LanguageTag(base_language(tag)), NEUTRAL_UTTERANCE), tag


def _first_language(shelf: Shelf, name: str) -> LanguageTag:
    """The user's if the voice speaks it, else the first that it does."""
    from alltalk_plugin.voices.catalog import VoiceCatalog
    from alltalk_plugin.workers.verification import UTTERANCES

    settings = shelf.settings
    voice = VoiceCatalog(lambda: settings).get(name)
    profile = shelf.profile(voice.model)
    spec = shelf.spec(profile.engine, profile.ref)
    own = (settings.languages.preference, settings.languages.default)
    able = (tag for tag in (*own, *UTTERANCES) if tag and spec.speaks(profile, voice, tag) is None)
    return next(able, LanguageTag("en"))


def _wait_until_known(context: CliContext, name: str) -> None:
    """A service that runs already may not have read the settings anew yet."""
    service = context.connect()
    deadline = time.monotonic() + _HEARD_WITHIN_S
    while name not in {one["name"] for one in service.request("GET", "/api/v1/voices")["voices"]}:
        if time.monotonic() > deadline:
            raise BridgeError(
                "voice_not_found", f"the service does not know the voice {name!r}", hint="Restart it."
            )
        time.sleep(_POLL_S)


def check_reference(path: Path) -> Sequence[str]:
    """What is to be said of a recording that can be cloned. Raises: ReferenceUnusable."""
    from alltalk_plugin.engines.coqui import references

    return references.check_reference(path).warnings


def _tag(text: str | None) -> LanguageTag | None:
    if text is None:
        return None
    try:
        return language_tag(text)
    except ValueError as error:
        raise RequestError(f"--language: {error}", hint="Use tags such as en, de, pt-BR.") from error
