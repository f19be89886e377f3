"""What `model`, `voice` and `import-alltalk` share: the shelf, and the self-test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from alltalk_plugin.cli.context import CliContext

if TYPE_CHECKING:
    from alltalk_plugin.domain.engines import EngineSpec
    from alltalk_plugin.domain.models import ModelProfile
    from alltalk_plugin.library.shelf import Shelf


def open_shelf(context: CliContext) -> Shelf:
    """The models and voices of the data folder. Raises: SettingsError."""
    from alltalk_plugin.domain.clock import SystemClock
    from alltalk_plugin.library.folders import DataFolders
    from alltalk_plugin.library.shelf import Shelf
    from alltalk_plugin.plugins.manager import load_plugins
    from alltalk_plugin.runtime import open_settings

    plugins = load_plugins()
    folders = DataFolders(context.home, plugins.engines)
    store = open_settings(context.home, context.settings_file, plugins, folders)
    return Shelf(context.home, plugins.engines, folders, store, SystemClock())


def note_faults(shelf: Shelf, folder: str) -> None:
    """Say on stderr what lies in a folder of the data folder and cannot be used; a model that is merely
    broken is in the listing."""
    listed = {model.path for model in shelf.settings.models.values()}
    for fault in shelf.folders.faults:
        if fault.path not in listed and fault.path.is_relative_to(shelf.home / folder):
            click.echo(f"note: {fault.path}: {fault.reason}", err=True)


@contextmanager
def self_tests(context: CliContext, shelf: Shelf) -> Iterator[Callable[[ModelProfile], None]]:
    """A self-test in workers of this call's own; the service's models are left alone."""
    from alltalk_plugin.domain.cancel import CancelSource
    from alltalk_plugin.domain.models import ModelKey
    from alltalk_plugin.environments.locate import environment_of
    from alltalk_plugin.workers.supervisor import WorkerLoader

    loader = WorkerLoader(
        shelf.engines,
        clock=shelf.clock,
        environment_of=lambda spec: environment_of(context.home, spec),
        load_timeout_s=lambda: shelf.settings.swap.load_timeout_s,
    )

    def test(profile: ModelProfile) -> None:
        cancel = CancelSource()
        key = ModelKey(profile.engine, profile.ref, "self-test")
        model = loader.load(profile, key, cancel, lambda _error: None)
        try:
            model.verify(cancel)
        finally:
            model.unload()

    try:
        yield test
    finally:
        loader.close()


def note_engine(context: CliContext, spec: EngineSpec) -> None:
    """Say on stderr when the engine is not installed yet."""
    from alltalk_plugin.domain.errors import EngineMissing
    from alltalk_plugin.environments.locate import environment_of

    try:
        environment_of(context.home, spec)
    except EngineMissing as error:
        click.echo(f"note: {error.message}. {error.hint}", err=True)
