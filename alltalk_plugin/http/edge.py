"""Around every request: its id, the count of those that run, and the last resort for defects."""

from __future__ import annotations

import time
import uuid

from loguru import logger
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from alltalk_plugin.domain.errors import AlltalkError
from alltalk_plugin.http.presence import Presence
from alltalk_plugin.http.problems import problem_response

_NO_SIGN_OF_LIFE = ("/health", "/ready")
"""Monitors ask these for ever; they alone keep no service alive."""


class Edge:
    """ASGI middleware inside the door."""

    def __init__(self, app: ASGIApp, *, presence: Presence) -> None:
        self._app = app
        self._presence = presence

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].endswith(_NO_SIGN_OF_LIFE):
            await self._app(scope, receive, send)
            return
        request_id = uuid.uuid4().hex[:16]
        with self._presence.request(), logger.contextualize(request_id=request_id):
            await self._answer(scope, receive, send, request_id)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        began_s = time.monotonic()
        status: int | None = None

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception as error:  # noqa: BLE001 - last resort: a defect must end as an answer, not as silence
            logger.exception("a request failed unexpectedly", route=_route(scope))
            if status is None:
                failure = AlltalkError(f"internal error: {type(error).__name__}")
                await problem_response(failure)(scope, receive, sending)
        logger.debug(
            "request answered",
            method=scope["method"],
            route=_route(scope),
            status=status,
            dur_ms=round((time.monotonic() - began_s) * 1000, 1),
        )


def _route(scope: Scope) -> str:
    # The pattern, not the path: ids and tokens stay out of the log.
    return getattr(scope.get("route"), "path", "unknown")
