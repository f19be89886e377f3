from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.engines.remote.running import SpeechServer, speech_server


@pytest.fixture(scope="module")
def running() -> Iterator[SpeechServer]:
    with speech_server() as server:
        yield server


@pytest.fixture
def server(running: SpeechServer) -> SpeechServer:
    running.behave()
    return running
