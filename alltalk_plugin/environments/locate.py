"""Which environment an engine runs in, and why, or why in none."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from alltalk_plugin.domain.engines import EngineEnvironment, EngineSpec
from alltalk_plugin.domain.errors import EngineMissing, InstallError
from alltalk_plugin.environments.distributions import unmet, versions
from alltalk_plugin.environments.places import EngineFolder, install_command
from alltalk_plugin.environments.recipe import recipe_of
from alltalk_plugin.environments.record import read_record
from alltalk_plugin.workers.supervisor import WorkerEnvironment, own_environment


class Standing(StrEnum):
    """What an engine has to run in.

    SERVICE: the service's own environment. OWN: one of its own, complete and of this version. MISSING:
    nothing. UNFINISHED: an installation that did not come to its end. OUTDATED: one made for other
    versions. BROKEN: one whose Python is gone, or whose lock is.
    """

    SERVICE = "service"
    OWN = "own"
    MISSING = "missing"
    UNFINISHED = "unfinished"
    OUTDATED = "outdated"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an engine runs, and why there, or why nowhere; `versions` of what its spec wants."""

    engine: str
    standing: Standing
    why: str
    versions: tuple[str, ...] = ()
    size_mb: int | None = None


def environment_of(home: Path, spec: EngineSpec) -> WorkerEnvironment:
    """Where a worker of `spec` is started, for the data folder `home`.

    Raises: EngineMissing.
    """
    standing, why = _standing(home, spec)
    if standing is Standing.SERVICE:
        return own_environment()
    if standing is Standing.OWN:
        return WorkerEnvironment(EngineFolder(home, spec.name).interpreter)
    size = f" (about {spec.environment.size_mb} MB)" if spec.environment else ""
    raise EngineMissing(
        f"the engine {spec.name} cannot run: {why}",
        hint=f"Run '{install_command(home, spec.name)}'{size}.",
        context={"engine": spec.name, "wanted": ", ".join(spec.distributions), "reason": standing.value},
    )


def place(home: Path, spec: EngineSpec) -> Placement:
    """Where `spec` runs, why, and with what."""
    standing, why = _standing(home, spec)
    if standing is Standing.SERVICE:
        return Placement(spec.name, standing, why, versions(spec.distributions))
    if standing is Standing.BROKEN:
        return Placement(spec.name, standing, why)
    folder = EngineFolder(home, spec.name)
    record = read_record(folder.record)
    size_mb = record.size_mb if record is not None and record.complete else None
    return Placement(spec.name, standing, why, versions(spec.distributions, folder.packages), size_mb)


def _standing(home: Path, spec: EngineSpec) -> tuple[Standing, str]:
    """An installed extra wins over an environment of the engine's own."""
    if spec.environment is None:
        return Standing.SERVICE, "it needs no environment of its own"
    if not unmet(spec.distributions):
        return Standing.SERVICE, "what it needs is installed there"
    try:
        return _own(EngineFolder(home, spec.name), spec.environment)
    except InstallError as error:
        return Standing.BROKEN, error.message


def _own(folder: EngineFolder, environment: EngineEnvironment) -> tuple[Standing, str]:
    if not folder.root.exists():
        return Standing.MISSING, "it is not installed"
    record = read_record(folder.record)
    if record is None or not record.complete:
        return Standing.UNFINISHED, "its installation did not come to its end; the command goes on with it"
    if record.recipe != recipe_of(environment):
        return Standing.OUTDATED, "it was installed for another version of this program"
    if not folder.interpreter.is_file():
        return Standing.BROKEN, "the Python it was installed with is gone"
    return Standing.OWN, f"installed with Python {record.python} for {record.device}"
