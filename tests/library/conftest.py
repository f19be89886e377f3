from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes.file_server import FileServer, file_server


@pytest.fixture
def server() -> Iterator[FileServer]:
    with file_server() as running:
        yield running
