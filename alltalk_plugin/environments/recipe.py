"""What an environment is made from, as one short text: when that changes, it is outdated."""

from __future__ import annotations

import hashlib

from alltalk_plugin.domain.engines import EngineEnvironment
from alltalk_plugin.domain.errors import InstallError
from alltalk_plugin.environments.distributions import brought


def pins(environment: EngineEnvironment) -> tuple[str, ...]:
    """The lines of the lock that name a distribution. Raises: InstallError."""
    try:
        text = environment.lock.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InstallError(
            f"the list of versions {environment.lock} cannot be read: {error}",
            hint="Install the distribution that brings this engine again.",
        ) from error
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return tuple(line for line in lines if line)


def recipe_of(environment: EngineEnvironment) -> str:
    """A digest of the versions, the steps, and the plugins among them. Raises: InstallError."""
    digest = hashlib.sha256()
    for pin in pins(environment):
        digest.update(f"{pin}\n".encode())
    for step in environment.steps:
        digest.update(f"step {step.bare} {' '.join(step.requirements)}\n".encode())
        for one in filter(None, map(brought, step.requirements)):
            digest.update(f"brought {one.name} {one.version}\n".encode())
    return digest.hexdigest()
