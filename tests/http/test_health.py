from __future__ import annotations

import os

from alltalk_plugin import __version__
from alltalk_plugin.domain.models import ModelState
from tests.fakes.runtime import FakeRuntime
from tests.http.clients import AppClient


def test_health_says_who_answers(client: AppClient) -> None:
    assert client.get("/health").json() == {"status": "live", "version": __version__, "pid": os.getpid()}


def test_ready_when_a_model_is_loaded_names_it(client: AppClient) -> None:
    answer = client.get("/ready")
    assert (answer.status_code, answer.json()) == (200, {"ready": ["espeak"]})


def test_ready_when_no_model_is_loaded_is_503_and_says_when_to_ask_again(
    runtime: FakeRuntime, client: AppClient
) -> None:
    runtime.models.state = ModelState.LOADING
    answer = client.get("/ready")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
