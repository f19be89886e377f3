"""What holds for all tests, and what several packages of them use: each engine's tiny models, made once; copy
what you change.

Imports are inside, because the environment of the browser tests lacks what they need.
"""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest


def pytest_configure() -> None:
    if importlib.util.find_spec("hypothesis") is not None:
        from hypothesis import HealthCheck, settings

        # How long an example takes says more of what else the machine does than of our code.
        settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
        settings.load_profile("busy")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    from tests.distribution import FilesInTheirOrder

    return FilesInTheirOrder(config, log)


@pytest.fixture(scope="module", autouse=True)
def _no_process_is_left() -> Iterator[None]:
    """What a file's tests started has ended with them, and was waited for: a process that stays would be
    taken for their own by the tests of another file."""
    if importlib.util.find_spec("psutil") is None:
        yield
        return
    import psutil

    me, pause = psutil.Process(), threading.Event()
    older = set(me.children())
    yield
    left: set[psutil.Process] = set()
    for _ in range(100):  # ten seconds, more than any engine takes to end
        left = set(me.children()) - older
        if not left:
            return
        pause.wait(0.1)
    pytest.fail(f"these tests left {left}")


@pytest.fixture(scope="session")
def coqui(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """The folders of Coqui's models by name, XTTS left out."""
    from tests.checkpoints import COQUI_MODELS, coqui_models, made_once

    folder = made_once(tmp_path_factory, "coqui", coqui_models)
    return {name: folder / name for name in COQUI_MODELS}


@pytest.fixture(scope="session")
def xtts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the models `xtts` and `xtts_alone`, which has no speakers."""
    from tests.checkpoints import made_once, write

    return made_once(tmp_path_factory, "xtts", lambda made: write("write_xtts.py", "coqui", made))


@pytest.fixture(scope="session")
def piper(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """The voices `single` and `speakers`."""
    from tests.checkpoints.piper import piper_voices

    return piper_voices(tmp_path_factory.mktemp("piper"))


@pytest.fixture(scope="session")
def kokoro(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model."""
    from tests.checkpoints.kokoro import kokoro_model
    from tests.neural import interpreter

    interpreter("kokoro")  # the model is made without it: its absence is told here as for the others
    return kokoro_model(tmp_path_factory.mktemp("kokoro"))
