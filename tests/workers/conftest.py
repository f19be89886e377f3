"""Loaders over real worker processes, ended after each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from alltalk_plugin.domain.clock import SystemClock
from alltalk_plugin.workers.supervisor import WorkerLoader
from tests.workers.rude_spec import ENGINES, rude_environment

MakeLoader = Callable[..., WorkerLoader]


@pytest.fixture
def make_loader() -> Iterator[MakeLoader]:
    loaders: list[WorkerLoader] = []

    def make(*, load_timeout_s: float = 30.0, chunk_timeout_s: float = 30.0) -> WorkerLoader:
        loader = WorkerLoader(
            ENGINES,
            clock=SystemClock(),
            environment_of=rude_environment,
            load_timeout_s=lambda: load_timeout_s,
            chunk_timeout_s=lambda: chunk_timeout_s,
        )
        loaders.append(loader)
        return loader

    yield make
    for loader in loaders:
        loader.close()
