from __future__ import annotations

from contextlib import closing

import pytest

from alltalk_plugin.http.security import is_open
from tests.fakes.runtime import FakeRuntime, Speaking
from tests.http.clients import TOKEN, AppClient, Running

EVIL = {"Origin": "https://evil.example"}
PAGE = {"Origin": "http://localhost:5000"}
SPEAK = "/api/v1/speak"


def speak_at_once(speaking: Speaking) -> None:
    speaking.feed()
    speaking.finish()


def test_foreign_page_when_it_posts_is_refused_before_any_work(
    runtime: FakeRuntime, client: AppClient
) -> None:
    answer = client.post(SPEAK, {"text": "Hello."}, headers=EVIL)

    assert (answer.status_code, answer.json()["code"]) == (403, "origin_forbidden")
    assert runtime.speech.begun == []
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    ("path", "status"), [("/health", 200), ("/api/v1/nothing-here", 404), ("/api/v1/audio/nope", 404)]
)
def test_allowed_page_when_answered_is_named_on_errors_too(client: AppClient, path: str, status: int) -> None:
    answer = client.get(path, headers=PAGE)

    assert answer.status_code == status
    assert answer.headers["access-control-allow-origin"] == PAGE["Origin"]
    assert "Origin" in answer.headers["vary"]


def test_allowed_page_when_a_defect_strikes_is_named_on_the_500_too(
    runtime: FakeRuntime, client: AppClient
) -> None:
    runtime.speech.begin = None  # type: ignore[assignment,method-assign]  # a defect: calling it is a TypeError
    answer = client.post(SPEAK, {"text": "Hello."}, headers=PAGE)

    assert (answer.status_code, answer.json()["code"]) == (500, "alltalk_error")
    assert answer.headers["access-control-allow-origin"] == PAGE["Origin"]
    assert answer.headers["content-type"] == "application/problem+json"


def test_preflight_when_the_page_is_allowed_says_what_it_may(client: AppClient) -> None:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}

    allowed = client.request("OPTIONS", "/api/v1/swaps", headers={**asked, **PAGE})
    foreign = client.request("OPTIONS", "/api/v1/swaps", headers={**asked, **EVIL})

    assert allowed.status_code == 204
    assert allowed.headers["access-control-allow-headers"] == "authorization"
    assert "POST" in allowed.headers["access-control-allow-methods"]
    assert foreign.status_code == 403


def test_preflight_when_the_page_is_on_the_public_web_may_reach_the_private_network(
    runtime: FakeRuntime, client: AppClient
) -> None:
    runtime.change_server(origins=("https://chat.example",))
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Private-Network": "true"}

    answer = client.request("OPTIONS", SPEAK, headers={**asked, "Origin": "https://chat.example"})

    assert answer.headers["access-control-allow-private-network"] == "true"


def test_origin_when_added_to_the_settings_is_allowed_without_a_restart(
    runtime: FakeRuntime, client: AppClient
) -> None:
    runtime.speech.script = speak_at_once
    runtime.change_server(origins=("https://evil.example",))

    assert client.post(SPEAK, {"text": "Hello."}, headers=EVIL).status_code == 200


def test_host_header_when_rebound_is_refused(client: AppClient) -> None:
    answer = client.get("/health", headers={"Host": "evil.example"})

    assert (answer.status_code, answer.json()["code"]) == (403, "host_name_forbidden")


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/api/v1/journal", {"Authorization": f"Bearer {TOKEN}"}),
        ("/api/v1/journal", {"Authorization": f"bearer {TOKEN}"}),
        (f"/api/v1/journal?token={TOKEN}", {}),
        (f"/k/{TOKEN}/api/v1/journal", {}),
    ],
)
def test_token_when_shown_in_any_of_the_ways_lets_in(
    runtime: FakeRuntime, path: str, headers: dict[str, str]
) -> None:
    with closing(AppClient(runtime, with_token=False)) as client:
        assert client.get(path, headers=headers).status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/api/v1/journal", "/api/v1/journal?token=x", "/k/wrong/api/v1/journal", "/k/"],
)
def test_token_when_missing_or_wrong_keeps_out(runtime: FakeRuntime, path: str) -> None:
    with closing(AppClient(runtime, with_token=False)) as client:
        answer = client.get(path)

    assert (answer.status_code, answer.json()["code"]) == (401, "token_required")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_bind_when_others_can_reach_it_needs_the_token_for_everything(runtime: FakeRuntime) -> None:
    with closing(AppClient(runtime, bound_host="0.0.0.0", with_token=False)) as client:
        assert client.get("/health").status_code == 401
        assert client.get(f"/k/{TOKEN}/health").status_code == 200


def test_paths_without_token_on_loopback_are_these(client: AppClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]

    assert {path for path in paths if is_open(path)} == {
        "/health",
        "/ready",
        "/api/v1/speak",
        "/api/v1/explain",
        "/api/v1/voices",
        "/api/v1/models",
        "/api/v1/audio/{audio_id}",
        "/api/v1/replies/{audio_id}",
    }
    assert "/api/v1/swaps" in paths


def test_docs_when_reached_by_a_token_path_do_not_keep_the_token(runtime: FakeRuntime) -> None:
    with closing(AppClient(runtime, with_token=False)) as client:
        assert client.get(f"/k/{TOKEN}/openapi.json").status_code == 200
        assert TOKEN not in client.get("/openapi.json").text


def test_body_when_larger_than_allowed_is_refused(running: Running) -> None:
    running.runtime.change_server(max_body_mb=1)
    big = b"x" * 1_100_000

    sized = running.http.post(SPEAK, content=big)
    chunked = running.http.post(
        SPEAK, content=iter([big[:600_000], big[600_000:]]), headers={"Content-Type": "application/json"}
    )

    for answer in (sized, chunked):
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


def test_requests_when_answered_have_ids_of_their_own(client: AppClient) -> None:
    ids = {client.get("/api/v1/voices").headers["x-request-id"] for _ in range(2)}

    assert len(ids) == 2
