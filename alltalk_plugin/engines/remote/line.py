"""One HTTP/1.1 connection to a server, asked from a thread that never blocks for long.

http.client, not a larger client: the whole traffic is one POST per utterance, redirects are not to be
followed, a blocked read has to be ended from outside (which needs the socket), and every worker would pay for
the import. It knows no proxies.

A read with a short timeout is no way to look at the stop sign: after a timeout http.client's buffered reader
is unusable (CPython, socket.SocketIO). So a second thread reads, and its socket is shut down to end it;
closing the socket would wait for the read (urllib3 issue 2868).
"""

from __future__ import annotations

import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, IncompleteRead
from types import MappingProxyType

from alltalk_plugin.domain.engines import Cancellable
from alltalk_plugin.domain.errors import Cancelled
from alltalk_plugin.engines.remote.options import Endpoint

POLL_S = 0.05
"""How often the stop sign is looked at while nothing comes."""
PART_BYTES = 65_536
_WAITING_PARTS = 16
"""Parts that may wait for their consumer: 1 MB, then the server has to wait."""
ERROR_BYTES = 65_536
"""As much of a refusal as is read."""
DOCUMENT_GAP_S = 1.0
"""A refusal or a list that stops in its middle for so long is taken as it is."""


class Late(Exception):
    """Nothing came in the time that was given. `connected`: the server had taken the connection."""

    def __init__(self, *, connected: bool) -> None:
        super().__init__()
        self.connected = connected


class Broken(Exception):
    """The connection failed. `begun`: an answer had begun."""

    def __init__(self, error: Exception, *, begun: bool) -> None:
        super().__init__()
        self.error = error
        self.begun = begun


