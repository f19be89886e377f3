"""Which distributions an environment has, read from their metadata without importing anything."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from alltalk_plugin.plugins.manager import ENTRY_POINTS


@dataclass(frozen=True, slots=True)
class Brought:
    """A distribution with plugins of ours, as it is installed in the service's environment.

    pip_arguments: what gives pip the same thing again: the folder or file it came from, or its version.
    """

    name: str
    version: str
    pip_arguments: tuple[str, ...]


def applicable(requirements: Sequence[str]) -> Iterator[Requirement]:
    """Those whose markers hold on this machine."""
    for text in requirements:
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate():
            yield requirement


def unmet(requirements: Sequence[str], packages: Path | None = None) -> tuple[str, ...]:
    """Those that are not installed, or at a version that does not fit; `packages` None: this environment."""
    missing = []
    for requirement in applicable(requirements):
        found = _version(requirement.name, packages)
        if found is None or not requirement.specifier.contains(found, prereleases=True):
            missing.append(f"{requirement.name}{requirement.specifier}")
    return tuple(missing)


def versions(requirements: Sequence[str], packages: Path | None = None) -> tuple[str, ...]:
    """`name version` of those that are installed."""
    found = ((one.name, _version(one.name, packages)) for one in applicable(requirements))
    return tuple(f"{name} {version}" for name, version in found if version is not None)


def brought(requirement: str) -> Brought | None:
    """The distribution a requirement names, if it brings plugins; None for all others.

    It has no index to come from as long as its author tries it out, and its engine must be of the same
    version as the spec that names it: so it is taken from where the service's was.
    """
    name = Requirement(requirement).name
    found = _find(name, None)
    version = _version(name, None)
    if found is None or version is None or not found.entry_points.select(group=ENTRY_POINTS):
        return None
    return Brought(canonicalize_name(name), version, _origin(found) or (f"{name}=={version}",))


def sweep_unfinished(packages: Path) -> tuple[str, ...]:
    """Forget distributions that pip was killed over, so that it installs them again; their names.

    pip takes one with metadata for installed; the file INSTALLER is what it writes after all the others.
    """
    swept = []
    for metadata in packages.glob("*.dist-info"):
        if not (metadata / "INSTALLER").is_file():
            shutil.rmtree(metadata)
            swept.append(metadata.name.removesuffix(".dist-info"))
    return tuple(swept)


def _find(name: str, packages: Path | None) -> Distribution | None:
    path = sys.path if packages is None else [str(packages)]
    return next(iter(distributions(name=name, path=path)), None)


def _version(name: str, packages: Path | None) -> str | None:
    found = _find(name, packages)
    if found is None or not (found.metadata and "Version" in found.metadata):
        return None  # what is left of a removal that failed
    return found.version


def _origin(found: Distribution) -> tuple[str, ...] | None:
    """Where it was installed from, when that was no index (PEP 610)."""
    told = found.read_text("direct_url.json")
    if told is None:
        return None
    origin = json.loads(told)
    url: str = origin["url"]
    if origin.get("dir_info", {}).get("editable"):
        return ("--editable", url)
    if "vcs_info" in origin:
        url = f"{origin['vcs_info']['vcs']}+{url}@{origin['vcs_info']['commit_id']}"
    if "subdirectory" in origin:
        url += f"#subdirectory={origin['subdirectory']}"
    return (f"{found.name} @ {url}",)
