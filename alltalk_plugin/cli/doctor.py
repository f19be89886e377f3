"""`doctor`: is everything there that speaking needs? The first thing in a bug report."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import click

from alltalk_plugin import __version__, bridge
from alltalk_plugin.cli.context import CliContext, failing_clearly
from alltalk_plugin.cli.tables import print_rows
from alltalk_plugin.domain.errors import AlltalkError

if TYPE_CHECKING:
    from alltalk_plugin.library.folders import DataFolders
    from alltalk_plugin.plugins.manager import Plugins
    from alltalk_plugin.settings.schema import Settings

_PACKAGES = ("numpy", "soundfile", "soxr", "py3langid", "espeakng-loader", "fastapi", "pydantic", "pluggy")


class Verdict(StrEnum):
    FINE = "ok"
    NOTE = "note"
    BAD = "BAD"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. BAD means that speaking would fail, or that a model can never speak."""

    subject: str
    verdict: Verdict
    detail: str


@click.command()
@click.pass_obj
@failing_clearly
def doctor(context: CliContext) -> None:
    """Check everything that speaking needs; exit 1 if it would fail."""
    findings = list(_examine(context))
    print_rows(
        ("subject", "verdict", "detail"),
        [(finding.subject, finding.verdict.value, finding.detail) for finding in findings],
        as_json=context.as_json,
    )
    if any(finding.verdict is Verdict.BAD for finding in findings):
        raise SystemExit(1)


def _examine(context: CliContext) -> Iterator[Finding]:
    from alltalk_plugin.library.folders import DataFolders
    from alltalk_plugin.plugins.manager import load_plugins
    from alltalk_plugin.runtime import SETTINGS_FILE, open_settings

    yield from _versions()
    yield from _folder(context)
    yield from _owner(context)
    plugins = load_plugins()
    for plugin in plugins.listing():
        verdict = Verdict.NOTE if plugin.error else Verdict.FINE
        yield Finding(f"plugin {plugin.name}", verdict, plugin.error or ", ".join(plugin.hooks))
    file = context.settings_file or context.home / SETTINGS_FILE
    try:
        folders = DataFolders(context.home, plugins.engines)
        settings = open_settings(context.home, context.settings_file, plugins, folders).current
    except AlltalkError as error:
        yield Finding("settings", Verdict.BAD, f"{error.message}. {error.hint}")
        return
    yield Finding(
        "settings", Verdict.FINE, str(file) if file.exists() else f"defaults ({file} does not exist)"
    )
    yield from _left_out(settings, folders)
    yield from _engines(context, settings, plugins)
    yield from _models(settings, plugins)
    yield _self_test(settings, plugins)


def _versions() -> Iterator[Finding]:
    system = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    yield Finding("alltalk-plugin", Verdict.FINE, f"{__version__}, {system}, {sys.executable}")
    for package in _PACKAGES:
        try:
            yield Finding(package, Verdict.FINE, version(package))
        except PackageNotFoundError:
            yield Finding(package, Verdict.BAD, "not installed: install alltalk-plugin again with pip")


def _folder(context: CliContext) -> Iterator[Finding]:
    probe = context.home / ".doctor"
    try:
        context.home.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"x")
        probe.unlink()
    except OSError as error:
        yield Finding(
            "data folder", Verdict.BAD, f"{context.home}: {error.strerror}; choose another with --home"
        )
    else:
        yield Finding("data folder", Verdict.FINE, str(context.home))


def _owner(context: CliContext) -> Iterator[Finding]:
    if bridge.read_address(context.home) is None:
        yield Finding("service", Verdict.FINE, "not running; it starts when it is needed")
        return
    try:
        address = bridge.attach(context.home).address
    except bridge.BridgeError as error:
        yield Finding("service", Verdict.NOTE, f"{error}. It is started anew when it is needed.")
    else:
        yield Finding("service", Verdict.FINE, f"running, process {address.pid}, port {address.port}")


