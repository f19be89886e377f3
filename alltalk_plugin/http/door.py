"""The outermost layer: refuses before any work, answers preflights, names allowed origins on every reply."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from alltalk_plugin.domain.errors import BodyTooLarge
from alltalk_plugin.http.problems import problem_response
from alltalk_plugin.http.security import DoorRules, Knock, is_loopback, origin_allowed, refusal
from alltalk_plugin.settings.schema import ServerSettings

_PREFIX = "/k/"
_EXPOSED = (
    "X-Voice, X-Model, X-Model-Revision, X-Fallback, X-Request-Id, X-Audio-Id, X-Audio-Format, "
    "Content-Range, Retry-After"
)


class Door:
    """ASGI middleware. `settings` is read for every request, because origins can change at run time;
    `bound_host` is the address or name the server listens on."""

    def __init__(
        self, app: ASGIApp, *, token: str, bound_host: str, settings: Callable[[], ServerSettings]
    ) -> None:
        self._app = app
        self._token = token
        self._bound_host = bound_host
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        settings = self._settings()
        rules = DoorRules(
            token=self._token,
            loopback=is_loopback(self._bound_host),
            origins=settings.origins,
            names=(self._bound_host.lower(),),
        )
        headers = Headers(scope=scope)
        scope, knock = _opened(scope, headers)
        send = _naming_origin(send, knock.origin, rules)
        refused = refusal(knock, rules)
        limit_bytes = settings.max_body_mb * 1_000_000
        if refused is None and int(headers.get("content-length") or 0) > limit_bytes:
            refused = _too_large(limit_bytes)
        if refused is not None:
            await problem_response(refused)(scope, receive, send)
        elif knock.preflight:
            await _preflight(headers)(scope, receive, send)
        else:
            await self._app(scope, _limited(receive, limit_bytes), send)


def _opened(scope: Scope, headers: Headers) -> tuple[Scope, Knock]:
    """The request as the app sees it, and as the rules do; `/k/TOKEN/…` is mounted under `/k/TOKEN`."""
    path = scope["path"]
    tokens = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [])
    scheme, _, bearer = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        tokens.append(bearer.strip())
    if path.startswith(_PREFIX):
        token, slash, rest = path.removeprefix(_PREFIX).partition("/")
        tokens.append(token)
        scope = {**scope, "root_path": f"{scope.get('root_path', '')}{_PREFIX}{token}"}
        path = slash + rest
    return scope, Knock(
        method=scope["method"],
        path=path,
        host=headers.get("host"),
        origin=headers.get("origin"),
        fetch_site=headers.get("sec-fetch-site"),
        tokens=tuple(tokens),
        preflight=scope["method"] == "OPTIONS" and "access-control-request-method" in headers,
    )


def _naming_origin(send: Send, origin: str | None, rules: DoorRules) -> Send:
    allowed = origin_allowed(origin, rules.origins)

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.add_vary_header("Origin")
            if origin is not None and allowed:
                headers["Access-Control-Allow-Origin"] = origin
                headers["Access-Control-Expose-Headers"] = _EXPOSED
        await send(message)

    return sending


def _preflight(headers: Headers) -> Response:
    answer = Response(status_code=204)
    answer.headers["Access-Control-Allow-Methods"] = "GET, HEAD, POST, PUT, DELETE, OPTIONS"
    answer.headers["Access-Control-Allow-Headers"] = headers.get("access-control-request-headers", "*")
    answer.headers["Access-Control-Max-Age"] = "600"
    if headers.get("access-control-request-private-network") == "true":
        answer.headers["Access-Control-Allow-Private-Network"] = "true"
    return answer


def _limited(receive: Receive, limit_bytes: int) -> Receive:
    taken_bytes = 0

    async def receiving() -> Message:
        nonlocal taken_bytes
        message = await receive()
        taken_bytes += len(message.get("body", b""))
        if taken_bytes > limit_bytes:
            # The framework lets only its own exceptions out of reading a body.
            raise HTTPException(413) from _too_large(limit_bytes)
        return message

    return receiving


def _too_large(limit_bytes: int) -> BodyTooLarge:
    return BodyTooLarge(
        f"the request's body is larger than {limit_bytes} bytes", context={"limit_bytes": limit_bytes}
    )
