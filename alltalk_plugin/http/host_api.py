"""What adapters in hosts call: text in, the text to show and an audio URL out, at once.

Nothing here may lose the host's text: whatever fails, it comes back as it was, with a note.
"""

from __future__ import annotations

import os
import uuid

from fastapi import APIRouter, Request
from loguru import logger

from alltalk_plugin import __version__
from alltalk_plugin.domain.errors import AlltalkError
from alltalk_plugin.domain.hosts import HostAdapter, HostReply, Rendering, ReplySpeaker
from alltalk_plugin.http.rim import IssuedTicket, Rim
from alltalk_plugin.http.views import GreetedView, HostOutputView, KeptView, StoppedView
from alltalk_plugin.http.wire import ByeRequest, HelloRequest, HostOutputRequest, KeptRequest, StopRequest
from alltalk_plugin.settings.schema import HostSettings


def host_routes(rim: Rim) -> APIRouter:
    routes = APIRouter(prefix="/api/v1/hosts/{host}", tags=["hosts"])

    @routes.post("/output")
    async def output(host: str, asked: HostOutputRequest, request: Request) -> HostOutputView:
        """A reply that the host shows; its audio grows behind the URL while this returns."""
        known, message_id = rim.adapter(host), asked.message_id or uuid.uuid4().hex
        toggles = rim.runtime.settings.current.hosts.get(host, HostSettings())
        rendering = Rendering(asked.text)
        if toggles.activate and (toggles.greeting or not asked.is_greeting):
            host_reply = asked.host_reply(message_id)
            rendering = await rim.threads.run(render, known, host_reply, rim.runtime.speech)
        audio_url, audio_file = rendering.audio_url, None
        if rendering.audio_id is not None:
            audio_file = f"{rendering.audio_id}.{rim.job(rendering.audio_id).audio_format}"
            rim.tickets.issue(
                IssuedTicket(rendering.audio_id, rendering.notes, host, asked.chat_id, message_id)
            )
            audio_url = audio_url or rim.audio_url(request, rendering.audio_id)
            if asked.media_url:  # the host will serve a copy of its own
                await rim.threads.run(rim.keeping.owe, host, rendering.audio_id)
        return HostOutputView(
            text=rendering.text,
            audio_id=rendering.audio_id,
            audio_file=audio_file,
            audio_url=audio_url,
            message_id=message_id,
            notes=rendering.notes,
        )

    @routes.post("/kept")
    async def kept(host: str, asked: KeptRequest) -> KeptView:
        """The host has its own copy of an audio; it need not be kept here any longer than others."""
        rim.adapter(host)
        audio_id = asked.audio_file.partition(".")[0]
        return KeptView(released=await rim.threads.run(rim.keeping.kept, host, audio_id))

    @routes.post("/stop")
    async def stop(host: str, asked: StopRequest) -> StoppedView:
        """Stop speaking: one message, one chat, or everything of this host."""
        rim.adapter(host)
        found = rim.tickets.of_host(host, message_id=asked.message_id, chat_id=asked.chat_id)
        jobs = [job for audio_id in found if (job := rim.runtime.speech.job(audio_id)) and not job.done]
        for job in jobs:
            await rim.threads.run(job.cancel)
        return StoppedView(stopped=len(jobs))

    @routes.post("/hello")
    async def hello(host: str, asked: HelloRequest) -> GreetedView:
        """The host is there: the service stays until it says bye or its process ends."""
        rim.adapter(host)
        await rim.threads.run(
            rim.presence.hello, host, pid=asked.pid, instance=asked.instance, started_at=asked.started_at
        )
        missing = await rim.threads.run(rim.keeping.missing, host)
        return GreetedView(version=__version__, pid=os.getpid(), missing=missing)

    @routes.post("/bye")
    async def bye(host: str, asked: ByeRequest) -> GreetedView:
        rim.adapter(host)
        rim.presence.bye(asked.instance)
        return GreetedView(version=__version__, pid=os.getpid(), missing=())

    return routes


def render(adapter: HostAdapter, host_reply: HostReply, speaker: ReplySpeaker) -> Rendering:
    """What the adapter makes of a reply; its text unchanged when that fails."""
    try:
        rendering: object = adapter.output_modifier(host_reply, speaker)
    except AlltalkError as error:
        logger.warning("reply not spoken", host=adapter.name, code=error.code, reason=error.message)
        return Rendering(host_reply.text, notes=(f"{error.message}. {error.hint}",))
    except Exception as error:  # noqa: BLE001 - a host adapter is anybody's code; the host's text must survive it
        logger.exception("host adapter failed", host=adapter.name)
        return Rendering(host_reply.text, notes=(f"the adapter failed: {type(error).__name__}",))
    if not isinstance(rendering, Rendering):
        logger.error("host adapter gave no rendering", host=adapter.name, gave=type(rendering).__name__)
        return Rendering(host_reply.text, notes=("the adapter gave nothing back",))
    return rendering