@dataclass(frozen=True, slots=True)
class Call:
    """What is sent."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """How an answer begins; names of headers in lower case. `framed`: HTTP says where its body ends."""

    status: int
    headers: Mapping[str, str]
    framed: bool

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "")


@dataclass(frozen=True, slots=True)
class _Connected:
    pass


class Line:
    """Keeps one connection for the next call. One call at a time."""

    def __init__(
        self, endpoint: Endpoint, *, connect_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._endpoint = endpoint
        self._connect_s = connect_s
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: HTTPConnection | None = None
        self._tls = ssl.create_default_context() if endpoint.scheme == "https" else None

    @contextmanager
    def ask(self, call: Call, cancel: Cancellable, until_s: float) -> Iterator[Answer]:
        """Send `call`; its answer has to begin before `until_s` on the clock.

        Raises: Late, Broken, Cancelled.
        """
        exchange = _Exchange(self, call)
        answer = Answer(exchange, cancel, self._clock)
        try:
            answer.await_head(min(until_s, self._clock() + self._connect_s), until_s)
            yield answer
        finally:
            exchange.leave()

    def close(self) -> None:
        kept = self._swap_kept(None)
        if kept is not None:
            kept.close()

    def take(self) -> tuple[HTTPConnection, bool]:
        """A connection, and whether it has been used before: then the server may have closed it."""
        kept = self._swap_kept(None)
        return (kept, True) if kept is not None else (self.new(), False)

    def new(self) -> HTTPConnection:
        """Not connected yet."""
        where = self._endpoint
        if self._tls is not None:
            return HTTPSConnection(where.host, where.port, timeout=self._connect_s, context=self._tls)
        return HTTPConnection(where.host, where.port, timeout=self._connect_s)

    def keep(self, connection: HTTPConnection) -> None:
        """For the next call."""
        older = self._swap_kept(connection)
        if older is not None:
            older.close()

    def _swap_kept(self, connection: HTTPConnection | None) -> HTTPConnection | None:
        with self._lock:
            kept, self._kept = self._kept, connection
        return kept


class Answer:
    """An answer as it comes, for the thread that asked."""

    def __init__(self, exchange: _Exchange, cancel: Cancellable, clock: Callable[[], float]) -> None:
        self._exchange = exchange
        self._cancel = cancel
        self._clock = clock
        self.head = Head(0, MappingProxyType({}), framed=True)
        self.got_bytes = 0

    def await_head(self, connected_by_s: float, until_s: float) -> None:
        event = self._take(connected_by_s, connected=False)
        while isinstance(event, _Connected):
            event = self._take(until_s, connected=True)
        assert isinstance(event, Head)  # noqa: S101  # the exchange sends nothing else before it
        self.head = event

    def parts(self, first_by_s: float, between_s: float) -> Iterator[bytes]:
        """The body, as it comes. Raises: Late, Broken, Cancelled."""
        until_s = first_by_s
        while isinstance(part := self._take(until_s, connected=True), bytes):
            self.got_bytes += len(part)
            yield part
            until_s = self._clock() + between_s

    def beginning(self, until_s: float, most_bytes: int) -> bytes:
        """The body, or what of it comes before `until_s`; for documents. Raises: Cancelled."""
        body = bytearray()
        with suppress(Late, Broken):
            for part in self.parts(until_s, DOCUMENT_GAP_S):
                body += part
                if len(body) >= most_bytes or self._clock() >= until_s:
                    break
        return bytes(body)

    def _take(self, until_s: float, *, connected: bool) -> object:
        while True:
            if self._cancel.cancelled:
                raise Cancelled("the work was cancelled")
            left_s = until_s - self._clock()
            try:
                # What is there already is taken even when the time is over.
                event = self._exchange.events.get(timeout=max(0.001, min(POLL_S, left_s)))
            except queue.Empty:
                if left_s <= 0:
                    raise Late(connected=connected) from None
                continue
            if isinstance(event, Broken):
                raise event
            return event


class _Exchange:
    """A call under way in a thread of its own: puts _Connected, Head, parts, then None; or Broken."""

    def __init__(self, line: Line, call: Call) -> None:
        self._line = line
        self._call = call
        self._left = threading.Event()
        self._connection: HTTPConnection | None = None
        self._socket: socket.socket | None = None
        self.events: queue.Queue[object] = queue.Queue(_WAITING_PARTS)
        threading.Thread(target=self._run, name="remote-answer", daemon=True).start()

    def leave(self) -> None:
        """Nobody waits any more: ends the thread, whatever it waits for. Returns at once."""
        self._left.set()
        held = self._socket
        if held is not None:
            with suppress(OSError):  # closed already
                # Not the TLS socket's own method: that one forgets its session under the reading thread.
                socket.socket.shutdown(held, socket.SHUT_RDWR)

    def _run(self) -> None:
        begun = False
        try:
            connection, response = self._send()
            begun = True
            self._pass_on(response)
            self._finish(connection, response)
        except (OSError, HTTPException, ValueError) as error:  # ValueError: a host name that is none
            self._close()
            self._put(Broken(error, begun=begun))

    def _send(self) -> tuple[HTTPConnection, HTTPResponse]:
        connection, used = self._line.take()
        try:
            return connection, self._send_on(connection)
        except (OSError, HTTPException):
            if not used or self._left.is_set():
                raise
        # The server had closed it meanwhile, as servers do after some idle seconds.
        self._close()
        connection = self._line.new()
        return connection, self._send_on(connection)

    def _send_on(self, connection: HTTPConnection) -> HTTPResponse:
        self._connection = connection
        if connection.sock is None:
            connection.connect()
        self._socket = connection.sock
        if self._left.is_set():
            raise OSError("nobody waits any more")
        connection.sock.settimeout(None)  # from here on the asking thread has the clock
        self._put(_Connected())
        connection.request(self._call.method, self._call.path, self._call.body, dict(self._call.headers))
        return connection.getresponse()

    def _pass_on(self, response: HTTPResponse) -> None:
        headers = {name.lower(): value for name, value in response.getheaders()}
        framed = response.chunked or response.length is not None
        self._put(Head(response.status, MappingProxyType(headers), framed))
        while part := response.read1(PART_BYTES):
            self._put(part)
        if response.length:
            raise IncompleteRead(b"", response.length)

    def _finish(self, connection: HTTPConnection, response: HTTPResponse) -> None:
        self._socket = None
        if response.will_close or self._left.is_set():
            self._close()
        else:
            response.close()
            self._line.keep(connection)
        self._put(None)

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def _put(self, event: object) -> None:
        while not self._left.is_set():
            try:
                self.events.put(event, timeout=POLL_S)
            except queue.Full:
                continue
            return
