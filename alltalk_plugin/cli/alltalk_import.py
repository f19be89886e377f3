"""`import-alltalk`: models, voices and settings of an AllTalk folder."""

from __future__ import annotations

from pathlib import Path

import click

from alltalk_plugin.cli.byte_progress import byte_progress
from alltalk_plugin.cli.context import CliContext, failing_clearly
from alltalk_plugin.cli.shelves import note_engine, open_shelf
from alltalk_plugin.cli.tables import print_rows
from alltalk_plugin.cli.voice import check_reference


@click.command("import-alltalk")
@click.argument("path", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would be taken, change nothing.")
@click.pass_obj
@failing_clearly
def import_alltalk(context: CliContext, *, path: Path, dry_run: bool) -> None:
    """Take over the models, voices and settings of the AllTalk folder at PATH.

    Models stay where they are, recordings are copied; nothing in that folder is changed or run.
    """
    from alltalk_plugin.library.alltalk.folder import read_folder
    from alltalk_plugin.library.alltalk.taking import Fate, take_over

    shelf = open_shelf(context)
    folder = read_folder(path)
    with byte_progress("reading") as progress:
        rows = [
            (
                one.what,
                one.name,
                f"would be {one.fate}" if dry_run and one.fate is Fate.TAKEN else one.fate.value,
                one.detail,
            )
            for one in take_over(shelf, folder, check_reference, dry_run=dry_run, progress=progress)
        ]
    print_rows(("what", "name", "fate", "detail"), rows, as_json=context.as_json)
    for engine in dict.fromkeys(model.engine for model in folder.models):
        if engine in shelf.engines:
            note_engine(context, shelf.engines[engine])
