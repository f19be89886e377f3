from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.audio.shelf import Shelf


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    shelf = Shelf(tmp_path / "new" / "audio")
    yield shelf
    shelf.disk.close_all()
