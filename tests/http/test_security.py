from __future__ import annotations

from dataclasses import replace

import pytest

from alltalk_plugin.domain.errors import (
    AlltalkError,
    HostNameForbidden,
    OriginForbidden,
    TokenRequired,
)
from alltalk_plugin.http.security import (
    DoorRules,
    Knock,
    host_allowed,
    is_loopback,
    origin_allowed,
    refusal,
)

LOOPBACK = DoorRules(token="right", loopback=True, origins=("https://chat.example",))
OPEN_BIND = replace(LOOPBACK, loopback=False, names=("box.lan",))


def knock(
    path: str, method: str = "GET", *, host: str | None = "127.0.0.1:7851", shown: tuple[str, ...] = ()
) -> Knock:
    return Knock(method=method, path=path, host=host, tokens=shown)


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("127.0.0.1", True),
        ("127.0.0.1:7851", True),
        ("localhost:7851", True),
        ("LOCALHOST.:7851", True),
        ("st.localhost", True),
        ("[::1]:7851", True),
        ("192.168.0.7:7851", True),
        ("chat.example", True),
        ("evil.example", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("user@127.0.0.1", False),
        ("127.0.0.1:port", False),
        ("[::1", False),
        ("127.0.0.1/x", False),
        ("", False),
        (None, False),
    ],
)
def test_host_header_when_it_is_a_foreign_name_is_not_allowed(host: str | None, allowed: bool) -> None:
    assert host_allowed(host, LOOPBACK) is allowed


def test_host_header_when_it_is_the_bound_name_is_allowed() -> None:
    assert host_allowed("box.lan:80", OPEN_BIND)
    assert not host_allowed("box.lan:80", LOOPBACK)


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://localhost:8000", True),
        ("http://127.0.0.1:5000", True),
        ("https://[::1]:1", True),
        ("http://127.8.9.1", True),
        ("https://chat.example", True),
        ("https://CHAT.example", True),
        ("http://chat.example", False),
        ("https://chat.example:444", False),
        ("https://evil.example", False),
        ("http://localhost.evil.example", False),
        ("http://192.168.0.7", False),
        ("null", False),
        ("file://localhost", False),
        (None, False),
    ],
)
def test_origin_when_loopback_or_listed_is_allowed_and_no_other(origin: str | None, allowed: bool) -> None:
    assert origin_allowed(origin, ("https://chat.example/", "null")) is allowed


@pytest.mark.parametrize(
    ("rules", "asked", "expected"),
    [
        (LOOPBACK, knock("/health"), None),
        (LOOPBACK, knock("/api/v1/speak", "POST"), None),
        (LOOPBACK, knock("/api/v1/explain", "POST"), None),
        (LOOPBACK, knock("/api/v1/audio/abc"), None),
        (LOOPBACK, knock("/api/v1/hosts/plain/output", "POST"), TokenRequired),
        (LOOPBACK, knock("/api/v1/hosts/plain/output", "POST", shown=("wrong",)), TokenRequired),
        (LOOPBACK, knock("/api/v1/hosts/plain/output", "POST", shown=("right",)), None),
        (LOOPBACK, knock("/api/v1/swaps", "POST"), TokenRequired),
        (LOOPBACK, knock("/api/v1/swaps", "POST", shown=("wrong", "right")), None),
        (LOOPBACK, knock("/api/v1/rollback", "POST"), TokenRequired),
        (LOOPBACK, knock("/api/v1/journal"), TokenRequired),
        (LOOPBACK, knock("/api/v1/settings", "PUT"), TokenRequired),
        (LOOPBACK, knock("/whatever/comes/later"), TokenRequired),
        (LOOPBACK, knock("/health", host="evil.example"), HostNameForbidden),
        (OPEN_BIND, knock("/health"), TokenRequired),
        (OPEN_BIND, knock("/api/v1/audio/abc"), TokenRequired),
        (OPEN_BIND, knock("/api/v1/audio/abc", shown=("right",)), None),
    ],
)
def test_request_when_it_shows_what_its_path_needs_comes_in(
    rules: DoorRules, asked: Knock, expected: type[AlltalkError] | None
) -> None:
    refused = refusal(asked, rules)
    assert (type(refused) if refused else None) is expected


@pytest.mark.parametrize(
    ("method", "origin", "fetch_site", "refused"),
    [
        ("POST", "https://evil.example", "cross-site", True),
        ("POST", "https://evil.example", None, True),
        ("POST", "null", None, True),
        ("POST", None, "cross-site", True),
        ("PUT", "https://evil.example", None, True),
        ("DELETE", "https://evil.example", None, True),
        ("POST", "https://chat.example", "cross-site", False),
        ("POST", "http://localhost:5000", "same-site", False),
        ("POST", None, "same-origin", False),
        ("POST", None, None, False),
        ("GET", "https://evil.example", "cross-site", False),
    ],
)
def test_request_when_a_foreign_page_changes_state_is_refused_even_with_the_token(
    method: str, origin: str | None, fetch_site: str | None, refused: bool
) -> None:
    asked = Knock(
        method=method,
        path="/api/v1/speak",
        host="127.0.0.1",
        origin=origin,
        fetch_site=fetch_site,
        tokens=("right",),
    )
    assert isinstance(refusal(asked, LOOPBACK), OriginForbidden) is refused


@pytest.mark.parametrize("shown", ["", "righ", "rightt", "r\udcffight", "прав"])
def test_token_when_it_differs_at_all_is_wrong(shown: str) -> None:
    assert isinstance(refusal(knock("/api/v1/journal", shown=(shown,)), LOOPBACK), TokenRequired)


@pytest.mark.parametrize(
    ("name", "loopback"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False), ("", False)],
)
def test_bind_when_others_can_reach_it_is_not_loopback(name: str, loopback: bool) -> None:
    assert is_loopback(name) is loopback
