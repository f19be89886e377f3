"""The way to the speech service: found or started in the background, given up when it fails, found again."""

from __future__ import annotations

import contextlib
import os
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

HOST_API = "/api/v1/hosts/text_generation_webui"

_START_S = 60.0  # a service on a cold disk
_HELLO_S = 10.0
_ATTACH_S = 0.05  # finding a service that runs; a reply may always wait that long
_BYE_S = 0.5  # the host is ending: not noticeably later because of us
_FIRST_PAUSE_S = 2.0
_LONGEST_PAUSE_S = 60.0


class Conditions:
    """The host's log hears of each change once, not of each message. Thread-safe."""

    def __init__(self, say: Callable[[str, str], None]) -> None:
        self._say = say
        self._lock = threading.Lock()
        self._bad: dict[str, tuple[str, str]] = {}

    def bad(self, topic: str, kind: str, line: str) -> None:
        """`topic` does not work, for the reason `kind`; said when that is news."""
        with self._lock:
            known = self._bad.get(topic)
            self._bad[topic] = (kind, line)
        if known is None or known[0] != kind:
            self._say("warning", line)

    def good(self, topic: str, line: str) -> None:
        """`topic` works; said when it did not before."""
        with self._lock:
            known = self._bad.pop(topic, None)
        if known is not None:
            self._say("info", line)

    @property
    def words(self) -> str:
        """What does not work, for people; empty when all is well."""
        with self._lock:
            return "; ".join(line for _, line in self._bad.values())


class Link:
    """One host process's way to the service of its data folder. Thread-safe; never blocks but in `service`.

    `bridge` is the module alltalk_bridge; `found` is called with the answer to hello, in our thread.
    """

    def __init__(
        self,
        bridge: Any,
        config: Mapping[str, str],
        conditions: Conditions,
        *,
        found: Callable[[Mapping[str, Any]], None],
        say: Callable[[str, str], None],
    ) -> None:
        self._bridge = bridge
        self._config = config
        self._conditions = conditions
        self._found = found
        self._say = say
        self._instance = uuid.uuid4().hex
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._service: Any = None
        self._told: Any = None
        self._trying = False
        self._closed = False
        self._patient = True  # whether a reply may wait for the attempt that runs
        self._pause_s = _FIRST_PAUSE_S
        self._again_at = 0.0

    @property
    def current(self) -> Any:
        """The service, None while there is none."""
        return self._service

    def connect(self, *, now: bool = False) -> None:
        """See to it that somebody looks for the service; `now` skips the pause after a failure."""
        with self._lock:
            waits = time.monotonic() < self._again_at and not now
            if self._service is not None or self._trying or self._closed or waits:
                return
            self._trying = True
        try:
            threading.Thread(target=self._try, name="alltalk-attach", daemon=True).start()
        except RuntimeError:
            self._settle(None)
            raise

    def service(self, wait_s: float) -> Any:
        """The service, or None. Waits for one that is just starting, and only once in vain."""
        if self._service is None:
            self.connect()
            with self._changed:
                patience_s = wait_s if self._patient else min(wait_s, _ATTACH_S)
                self._patient = self._changed.wait_for(lambda: not self._trying, patience_s)
        return self._service

    def drop(self, service: Any, *, slow: bool = False) -> None:
        """`service` does not answer any more: look for it, or for another; if it was slow, after a pause."""
        with self._lock:
            if self._service is not service:
                return
            self._service = None
            if slow:
                self._pause()
        self.connect()

    def worked(self) -> None:
        """The service has done what it is there for; the next failure starts with a short pause."""
        self._pause_s = _FIRST_PAUSE_S

    def close(self) -> None:
        """Take leave of the service."""
        with self._lock:
            self._closed = True
            service, self._service = self._service, None
        if service is not None:
            with contextlib.suppress(self._bridge.BridgeError):  # gone before us
                service.request("POST", HOST_API + "/bye", self._who(), timeout_s=_BYE_S)

    def _who(self) -> dict[str, Any]:
        return {"pid": os.getpid(), "instance": self._instance}

    def _try(self) -> None:
        service = None
        try:
            address = self._bridge.attach_or_start(
                self._config["home"], interpreter=self._config["interpreter"], deadline_s=_START_S
            ).address
            if address.version != self._config["version"]:
                self._trouble(
                    "version_mismatch",
                    f"the service is version {address.version}, the files in the host are of"
                    f" {self._config['version']}; run 'alltalk-plugin host install' again",
                )
                return
            # Not the bridge's own way of finding a lost owner: that may take longer than a reply can wait.
            service = self._bridge.Service(address, self._nobody)
            answer = service.request("POST", HOST_API + "/hello", self._who(), timeout_s=_HELLO_S)
        except self._bridge.BridgeError as error:
            service = None
            self._trouble(error.code, (error.message + ". " + error.hint).strip())
        except Exception as error:  # noqa: BLE001 - a thread of the host's process: nobody else would tell
            service = None
            self._trouble(type(error).__name__, repr(error))
        finally:
            self._settle(service)
        if service is not None:
            self._conditions.good("service", "alltalk-plugin: the speech service is there again")
            if address != self._told:
                self._told = address
                self._say("info", f"alltalk-plugin: connected to {address.url}, version {address.version}")
            self._found(answer)

    def _nobody(self) -> Any:
        raise self._bridge.BridgeError("service_unreachable", "the service went away")

    def _trouble(self, kind: str, reason: str) -> None:
        if self._closed:
            return
        line = f"alltalk-plugin: replies are not spoken, the chat goes on: {reason}"
        self._conditions.bad("service", kind, line)

    def _settle(self, service: Any) -> None:
        with self._changed:
            self._trying = False
            self._service = None if self._closed else service
            if service is None:
                self._pause()
            self._changed.notify_all()

    def _pause(self) -> None:
        self._again_at = time.monotonic() + self._pause_s
        self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
