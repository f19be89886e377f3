from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.fakes.runtime import FakeRuntime
from tests.http.clients import AppClient, Running, running_server


@pytest.fixture
def runtime(tmp_path: Path) -> FakeRuntime:
    return FakeRuntime(tmp_path)


@pytest.fixture
def client(runtime: FakeRuntime) -> Iterator[AppClient]:
    """On loopback, with the token."""
    with closing(AppClient(runtime)) as found:
        yield found


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    with running_server(tmp_path) as found:
        yield found
