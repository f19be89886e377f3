"""The command: which models, which sentences, where the page goes."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from alltalk_plugin.cli.context import CliContext, fail, failing_clearly
from alltalk_plugin.cli.tables import print_rows
from alltalk_plugin.domain.errors import ModelNotFound, RequestError
from alltalk_plugin.domain.language import language_tag
from alltalk_plugin.domain.models import ModelRef
from alltalk_plugin.settings.nearest import did_you_mean

if TYPE_CHECKING:
    from alltalk_plugin.cli.compare.trial import Trial

SENTENCES = (
    "The quick brown fox jumps over the lazy dog.",
    "“Wait!” she called. “Did you really think I would not notice?”",
    "Rain had been falling since the morning, and the streets of the old town shone like dark glass.",
)
"""Short, lively and long: every sound of English, a question, a slow line."""


@click.command()
@click.argument("models", nargs=-1, required=True, metavar="MODEL…")
@click.option(
    "--text-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The sentences, one a line.  [default: three English ones]",
)
@click.option("--language", default="en", show_default=True, help="BCP 47 tag of the sentences.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("compare-out"),
    show_default=True,
    help="Folder for the audio and index.html.",
)
@click.pass_obj
@failing_clearly
def compare(
    context: CliContext, *, models: tuple[str, ...], text_file: Path | None, language: str, out: Path
) -> None:
    """Speak the same sentences with several models of the settings and lay the results side by side.

    Each model gets a process of its own, one after the other; a service that runs is left alone.
    """
    from alltalk_plugin.cli.compare.page import HEADINGS, render_page, rows

    sentences = _lines(text_file) if text_file is not None else SENTENCES
    trials = _trials(context, tuple(dict.fromkeys(models)), sentences, language)
    files = _write_audio(trials, out)
    page = out / "index.html"
    page.write_text(
        render_page(trials, sentences, files, f"{len(trials)} models, {len(sentences)} sentences"),
        encoding="utf-8",
    )
    print_rows(HEADINGS, rows(trials), as_json=context.as_json)
    if not context.as_json:
        click.echo(f"look at {page} and listen")
    if not any(trial.spoken for trial in trials):
        fail("no model spoke", "compare", "The table says why.")


def _trials(
    context: CliContext, models: tuple[str, ...], sentences: tuple[str, ...], language: str
) -> list[Trial]:
    from alltalk_plugin.cli.compare.trial import run_trial
    from alltalk_plugin.domain.clock import SystemClock
    from alltalk_plugin.environments.locate import environment_of
    from alltalk_plugin.library.looking import engine_of
    from alltalk_plugin.plugins.manager import load_plugins
    from alltalk_plugin.runtime import model_profiles, open_settings
    from alltalk_plugin.swap.memory import SystemMemory
    from alltalk_plugin.workers.supervisor import WorkerLoader

    try:
        tag = language_tag(language)
    except ValueError as error:
        raise click.UsageError(f"--language: {error}") from error
    plugins = load_plugins()
    store = open_settings(context.home, context.settings_file, plugins)
    profiles = model_profiles(store.current, plugins.engines)
    for name in models:
        if name not in profiles:
            raise ModelNotFound(f"there is no model '{name}'{did_you_mean(name, profiles)}")
    # A spare would take memory and processor from the model that is measured.
    engines = {name: replace(spec, warm_spare=False) for name, spec in plugins.engines.items()}
    loader = WorkerLoader(engines, clock=SystemClock(), environment_of=partial(environment_of, context.home))
    try:
        chosen = [profiles[ModelRef(name)] for name in models]
        for profile in chosen:
            engine_of(profile, engines)
        return [
            run_trial(
                profile,
                engines[profile.engine],
                loader,
                memory=SystemMemory(),
                sentences=sentences,
                language=tag,
            )
            for profile in chosen
        ]
    finally:
        loader.close()


def _lines(file: Path) -> tuple[str, ...]:
    found = tuple(line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip())
    if not found:
        raise RequestError(f"{file} has no sentences", hint="Write one sentence a line.")
    return tuple(dict.fromkeys(found))


def _write_audio(trials: list[Trial], out: Path) -> dict[tuple[str, str], str]:
    """(model, sentence) -> file name in `out`."""
    import soundfile

    out.mkdir(parents=True, exist_ok=True)
    files: dict[tuple[str, str], str] = {}
    for number, trial in enumerate(trials, 1):
        stem = re.sub(r"[^\w.-]+", "-", trial.profile.ref)
        for place, spoken in enumerate(trial.spoken, 1):
            name = f"{number:02}-{stem}-{place}.wav"
            soundfile.write(out / name, spoken.audio.samples, spoken.audio.sample_rate_hz, subtype="PCM_16")
            files[trial.profile.ref, spoken.text] = name
    return files
