"""An engine that hums, to be installed: a tiny distribution, its lock and its spec."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np

from alltalk_plugin.domain.engines import EngineEnvironment, EngineSpec, InstallStep
from alltalk_plugin.domain.models import CPU, MemoryEstimate
from tests.environments.wheels import make_wheel

SOURCE = """
import numpy as np
from alltalk_plugin.domain.audio import AudioChunk

class Tone:
    def synthesize(self, request, cancel):
        yield AudioChunk((0.1 * np.sin(np.arange(16000) / 10)).astype(np.float32), 16000)

    def close(self):
        pass

def create(request):
    return Tone()
"""
LOCK = "# made by hand\ntone-engine==1.0\ntone-extra==1.0\n"
STEPS = (InstallStep(("tone-engine",)), InstallStep(("tone-extra",), bare=True))


def borrowed_numpy(folder: Path) -> str:
    """A folder to import numpy from, and nothing else: every engine needs it, and it is not ours to give."""
    folder.mkdir(exist_ok=True)
    numpy = Path(np.__file__).parent
    for path in (numpy, numpy.with_name("numpy.libs")):
        if path.exists() and not (folder / path.name).exists():
            (folder / path.name).symlink_to(path)
    return str(folder)


def fill_shop(shop: Path) -> None:
    """The wheels of the engine, and a newer one that the lock does not allow."""
    numpy = borrowed_numpy(shop.with_name("borrowed"))
    for version in ("1.0", "2.0"):
        files = {"tone_engine.py": SOURCE, "tone_engine.pth": f"{numpy}\n"}
        make_wheel(shop, "tone-engine", version, files)
    make_wheel(shop, "tone-extra", "1.0", {"tone_extra.py": "x = 1\n"}, requires=("nowhere-to-be-found",))


def tone_spec(
    folder: Path,
    *,
    steps: tuple[InstallStep, ...] = STEPS,
    lock: str = LOCK,
    entry: str = "tone_engine:create",
    size_mb: int = 1,
    tried: tuple[str, ...] = ("linux-x86_64",),
    indexes: Mapping[str, str] = MappingProxyType({}),
    distributions: tuple[str, ...] = ("tone-engine>=1",),
) -> EngineSpec:
    path = folder / "tone.txt"
    path.write_text(lock)
    return EngineSpec(
        name="tone",
        entry=entry,
        distributions=distributions,
        max_chars=1_000,
        estimate=lambda _profile: MemoryEstimate(CPU, peak_bytes=1, steady_bytes=1, context_bytes=50_000_000),
        revision=lambda _profile: "1",
        speaks=lambda _profile, _voice, _language: None,
        environment=EngineEnvironment(lock=path, steps=steps, size_mb=size_mb, tried=tried, indexes=indexes),
    )
