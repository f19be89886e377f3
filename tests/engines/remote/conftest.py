"""The speech server of the tests."""

from __future__ import annotations

from tests.engines.remote.running import running, server

__all__ = ["running", "server"]
