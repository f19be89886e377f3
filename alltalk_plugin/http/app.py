"""The ASGI app over a runtime."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import FastAPI

from alltalk_plugin import __version__
from alltalk_plugin.domain.clock import SystemClock
from alltalk_plugin.domain.ports import Clock
from alltalk_plugin.http.ascii_json import AsciiJson
from alltalk_plugin.http.audience import Audience
from alltalk_plugin.http.door import Door
from alltalk_plugin.http.edge import Edge
from alltalk_plugin.http.health import health_routes
from alltalk_plugin.http.host_api import host_routes
from alltalk_plugin.http.keeping import OWED_FILE, Keeping
from alltalk_plugin.http.own_api import own_routes
from alltalk_plugin.http.panel_api import panel_routes
from alltalk_plugin.http.presence import Presence
from alltalk_plugin.http.problems import answer_errors
from alltalk_plugin.http.rim import Rim, Tickets
from alltalk_plugin.http.security import is_loopback
from alltalk_plugin.http.served import ServedRuntime
from alltalk_plugin.http.swap_api import swap_routes
from alltalk_plugin.http.threads import Threads
from alltalk_plugin.settings.schema import ServerSettings


def create_app(
    runtime: ServedRuntime,
    *,
    token: str,
    bound_host: str = "127.0.0.1",
    server: Callable[[], ServerSettings] | None = None,
    presence: Presence | None = None,
    clock: Clock | None = None,
) -> FastAPI:
    """The app for a server that listens on `bound_host`: on loopback, speaking needs no token.

    Starts nothing and closes nothing: the runtime is the caller's.
    """
    clock = clock if clock is not None else SystemClock()
    settings = server if server is not None else (lambda: runtime.settings.current.server)
    threads = Threads()

    def stop_unheard(audio_id: str) -> None:
        job = runtime.speech.job(audio_id)
        if job is not None and not job.done and not runtime.audio.get(audio_id).complete:
            threads.spawn(job.cancel)

    rim = Rim(
        runtime=runtime,
        threads=threads,
        audience=Audience(stop_unheard),
        presence=presence or Presence(clock=clock, idle_exit_s=lambda: settings().idle_exit_s),
        tickets=Tickets(),
        keeping=Keeping(runtime.home / OWED_FILE, runtime.audio),
        clock=clock,
        url_prefix="" if is_loopback(bound_host) else f"/k/{token}",
    )
    app = FastAPI(
        title="alltalk-plugin",
        version=__version__,
        root_path_in_servers=False,  # the path a request came by may hold the token
        redoc_url=None,
        default_response_class=AsciiJson,
    )
    answer_errors(app)
    for routes in (health_routes, own_routes, swap_routes, host_routes, panel_routes):
        app.include_router(routes(rim))
    app.add_middleware(Edge, presence=rim.presence)
    app.add_middleware(Door, token=token, bound_host=bound_host, settings=settings)  # added last: outermost
    return app
