"""Who may ask: the decisions, pure. `door.py` applies them to every request before any work.

A server on loopback is reachable from every web page the user visits: by a plain form post, and, with a
name that suddenly resolves to 127.0.0.1 (DNS rebinding), as if it were that page's own server.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from alltalk_plugin.domain.errors import AlltalkError, HostNameForbidden, OriginForbidden, TokenRequired

OPEN_PATHS = frozenset(
    {
        "/health",
        "/ready",
        "/docs",
        "/openapi.json",
        "/api/v1/speak",
        "/api/v1/explain",
        "/api/v1/voices",
        "/api/v1/models",
    }
)
OPEN_BELOW = ("/api/v1/audio/", "/api/v1/replies/")
"""What needs no token on a loopback bind: speaking and looking. Everything else, later paths too, does."""

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Knock:
    """What a request says about itself. `tokens` are those it shows, in whatever way."""

    method: str
    path: str
    host: str | None
    origin: str | None = None
    fetch_site: str | None = None
    tokens: tuple[str, ...] = ()
    preflight: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorRules:
    """`names` are host names, besides IP addresses and localhost, under which this server is known."""

    token: str
    loopback: bool
    origins: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


def refusal(knock: Knock, rules: DoorRules) -> AlltalkError | None:
    """Why this request may not come in; None when it may."""
    if not host_allowed(knock.host, rules):
        return HostNameForbidden(
            "this server is not known by the name in the request's Host header",
            context={"name": knock.host},
        )
    allowed = origin_allowed(knock.origin, rules.origins)
    if knock.preflight or knock.method not in _SAFE_METHODS:
        foreign = knock.origin is not None and not allowed
        if foreign or (knock.fetch_site == "cross-site" and not allowed):
            return OriginForbidden(
                "a web page of another origin may not do this", context={"origin": knock.origin}
            )
    if knock.preflight:  # browsers send no token with it
        return None
    if any(_same(shown, rules.token) for shown in knock.tokens):
        return None
    if rules.loopback and is_open(knock.path):
        return None
    return TokenRequired("this needs the service's token" if not knock.tokens else "the token is wrong")


def is_open(path: str) -> bool:
    """Whether a path needs no token on a loopback bind."""
    return path in OPEN_PATHS or path.startswith(OPEN_BELOW)


def host_allowed(host: str | None, rules: DoorRules) -> bool:
    """Whether a Host header can only come from somebody who means this server.

    An IP address cannot be rebound; a name can, so only known ones pass.
    """
    name = _host_name(f"//{host}") if host else None
    if name is None:
        return False
    known = {*rules.names, *(_host_name(origin) for origin in rules.origins)}
    return _is_localhost(name) or _address(name) is not None or name in known


def origin_allowed(origin: str | None, allowed: Iterable[str]) -> bool:
    """Whether an Origin is one of the user's: loopback on any port, or listed. `null` never is."""
    if origin is None or origin == "null":
        return False
    if origin.lower() in {entry.lower().rstrip("/") for entry in allowed}:
        return True
    if not origin.lower().startswith(("http://", "https://")):
        return False
    name = _host_name(origin)
    return name is not None and is_loopback(name)


def is_loopback(name: str) -> bool:
    """Whether a host name or address means this machine alone."""
    address = _address(name)
    return _is_localhost(name) if address is None else address.is_loopback


def _is_localhost(name: str) -> bool:
    return name == "localhost" or name.endswith(".localhost")


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def _host_name(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - reading it checks it
    except ValueError:
        return None
    if parts.username is not None or parts.path not in ("", "/"):
        return None
    return parts.hostname.rstrip(".") if parts.hostname else None


def _same(shown: str, token: str) -> bool:
    return hmac.compare_digest(shown.encode("utf-8", "surrogatepass"), token.encode("utf-8"))
