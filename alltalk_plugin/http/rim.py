"""What every endpoint works with."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from fastapi import Request

from alltalk_plugin.domain.audio import AudioId
from alltalk_plugin.domain.errors import AudioNotFound, HostUnknown
from alltalk_plugin.domain.hosts import HostAdapter, SpeechTicket
from alltalk_plugin.domain.ports import Clock
from alltalk_plugin.http.audience import Audience
from alltalk_plugin.http.keeping import Keeping
from alltalk_plugin.http.presence import Presence
from alltalk_plugin.http.served import ServedJob, ServedRuntime
from alltalk_plugin.http.threads import Threads
from alltalk_plugin.settings.nearest import did_you_mean, nearest_name

_TICKETS_KEPT = 500


@dataclass(frozen=True, slots=True)
class IssuedTicket:
    """A reply that was begun here, and for whom."""

    audio_id: AudioId
    notes: tuple[str, ...]
    host: str = ""
    chat_id: str = ""
    message_id: str = ""


class Tickets:
    """The latest replies begun here, oldest forgotten first. Thread-safe."""

    def __init__(self, keep: int = _TICKETS_KEPT) -> None:
        self._keep = keep
        self._lock = threading.Lock()
        self._issued: OrderedDict[str, IssuedTicket] = OrderedDict()

    def issue(self, ticket: IssuedTicket) -> None:
        with self._lock:
            self._issued[ticket.audio_id] = ticket
            while len(self._issued) > self._keep:
                self._issued.popitem(last=False)

    def notes(self, audio_id: str) -> tuple[str, ...]:
        with self._lock:
            ticket = self._issued.get(audio_id)
            return ticket.notes if ticket else ()

    def of_host(self, host: str, *, message_id: str | None, chat_id: str | None) -> tuple[AudioId, ...]:
        """A host's replies; None means any message, any chat."""
        with self._lock:
            return tuple(
                ticket.audio_id
                for ticket in self._issued.values()
                if ticket.host == host
                and message_id in (None, ticket.message_id)
                and chat_id in (None, ticket.chat_id)
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rim:
    """`url_prefix` is what an audio URL needs in front of its path to be let in ("" on loopback)."""

    runtime: ServedRuntime
    threads: Threads
    audience: Audience
    presence: Presence
    tickets: Tickets
    keeping: Keeping
    clock: Clock
    url_prefix: str

    def adapter(self, host: str) -> HostAdapter:
        """Raises: HostUnknown."""
        hosts = self.runtime.plugins.hosts
        if host not in hosts:
            raise HostUnknown(
                f"there is no adapter for a host '{host}'{did_you_mean(host, hosts)}",
                context={"host": host, "nearest": nearest_name(host, hosts)},
            )
        return hosts[host]

    def job(self, audio_id: str) -> ServedJob:
        """Raises: AudioNotFound."""
        job = self.runtime.speech.job(audio_id)
        if job is None:
            raise AudioNotFound("no reply of that id is remembered", context={"audio_id": audio_id})
        return job

    def begun(self, ticket: SpeechTicket) -> ServedJob:
        """The job of a reply begun for no host."""
        self.tickets.issue(IssuedTicket(ticket.audio_id, ticket.notes))
        return self.job(ticket.audio_id)

    def audio_url(self, request: Request, audio_id: str) -> str:
        """Where the audio is, under the name by which the client reached this server."""
        base = str(request.base_url).rstrip("/")
        if not request.scope.get("root_path"):
            base += self.url_prefix
        return f"{base}/api/v1/audio/{audio_id}"
