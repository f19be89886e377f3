"""Which tests share a process when several processes run them (`pytest -n`, what `make test` does)."""

from __future__ import annotations

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling


class FilesInTheirOrder(LoadScopeScheduling):  # type: ignore[misc]  # pytest-xdist has no types
    """The tests of a file run in one process, because they share what took long to set up; of the contract
    suite, which is several minutes in one file, those of an engine.

    Files begin in their order, which has the long ones first.
    """

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        path, _, test = nodeid.partition("::")
        if path.endswith("contract/test_engines.py"):
            engine = test.partition("[")[2].partition("-")[0].rstrip("]")
            return f"{path} {engine}"
        return path