def _left_out(settings: Settings, folders: DataFolders) -> Iterator[Finding]:
    """What lies in the data folder and is no model or voice; a model that is merely broken has its line."""
    listed = {model.path for model in settings.models.values()}
    for fault in folders.faults:
        if fault.path not in listed:
            yield Finding("data folder", Verdict.NOTE, f"{fault.path}: {fault.reason}")


def _engines(context: CliContext, settings: Settings, plugins: Plugins) -> Iterator[Finding]:
    """Where each engine runs, or why it cannot; bad only when a model of the settings needs it."""
    from alltalk_plugin.environments.distributions import unmet
    from alltalk_plugin.environments.locate import Standing, environment_of, place
    from alltalk_plugin.runtime import model_profiles

    needed = {profile.engine for profile in model_profiles(settings, plugins.engines).values()}
    for name, spec in plugins.engines.items():
        absent = Verdict.BAD if name in needed else Verdict.NOTE
        try:
            interpreter = environment_of(context.home, spec).interpreter
        except AlltalkError as error:
            yield Finding(f"engine {name}", absent, f"{error.message}. {error.hint}")
            continue
        placement = place(context.home, spec)
        if placement.standing is Standing.SERVICE and (missing := unmet(spec.distributions)):
            yield Finding(f"engine {name}", absent, f"missing: {', '.join(missing)}")
            continue
        detail = f"{', '.join(placement.versions)}; worker: {interpreter} ({placement.why})"
        yield Finding(f"engine {name}", Verdict.FINE, detail)


def _models(settings: Settings, plugins: Plugins) -> Iterator[Finding]:
    from alltalk_plugin.library.looking import estimate
    from alltalk_plugin.runtime import broken_models, model_profiles
    from alltalk_plugin.swap.memory import SystemMemory

    memory = SystemMemory()
    broken = dict(broken_models(settings, plugins.engines))
    for ref, error in broken.items():
        yield Finding(f"model {ref}", Verdict.BAD, f"{error.message}. {error.hint}")
    for ref, profile in model_profiles(settings, plugins.engines).items():
        if ref in broken:
            continue
        spec = plugins.engines[profile.engine]
        try:
            need_bytes = estimate(spec, profile).load_bytes
            free_bytes = memory.free_bytes(profile.device)
        except AlltalkError as error:
            yield Finding(f"model {ref}", Verdict.NOTE, f"{error.message}. {error.hint}")
            continue
        detail = f"needs {need_bytes / 1e6:.0f} MB, {free_bytes / 1e6:.0f} MB free on {profile.device}"
        yield Finding(f"model {ref}", Verdict.FINE if need_bytes <= free_bytes else Verdict.NOTE, detail)
        for caution in spec.cautions(profile):
            yield Finding(f"model {ref}", Verdict.NOTE, caution)


def _self_test(settings: Settings, plugins: Plugins) -> Finding:
    """Load the embedded model in a worker of its own and let it say the known sentence."""
    from alltalk_plugin.domain.cancel import CancelSource
    from alltalk_plugin.domain.clock import SystemClock
    from alltalk_plugin.domain.models import ModelKey
    from alltalk_plugin.runtime import floor_model, model_profiles
    from alltalk_plugin.workers.supervisor import WorkerLoader

    clock, cancel, ref = SystemClock(), CancelSource(), floor_model(settings, plugins.engines)
    profile = model_profiles(settings, plugins.engines)[ref]
    loader = WorkerLoader(plugins.engines, clock=clock)
    began_s = clock.monotonic()
    try:
        model = loader.load(profile, ModelKey(profile.engine, ref, "doctor"), cancel, lambda _error: None)
        model.verify(cancel)
    except AlltalkError as error:
        return Finding("self-test", Verdict.BAD, f"{error.message} [{error.code}]. {error.hint}")
    finally:
        loader.close()
    return Finding(
        "self-test", Verdict.FINE, f"{ref} loaded and spoke in {clock.monotonic() - began_s:.2f} s"
    )
