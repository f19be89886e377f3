"""Speech for whoever asks: a whole reply in, audio out; what was said and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import Response

from alltalk_plugin.domain.errors import (
    AlltalkError,
    DeadlineExceeded,
    NothingToSay,
    TextTooLong,
    error_from_code,
)
from alltalk_plugin.domain.speech import Clip
from alltalk_plugin.http.rim import Rim
from alltalk_plugin.http.served import ServedJob
from alltalk_plugin.http.streaming import Listening, follow, serve_audio, serve_whole
from alltalk_plugin.http.views import ExplainedView, ExplanationView, ReplyView, VoicesView, VoiceView
from alltalk_plugin.http.waiting import ClientGone, until, while_there
from alltalk_plugin.http.wire import ReplyRequest, SpeakRequest
from alltalk_plugin.speech.explain import line_language

# Header values are ASCII; the comma separates values, the percent sign starts an encoded byte.
_HEADER_SAFE = " !#$&'()*+-./:;<=>?@[]^_`{|}~"


def own_routes(rim: Rim) -> APIRouter:
    routes = APIRouter(prefix="/api/v1", tags=["speech"])
    listening = Listening(rim.threads, rim.audience)

    @routes.post("/speak", response_class=Response, responses={200: {"content": {"audio/*": {}}}})
    async def speak(asked: SpeakRequest, request: Request) -> Response:
        """Speak a reply. Nobody else hears it: when the caller goes, the work ends."""
        ticket = await rim.threads.run(rim.runtime.speech.begin, asked.reply(), audio_format=asked.format)
        job = rim.begun(ticket)
        try:
            return await while_there(request.receive, (_streamed if asked.stream else _whole)(job))
        except ClientGone:
            rim.threads.spawn(job.cancel)
            return Response(status_code=499)

    async def _streamed(job: ServedJob) -> Response:
        first = await _first_audio(job)
        headers = {**_job_headers(job), **spoken_headers((first,))}
        return await follow(rim.runtime.audio.get(job.audio_id), listening, headers=headers, grace_s=0)

    async def _whole(job: ServedJob) -> Response:
        await _first_audio(job)
        await until(lambda: job.done or None)
        if job.error is not None:
            raise job.error
        clips = job.result.clips if job.result else job.clips
        headers = {"Cache-Control": "no-store", **_job_headers(job), **spoken_headers(clips)}
        return await serve_whole(rim.runtime.audio.get(job.audio_id), listening, headers=headers)

    @routes.head("/audio/{audio_id}", include_in_schema=False)
    @routes.get("/audio/{audio_id}", response_class=Response, responses={200: {"content": {"audio/*": {}}}})
    async def audio(audio_id: str, request: Request) -> Response:
        """Audio by id, also while it grows."""
        stream = await rim.threads.run(rim.runtime.audio.get, audio_id)
        return await serve_audio(stream, request, listening)

    @routes.get("/replies/{audio_id}")
    async def reply(audio_id: str, request: Request) -> ReplyView:
        """How far a reply is, and who spoke what of it."""
        job = rim.job(audio_id)
        if not job.done and (await rim.threads.run(rim.runtime.audio.get, audio_id)).complete:
            await until(lambda: job.done or None)  # its figures follow the last byte within milliseconds
        url, notes = rim.audio_url(request, audio_id), rim.tickets.notes(audio_id)
        return ReplyView.of(job, audio_url=url, notes=notes)

    @routes.post("/explain")
    async def explain(asked: ReplyRequest) -> ExplanationView:
        """What would be said, by whom, and why; no audio."""
        limit_chars = rim.runtime.settings.current.server.max_text_chars
        if len(asked.text) > limit_chars:
            raise TextTooLong(
                f"the text has {len(asked.text)} characters, {limit_chars} are allowed",
                context={"length_chars": len(asked.text), "limit_chars": limit_chars},
            )
        explained = await rim.threads.run(rim.runtime.speech.explain, asked.reply())
        language = line_language([one.segment for one in explained]) or asked.default_language
        return ExplanationView(
            language=language, segments=[ExplainedView.of_explained(one) for one in explained]
        )

    @routes.get("/voices")
    async def voices() -> VoicesView:
        return VoicesView(voices=[VoiceView.of(voice) for voice in rim.runtime.voices.all()])

    return routes


def spoken_headers(clips: Sequence[Clip]) -> dict[str, str]:
    """Who speaks, for a response's head; several are separated by commas, other than plain characters
    percent-encoded UTF-8."""
    said = {
        "X-Voice": (clip.choice.voice.name for clip in clips),
        "X-Model": (clip.model.model for clip in clips),
        "X-Model-Revision": (clip.model.revision for clip in clips),
        "X-Fallback": (clip.choice.fallback_reason for clip in clips),
    }
    joined = {name: _header_list(values) for name, values in said.items()}
    return {name: value for name, value in joined.items() if value}


def _job_headers(job: ServedJob) -> dict[str, str]:
    return {"X-Audio-Id": job.audio_id, "X-Audio-Format": job.audio_format.value}


def _header_list(values: Iterable[str | None]) -> str:
    return ", ".join(
        quote(value, safe=_HEADER_SAFE, errors="replace") for value in dict.fromkeys(values) if value
    )


async def _first_audio(job: ServedJob) -> Clip:
    """What speaks first. Raises: the reason why nothing does."""

    def look() -> tuple[Clip | None] | None:
        ended = job.done
        try:
            return (job.wait_first_audio(0.0),)
        except DeadlineExceeded:
            if ended:  # the reply's own deadline, not that of this look
                raise
            return None

    (first,) = await until(look)
    if first is None:
        raise _silence(job)
    return first


def _silence(job: ServedJob) -> AlltalkError:
    skipped = job.result.skipped if job.result else job.skipped
    if not skipped:
        return NothingToSay("the reply made no sound")
    return error_from_code(skipped[0].code, skipped[0].message, hint=skipped[0].hint)
