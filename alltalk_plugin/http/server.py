"""The service as a process: bind, publish the address, serve, drain, end."""

from __future__ import annotations

import contextlib
import errno
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Iterator

import uvicorn
from loguru import logger

from alltalk_plugin.domain.clock import SystemClock
from alltalk_plugin.domain.errors import PortTaken
from alltalk_plugin.domain.ports import Clock
from alltalk_plugin.http.app import create_app
from alltalk_plugin.http.presence import Presence
from alltalk_plugin.http.served import OwnedRuntime

# Streams that are open when the service is told to end may go on this long.
_DRAIN_S = 10
_LOOK_EVERY_S = 10.0
_BACKLOG = 512
# Per listener in the kernel: a slow one holds this much, not the megabytes that autotuning would give it.
_SEND_BUFFER_BYTES = 256 * 1024
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared with, not bound


class SpeechServer:
    """One listening service. `run` in one thread, once; `stop` from any, also before or twice."""

    def __init__(
        self,
        runtime: OwnedRuntime,
        *,
        host: str | None = None,
        port: int | None = None,
        started_by_program: bool = False,
        clock: Clock | None = None,
    ) -> None:
        """Listens at once, answers once it runs.

        `host` and `port` None take those of the settings; then another port is found when that one is
        taken. A service that a program started ends when nobody needs it any more.

        Raises: PortTaken.
        """
        settings = runtime.settings.current.server
        clock = clock if clock is not None else SystemClock()
        self._ends_idle = started_by_program
        self._presence = Presence(
            clock=clock, idle_exit_s=lambda: runtime.settings.current.server.idle_exit_s
        )
        self._runtime = runtime
        self._host = host if host is not None else settings.host
        self._token = settings.token or secrets.token_urlsafe(16)
        wanted = port if port is not None else settings.port
        self._socket = bind(self._host, wanted, explicit=port is not None)
        self.port: int = self._socket.getsockname()[1]
        app = create_app(
            runtime, token=self._token, bound_host=self._host, presence=self._presence, clock=clock
        )
        self._server = _Uvicorn(
            uvicorn.Config(
                app,
                log_config=None,
                log_level="critical",  # what matters is logged by us, without URLs, which may hold the token
                access_log=False,
                server_header=False,
                ws="none",
                timeout_graceful_shutdown=_DRAIN_S,
            )
        )
        self._ended = threading.Event()

    def run(self) -> None:
        """Serve until `stop`, a signal, or, if a program started it, idleness. Raises: DataFolderUnusable."""
        watch = threading.Thread(target=self._watch, name="presence", daemon=True)
        with contextlib.closing(self._socket), self._signals():
            address = self._runtime.ownership.publish(
                self.port, self._token, host=_ANY_ADDRESS.get(self._host, self._host)
            )
            logger.info("service listens", url=address.url, host=self._host, port=self.port)
            watch.start()
            try:
                self._server.run(sockets=[self._socket])
            finally:
                self._ended.set()
                watch.join()
        logger.info("service ended")

    def stop(self) -> None:
        """End soon: running answers are finished first, for a while; the second call ends them."""
        self._server.force_exit = self._server.should_exit
        self._server.should_exit = True

    def _watch(self) -> None:
        while not self._ended.wait(self._next_look_s()):
            self._presence.look()
            if self._ends_idle and self._presence.may_end:
                logger.info("nobody needs the service any more", idle_s=round(self._presence.idle_s()))
                self._server.should_exit = True
                return

    def _next_look_s(self) -> float:
        if not self._ends_idle:
            return _LOOK_EVERY_S
        left_s = self._runtime.settings.current.server.idle_exit_s - self._presence.idle_s()
        return min(_LOOK_EVERY_S, max(0.05, left_s))

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        wanted = [signal.SIGINT, signal.SIGTERM]
        if sys.platform == "win32":
            wanted.append(signal.SIGBREAK)
        before = {number: signal.signal(number, lambda *_: self.stop()) for number in wanted}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def serve(
    runtime: OwnedRuntime,
    *,
    host: str | None = None,
    port: int | None = None,
    started_by_program: bool = False,
) -> None:
    """Serve a runtime in this thread until told to end; see `SpeechServer`. Raises: PortTaken."""
    SpeechServer(runtime, host=host, port=port, started_by_program=started_by_program).run()


def bind(host: str, port: int, *, explicit: bool) -> socket.socket:
    """A listening socket; a free port when `port` is taken and nobody insisted on it. Raises: PortTaken."""
    try:
        return _listening(host, port)
    except OSError as error:
        if explicit or error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise PortTaken(
                f"cannot listen on {host} port {port}: {error.strerror or error}",
                context={"host": host, "port": port},
            ) from error
    logger.warning("port taken, another one is used", port=port)
    return _listening(host, 0)


def _listening(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    found = socket.socket(family, kind, protocol)
    try:
        if sys.platform == "win32":
            # There, SO_REUSEADDR would let two servers share a port.
            found.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
        found.bind(address)
        found.listen(_BACKLOG)  # at once: two may bind the same port, only one may listen
    except OSError:
        found.close()
        raise
    return found


class _Uvicorn(uvicorn.Server):
    """Leaves signals to us: its own handling raises them again at the end, and the exit code is not 0."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
