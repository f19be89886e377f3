"""Fixtures that several packages of tests use."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def coqui(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """The folders of Coqui's tiny models by name, made once; copy what you change."""
    from tests.checkpoints import coqui_models  # here: the browser tests' environment lacks what it needs

    return coqui_models(tmp_path_factory.mktemp("coqui"))
