"""Where tests find the engines' own environments: a missing one fails, it is never left out.

`make engines` installs them the way a user does, into a data folder of the checkout.
"""

from __future__ import annotations

import os
from pathlib import Path

from alltalk_plugin.domain.engines import EngineSpec
from alltalk_plugin.environments import locate
from alltalk_plugin.workers.supervisor import WorkerEnvironment

HOME = Path(os.environ.get("ALLTALK_TEST_HOME", Path(__file__).resolve().parent.parent / ".engines-home"))


def interpreter(engine: str) -> Path:
    """The interpreter of an engine's environment."""
    folder = HOME / "engines" / engine
    found = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    assert found.is_file(), f"the engine {engine} is not installed for the tests: run 'make engines'"
    return found


def environment_of(spec: EngineSpec) -> WorkerEnvironment:
    """What a `WorkerLoader` needs, as the service finds it. Raises: EngineMissing, with what to type."""
    return locate.environment_of(HOME, spec)
