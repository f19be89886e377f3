from __future__ import annotations

import pytest

from alltalk_plugin.domain.errors import (
    Cooldown,
    ModelTooBig,
    NothingToSay,
    all_error_types,
)
from alltalk_plugin.http.problems import STATUS, problem, status_of
from tests.fakes.runtime import FakeRuntime
from tests.http.clients import AppClient


def test_status_table_has_a_row_for_every_error_and_no_other() -> None:
    ours = {kind for kind in all_error_types() if kind.__module__.startswith("alltalk_plugin.")}

    assert set(STATUS) == ours
    assert all(400 <= status <= 599 for status in STATUS.values())


def test_status_when_the_class_is_a_plugins_own_is_that_of_its_ancestor() -> None:
    class Whispered(NothingToSay):
        code = "whispered"

    assert status_of(Whispered("psst")) == 422


def test_problem_has_context_beside_its_own_members_and_under_them() -> None:
    document = problem(ModelTooBig("too big", context={"need_bytes": 7, "status": "mine"}))

    assert document == {
        "type": "urn:alltalk-plugin:problem:too_big",
        "title": "Too big",
        "status": 507,
        "detail": "too big",
        "code": "too_big",
        "hint": ModelTooBig.default_hint,
        "need_bytes": 7,
    }


def test_problem_when_it_says_when_to_come_back_has_retry_after(
    runtime: FakeRuntime, client: AppClient
) -> None:
    runtime.models.fail_swap = Cooldown("just now", context={"retry_after_s": 12.2})

    answer = client.post("/api/v1/swaps", {"target": "espeak"})

    assert (answer.status_code, answer.headers["retry-after"]) == (429, "13")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["retry_after_s"] == 12.2


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/api/v1/nothing", None, 404, "path_unknown"),
        ("GET", "/api/v1/speak", None, 405, "path_unknown"),
        ("POST", "/api/v1/speak", {}, 422, "bad_request"),
        ("POST", "/api/v1/speak", {"text": "x", "voce": "y"}, 422, "bad_request"),
        ("POST", "/api/v1/speak", {"text": "x", "language": "no language"}, 422, "bad_request"),
        ("POST", "/api/v1/speak", {"text": "x", "format": "aiff"}, 422, "bad_request"),
        ("POST", "/api/v1/hosts/plian/output", {"text": "x"}, 404, "host_unknown"),
        ("GET", "/api/v1/swaps/s9", None, 404, "swap_unknown"),
        ("GET", "/api/v1/replies/none", None, 404, "audio_not_found"),
    ],
)
def test_error_of_any_origin_is_a_problem_document(
    client: AppClient, *, method: str, path: str, body: object, status: int, code: str
) -> None:
    answer = client.request(method, path, json=body)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert (document["status"], document["code"]) == (status, code)
    assert document["hint"]
    assert document["detail"]


def test_invalid_request_names_the_field_and_repeats_no_text(client: AppClient) -> None:
    answer = client.post("/api/v1/speak", {"text": {"secret": "chat"}})

    assert answer.json()["detail"].startswith("text: ")
    assert "secret" not in answer.text
