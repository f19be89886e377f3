"""What a Python host needs to reach the speech service: find it, start it, talk to it.

One file, standard library only, the syntax of Python 3.9, no import of the package: it is copied into
hosts that have their own interpreter and packages. Every failure is a `BridgeError`. Thread-safe.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ADDRESS_FILE = "address.json"
OUTPUT_FILE = "service-output.log"

_HEALTH_TIMEOUT_S = 2.0
_OUTPUT_LIMIT_BYTES = 1_000_000
_POLL_S = 0.05
_LATE_OWNER_S = 5.0  # our start lost the race for the lock: how long the winner may take to come up
_READ_BYTES = 64 * 1024
_OWNER_LOST = ("service_unreachable", "token_required")
"""Errors after which a new owner may be found: nobody answers, or somebody with another token."""

_FOREIGN = {"PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "__PYVENV_LAUNCHER__"}
"""A portable host sets these for its own interpreter; ours would not start with them."""

_children: list[subprocess.Popen[bytes]] = []
"""Services this process started; kept so that an ended one is reaped and none warns when collected."""


class BridgeError(Exception):
    """The service could not be reached, or said no. `status` is its HTTP status, None without an answer."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        hint: str = "",
        status: int | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.hint = code, message, hint
        self.status, self.context = status, dict(context or {})


@dataclass(frozen=True)
class Address:
    """Where the owner of a data folder listens; `started_at` is when its process began, Unix seconds."""

    host: str
    port: int
    token: str
    version: str
    pid: int
    started_at: float

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


def read_address(home: Path | str) -> Address | None:
    """What the owner wrote, dead or alive; None when there is no such file or it makes no sense."""
    path = Path(home) / ADDRESS_FILE
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        kinds = {"host": str, "port": int, "token": str, "version": str, "pid": int, "started_at": float}
        return Address(**{name: kind(found[name]) for name, kind in kinds.items()})
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
        return None
    except OSError as error:
        message = f"the service's address in {path} cannot be read: {error.strerror or error}"
        raise _unreachable(message, "Run the host and the service as the same user.") from error


def attach(home: Path | str, *, timeout_s: float = _HEALTH_TIMEOUT_S) -> Service:
    """The living owner of `home`. Raises: BridgeError service_unreachable, deadline_exceeded."""
    address = read_address(home)
    if address is None:
        raise _unreachable(f"no service runs for {home}", "Start it with 'alltalk-plugin serve'.")
    _check_owner(address, timeout_s)
    return Service(address, lambda: attach(home, timeout_s=timeout_s).address)


def start(
    home: Path | str, *, interpreter: Path | str, settings_file: Path | str | None = None
) -> subprocess.Popen[bytes]:
    """A new service process, independent of this one; it may still lose the data folder to another.

    Its output goes to `service-output.log` in `home`. Raises: BridgeError service_unreachable.
    """
    _children[:] = [child for child in _children if child.poll() is None]
    folder = Path(home).absolute()
    command = [str(interpreter), "-m", "alltalk_plugin", "--home", str(folder)]
    command += ["--settings", str(settings_file)] if settings_file is not None else []
    command += ["serve", "--started-by-program"]
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.DETACHED_PROCESS | subprocess.CREATE_NO_WINDOW
    try:
        folder.mkdir(parents=True, exist_ok=True)
        output = folder / OUTPUT_FILE
        fresh = not output.exists() or output.stat().st_size > _OUTPUT_LIMIT_BYTES
        with output.open("wb" if fresh else "ab") as log:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=str(folder),  # '-m' looks here first: a host's folder could shadow our packages
                env={name: value for name, value in os.environ.items() if name not in _FOREIGN},
                close_fds=True,
                start_new_session=True,
                creationflags=flags,
            )
    except (OSError, ValueError) as error:
        message = f"the service could not be started with {interpreter}: {error}"
        raise _unreachable(message, "Check that this interpreter and the data folder exist.") from error
    _children.append(child)
    return child


