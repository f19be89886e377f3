"""Is it alive, can it speak: answered from a snapshot, without a thread, however busy the rest is."""

from __future__ import annotations

import os

from fastapi import APIRouter

from alltalk_plugin import __version__
from alltalk_plugin.domain.errors import ModelError
from alltalk_plugin.domain.models import ModelState
from alltalk_plugin.http.rim import Rim


def health_routes(rim: Rim) -> APIRouter:
    routes = APIRouter(tags=["health"])

    @routes.get("/health")
    async def health() -> dict[str, str | int]:
        """The process answers. Clients compare `pid` with that of address.json."""
        return {"status": "live", "version": __version__, "pid": os.getpid()}

    @routes.get("/ready")
    async def ready() -> dict[str, list[str]]:
        """The models that can speak now; 503 when there is none."""
        loaded = [
            str(model.ref) for model in rim.runtime.models.snapshot() if model.state is ModelState.READY
        ]
        if not loaded:
            raise ModelError(
                "no model is loaded yet",
                hint="Wait a moment; if it stays so, run 'alltalk-plugin models'.",
                context={"retry_after_s": 1},
            )
        return {"ready": loaded}

    return routes
