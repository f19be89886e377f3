from __future__ import annotations

import pytest

from alltalk_plugin.domain.errors import AlltalkError, RequestError, RetryLater, SelfTestFailed
from alltalk_plugin.domain.models import SwapMode, SwapOutcome
from tests.fakes.runtime import FakeRuntime
from tests.http.clients import AppClient


def test_swap_when_asked_is_accepted_with_its_plan(runtime: FakeRuntime, client: AppClient) -> None:
    answer = client.post("/api/v1/swaps", {"target": "espeak", "mode": "load_first", "force": True})

    assert answer.status_code == 202
    assert answer.json() == {
        "id": "s0",
        "plan": {
            "target": "espeak",
            "mode": "load_first",
            "victims": [],
            "need_bytes": 10,
            "free_bytes": 20,
            "budget_bytes": 30,
            "eta_s": None,
            "eta_range_s": None,
        },
        "outcome": None,
        "error": None,
    }
    assert runtime.models.asked == [("espeak", SwapMode.LOAD_FIRST, True, False, "api")]


def test_swap_when_only_planned_says_so_at_once(client: AppClient) -> None:
    answer = client.post("/api/v1/swaps", {"target": "espeak", "dry_run": True})

    assert answer.json()["outcome"] == "planned"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [({"target": "nobody"}, 404, "not_found"), ({"target": "espeak", "when": "now"}, 422, "bad_request")],
)
def test_swap_when_it_makes_no_sense_is_refused(
    client: AppClient, body: dict[str, object], status: int, code: str
) -> None:
    answer = client.post("/api/v1/swaps", body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_swap_when_the_pool_refuses_has_its_error(runtime: FakeRuntime, client: AppClient) -> None:
    runtime.models.fail_swap = RetryLater("failed a moment ago", context={"retry_after_s": 3})

    answer = client.post("/api/v1/swaps", {"target": "espeak"})

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "3")


@pytest.mark.parametrize(
    ("outcome", "error"),
    [
        (None, None),
        (SwapOutcome.COMMITTED, None),
        (SwapOutcome.ROLLED_BACK, SelfTestFailed("silence")),
    ],
)
def test_swap_state_follows_the_ticket(
    runtime: FakeRuntime, client: AppClient, outcome: SwapOutcome | None, error: AlltalkError | None
) -> None:
    swap_id = client.post("/api/v1/swaps", {"target": "espeak"}).json()["id"]
    ticket = runtime.models.tickets[swap_id]
    ticket.outcome, ticket.error = outcome, error

    view = client.get(f"/api/v1/swaps/{swap_id}").json()

    assert view["outcome"] == outcome
    assert (view["error"] or {}).get("code") == (error.code if error else None)


def test_swap_when_cancelled_says_how_it_stands(client: AppClient) -> None:
    swap_id = client.post("/api/v1/swaps", {"target": "espeak"}).json()["id"]

    assert client.post(f"/api/v1/swaps/{swap_id}/cancel").json()["outcome"] == "aborted"


def test_swap_of_a_person_says_so(runtime: FakeRuntime, client: AppClient) -> None:
    client.post("/api/v1/swaps", {"target": "espeak", "cause": "person"})

    assert runtime.models.asked[0][-1] == "person"


def test_pin_and_unload_are_passed_on(runtime: FakeRuntime, client: AppClient) -> None:
    answers = [
        client.post("/api/v1/models/espeak/pin", {"pinned": True}),
        client.post("/api/v1/models/espeak/pin", {"pinned": False}),
        client.post("/api/v1/models/espeak/unload"),
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert {answer.json()["id"] for answer in answers} == {"espeak"}
    assert runtime.models.ordered == [("pin", "espeak"), ("unpin", "espeak"), ("unload", "espeak")]


def test_unload_of_a_pinned_model_is_refused(runtime: FakeRuntime, client: AppClient) -> None:
    runtime.models.fail_unload = RequestError("espeak is pinned")

    answer = client.post("/api/v1/models/espeak/unload")

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


@pytest.mark.parametrize(("body", "target"), [({}, "espeak"), ({"to": "espeak"}, "espeak")])
def test_rollback_is_a_swap_back(
    runtime: FakeRuntime, client: AppClient, body: dict[str, str], target: str
) -> None:
    answer = client.post("/api/v1/rollback", body)

    assert (answer.status_code, answer.json()["plan"]["target"]) == (202, target)
    assert runtime.models.asked[0][-1] == "rollback"


def test_models_are_listed_with_state_and_need(client: AppClient) -> None:
    (model,) = client.get("/api/v1/models").json()["models"]

    assert model == {
        "id": "espeak",
        "engine": "espeak",
        "state": "ready",
        "revision": "r1",
        "device": "cpu",
        "need_bytes": 6,
        "resident_bytes": 4,
        "leases": 0,
        "pinned": True,
        "last_error": None,
        "retry_in_s": None,
        "eta_s": None,
        "eta_range_s": None,
    }


@pytest.mark.parametrize(
    ("query", "seqs", "last"),
    [("", [1, 2, 3], 3), ("?since=1", [2, 3], 3), ("?since=1&limit=1", [2], 2), ("?since=3", [], 3)],
)
def test_journal_gives_what_came_after(client: AppClient, query: str, seqs: list[int], last: int) -> None:
    answer = client.get(f"/api/v1/journal{query}").json()

    assert [record["seq"] for record in answer["records"]] == seqs
    assert answer["last_seq"] == last