def attach_or_start(
    home: Path | str,
    *,
    interpreter: Path | str,
    settings_file: Path | str | None = None,
    deadline_s: float = 30,
) -> Service:
    """The owner of `home`, started if there is none; blocks until it answers, at most `deadline_s`.

    Raises: BridgeError service_unreachable, deadline_exceeded.
    """
    output = Path(home) / OUTPUT_FILE
    deadline = time.monotonic() + deadline_s
    child: subprocess.Popen[bytes] | None = None
    ended_at: float | None = None

    def again() -> Address:
        return attach_or_start(
            home, interpreter=interpreter, settings_file=settings_file, deadline_s=deadline_s
        ).address

    while True:
        try:
            return Service(attach(home).address, again)
        except BridgeError as error:
            busy = error.code == "deadline_exceeded"  # somebody listens there: wait, do not start another
            if error.code != "service_unreachable" and not busy:
                raise
        now = time.monotonic()
        if busy:
            pass
        elif child is None:
            child = start(home, interpreter=interpreter, settings_file=settings_file)
        elif ended_at is None and child.poll() is not None:
            ended_at = now
        elif ended_at is not None and now > ended_at + _LATE_OWNER_S:
            raise _unreachable(f"the service ended at once: {_last_line(output)}", f"Read {output}.")
        if now > deadline:
            message = f"the service did not answer within {deadline_s:g} s"
            raise BridgeError("deadline_exceeded", message, hint=f"Read {output}.")
        time.sleep(_POLL_S)


class Service:
    """A client of the owner of a data folder. When that owner is gone and `find_again` gives another's
    address (having started one, perhaps), a request is repeated there once."""

    def __init__(self, address: Address, find_again: Callable[[], Address]) -> None:
        self.address = address
        self._find_again = find_again
        self._instance = uuid.uuid4().hex
        self._present_as: str | None = None

    def request(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, timeout_s: float = 30.0
    ) -> dict[str, Any]:
        """The answer's JSON object; blocks at most `timeout_s`. Raises: BridgeError."""
        return self._opened(method, path, body, timeout_s, whole=True).json()

    def stream(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, timeout_s: float = 30.0
    ) -> ByteStream:
        """The answer's bytes as they come; close it, or use `with`.

        `timeout_s` bounds the wait for the answer's head and each wait for more. Raises: BridgeError.
        """
        return self._opened(method, path, body, timeout_s, whole=False)

    def hello(self, host: str) -> None:
        """Say that this process is here as `host`; the service stays while it is. Raises: BridgeError."""
        self.request("POST", f"/api/v1/hosts/{host}/hello", self._who())
        self._present_as = host

    def bye(self) -> None:
        """Take `hello` back; fine when the service is gone already."""
        host, self._present_as = self._present_as, None
        if host is not None:
            self._tell(f"/api/v1/hosts/{host}/bye")

    def _who(self) -> dict[str, Any]:
        return {"pid": os.getpid(), "instance": self._instance}

    def _tell(self, path: str) -> None:
        with contextlib.suppress(BridgeError):
            _open(self.address, "POST", path, self._who(), 2.0).close()

    def _opened(
        self, method: str, path: str, body: Mapping[str, Any] | None, timeout_s: float, *, whole: bool
    ) -> ByteStream:
        asked = self.address
        try:
            return _open(asked, method, path, body, timeout_s, whole=whole)
        except BridgeError as error:
            if error.code not in _OWNER_LOST or not self._moved_on(asked):
                raise
        return _open(self.address, method, path, body, timeout_s, whole=whole)

    def _moved_on(self, lost: Address) -> bool:
        """Whether another owner than `lost` is there now; its address is ours from then on."""
        try:
            found = self._find_again()
        except BridgeError as error:
            if error.code != "service_unreachable":
                raise
            return False
        if found == lost:
            return False
        self.address = found
        if self._present_as is not None:
            self._tell(f"/api/v1/hosts/{self._present_as}/hello")
        return True


