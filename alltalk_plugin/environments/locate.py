"""Which environment an engine runs in, and why, or why in none."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from alltalk_plugin.domain.engines import EngineSpec
from alltalk_plugin.domain.errors import EngineMissing
from alltalk_plugin.environments.distributions import unmet, versions
from alltalk_plugin.environments.places import EngineFolder, install_command
from alltalk_plugin.environments.recipe import recipe_of
from alltalk_plugin.environments.record import read_record
from alltalk_plugin.workers.supervisor import WorkerEnvironment, own_environment


class Standing(StrEnum):
    """What an engine has to run in.

    SERVICE: the service's own environment. OWN: one of its own, complete and of this version. MISSING:
    nothing. UNFINISHED: an installation that did not come to its end. OUTDATED: one made for other
    versions. BROKEN: one whose Python is gone.
    """

    SERVICE = "service"
    OWN = "own"
    MISSING = "missing"
    UNFINISHED = "unfinished"
    OUTDATED = "outdated"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where an engine runs. `environment` None: nowhere, and `why` says the reason."""

    engine: str
    standing: Standing
    environment: WorkerEnvironment | None
    why: str
    versions: tuple[str, ...] = ()
    size_mb: int | None = None


def environment_of(home: Path, spec: EngineSpec) -> WorkerEnvironment:
    """Where a worker of `spec` is started, for the data folder `home`.

    Raises: EngineMissing; InstallError for an engine whose distribution is damaged.
    """
    placement = place(home, spec)
    if placement.environment is not None:
        return placement.environment
    size = f" (about {spec.environment.size_mb} MB)" if spec.environment else ""
    raise EngineMissing(
        f"the engine {spec.name} cannot run: {placement.why}",
        hint=f"Run '{install_command(home, spec.name)}'{size}.",
        context={
            "engine": spec.name,
            "wanted": ", ".join(spec.distributions),
            "reason": placement.standing.value,
        },
    )


def place(home: Path, spec: EngineSpec) -> Placement:
    """Where `spec` runs and why. An installed extra wins over an environment of the engine's own."""
    if spec.environment is None:
        return _in_service(spec, "it needs no environment of its own")
    if not unmet(spec.distributions):
        return _in_service(spec, "what it needs is installed there")
    folder = EngineFolder(home, spec.name)
    standing, why = _own(folder, recipe_of(spec.environment))
    record = read_record(folder.record)
    return Placement(
        engine=spec.name,
        standing=standing,
        environment=WorkerEnvironment(folder.interpreter) if standing is Standing.OWN else None,
        why=why,
        versions=versions(spec.distributions, folder.packages),
        size_mb=record.size_mb if record is not None and record.complete else None,
    )


def _in_service(spec: EngineSpec, why: str) -> Placement:
    return Placement(
        engine=spec.name,
        standing=Standing.SERVICE,
        environment=own_environment(),
        why=why,
        versions=versions(spec.distributions),
    )


def _own(folder: EngineFolder, recipe: str) -> tuple[Standing, str]:
    if not folder.root.exists():
        return Standing.MISSING, "it is not installed"
    record = read_record(folder.record)
    if record is None or not record.complete:
        return Standing.UNFINISHED, "its installation did not come to its end; the command goes on with it"
    if record.recipe != recipe:
        return Standing.OUTDATED, "it was installed for another version of this program"
    if not folder.interpreter.is_file():
        return Standing.BROKEN, "the Python it was installed with is gone"
    return Standing.OWN, f"installed with Python {record.python} for {record.device}"