class ByteStream:
    """An open answer: its headers (any case) and its bytes, once. `with` closes it; one thread."""

    def __init__(
        self,
        connection: http.client.HTTPConnection,
        sock: socket.socket,
        response: http.client.HTTPResponse,
        timeout_s: float,
    ) -> None:
        self.status, self.headers = response.status, response.headers
        self._connection, self._sock, self._response = connection, sock, response
        self._timeout_s = timeout_s
        self._filled: bytes | None = None

    def __iter__(self) -> Iterator[bytes]:
        """Raises: BridgeError when the answer breaks off or nothing comes for `timeout_s`."""
        return self._parts(None) if self._filled is None else iter((self._filled,))

    def __enter__(self) -> ByteStream:  # noqa: PYI034 - typing.Self is not in Python 3.9
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        self._response.close()
        self._connection.close()

    def fill(self, deadline: float) -> None:
        """Take the whole answer now; `deadline` is monotonic. Raises: BridgeError."""
        self._filled = b"".join(self._parts(deadline))

    def json(self) -> dict[str, Any]:
        with contextlib.suppress(ValueError):
            found = json.loads(b"".join(self))
            if isinstance(found, dict):
                return found
        raise _unreachable("the answer is not a JSON object")

    def _parts(self, deadline: float | None) -> Iterator[bytes]:
        # `read1` hands out what is there, but does not notice a body that is too short: counted here.
        missing = int(self.headers.get("Content-Length", "-1"))
        try:
            while missing != 0:
                until = time.monotonic() + self._timeout_s if deadline is None else deadline
                self._sock.settimeout(_left_s(until))
                try:
                    part = self._response.read1(_READ_BYTES)
                except (OSError, http.client.HTTPException) as error:
                    raise _broken(error, until) from error
                if not part:
                    if missing > 0:
                        raise _unreachable("the service went away in the middle of its answer")
                    return
                missing -= len(part) if missing > 0 else 0
                yield part
        finally:
            self.close()


def _check_owner(address: Address, timeout_s: float) -> None:
    """Raises: BridgeError unless the writer of `address` answers. It is shown no token unless it asks."""
    try:
        health = _open(address, "GET", "/health", None, timeout_s, whole=True, with_token=False).json()
    except BridgeError as error:
        if error.code != "token_required":  # a service that others can reach wants it for everything
            raise
        health = _open(address, "GET", "/health", None, timeout_s, whole=True).json()
    if health.get("pid") != address.pid:  # the port of a dead owner, taken by a stranger
        raise _unreachable(f"another program answers at {address.url}")


def _open(
    address: Address,
    method: str,
    path: str,
    body: Mapping[str, Any] | None,
    timeout_s: float,
    *,
    whole: bool = False,
    with_token: bool = True,
) -> ByteStream:
    """Ask, and wait for the answer's head, or all of it. Straight to the address: no proxy settings apply."""
    headers = {"Accept": "application/json, */*", "Connection": "close"}
    if with_token:
        headers["Authorization"] = f"Bearer {address.token}"
    payload = None
    deadline = time.monotonic() + timeout_s
    connection = http.client.HTTPConnection(address.host, address.port, timeout=timeout_s)
    try:
        if body is not None:
            payload, headers["Content-Type"] = json.dumps(body).encode("utf-8"), "application/json"
        connection.connect()
        sock = connection.sock
        connection.request(method, path, body=payload, headers=headers)
        sock.settimeout(_left_s(deadline))
        response = connection.getresponse()
        answer = ByteStream(connection, sock, response, timeout_s)
        refused = response.status >= http.client.BAD_REQUEST
        if whole or refused:
            answer.fill(deadline)
        if refused:
            raise _problem(answer)
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        raise _broken(error, deadline) from error
    except (TypeError, ValueError) as error:
        connection.close()
        raise BridgeError("bad_request", f"the request cannot be sent: {error}") from error
    return answer


def _problem(answer: ByteStream) -> BridgeError:
    """The error that a problem document describes (RFC 9457)."""
    try:
        found = answer.json()
    except BridgeError:
        found = {}
    known = ("type", "title", "status", "detail", "code", "hint")
    return BridgeError(
        str(found.get("code", "service_unreachable" if answer.status >= 500 else "bad_request")),
        str(found.get("detail", f"the service answered with status {answer.status}")),
        hint=str(found.get("hint", "")),
        status=answer.status,
        context={name: value for name, value in found.items() if name not in known},
    )


def _broken(error: Exception, deadline: float) -> BridgeError:
    # A timed-out socket has another class in Python 3.9 than later; the clock says it in all of them.
    if time.monotonic() >= deadline - 0.001:
        return BridgeError("deadline_exceeded", "the service did not answer in time")
    message = f"the service cannot be reached: {str(error) or type(error).__name__}"
    return _unreachable(message, "Run 'alltalk-plugin doctor'.")


def _unreachable(message: str, hint: str = "") -> BridgeError:
    return BridgeError("service_unreachable", message, hint=hint)


def _left_s(deadline: float) -> float:
    return max(0.001, deadline - time.monotonic())


def _last_line(path: Path) -> str:
    with contextlib.suppress(OSError, IndexError):
        return path.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1]
    return "it said nothing"
