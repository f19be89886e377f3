"""What a host's panel shows and changes, and its test sentence."""

from __future__ import annotations

from fastapi import APIRouter, Request

from alltalk_plugin import __version__
from alltalk_plugin.domain.errors import RequestError
from alltalk_plugin.domain.hosts import SettingsHooks
from alltalk_plugin.domain.models import ModelState
from alltalk_plugin.domain.speech import Reply
from alltalk_plugin.http.panel import changes, slots
from alltalk_plugin.http.rim import IssuedTicket, Rim
from alltalk_plugin.http.views import FieldView, PanelStatusView, PanelView, TestView
from alltalk_plugin.http.wire import PanelChange, TestSentence
from alltalk_plugin.settings.schema import HostSettings


def panel_routes(rim: Rim) -> APIRouter:
    routes = APIRouter(prefix="/api/v1/hosts/{host}", tags=["hosts"])

    def hooks(host: str) -> SettingsHooks:
        found = rim.adapter(host).settings
        if found is None:
            raise RequestError(f"the host {host!r} shows no settings", context={"host": host})
        return found

    def look(host: str, character: str | None) -> PanelView:
        settings = rim.runtime.settings.current
        toggles = settings.hosts.get(host, HostSettings())
        return PanelView(
            fields=[FieldView.model_validate(slot) for slot in slots(hooks(host), settings, character)],
            status=_status(rim),
            activate=toggles.activate and settings.speech.activate,
            autoplay=toggles.autoplay,
        )

    @routes.get("/panel")
    async def panel(host: str, character: str | None = None) -> PanelView:
        """The settings this host shows, as they are now."""
        return await rim.threads.run(look, host, character)

    @routes.put("/settings")
    async def change(host: str, asked: PanelChange) -> PanelView:
        """Change settings; saved to the settings file before this returns."""

        def write() -> PanelView:
            known = hooks(host)
            if known.write is not None:
                known.write(asked.values)
            else:
                current = rim.runtime.settings.current
                rim.runtime.settings.update(changes(known, current, asked.character, asked.values))
            return look(host, asked.character)

        return await rim.threads.run(write)

    @routes.post("/test")
    async def test(host: str, asked: TestSentence, request: Request) -> TestView:
        """Speak the panel's test sentence as that character would."""
        rim.adapter(host)
        reply = Reply(text=asked.text, character=asked.character)
        ticket = await rim.threads.run(rim.runtime.speech.begin, reply)
        rim.tickets.issue(IssuedTicket(ticket.audio_id, ticket.notes, host))
        return TestView(
            audio_file=f"{ticket.audio_id}.{ticket.audio_format}",
            audio_url=rim.audio_url(request, ticket.audio_id),
        )

    return routes


def _status(rim: Rim) -> PanelStatusView:
    models = rim.runtime.models.snapshot()
    ready = [model.ref for model in models if model.state is ModelState.READY]
    return PanelStatusView(
        model=", ".join(ready) or None,
        last_error=_last_error(rim),
        service=f"running, version {__version__}",
    )


def _last_error(rim: Rim) -> str | None:
    """What the user should know of: bad settings first, else what the latest reply ran into."""
    bad_settings = rim.runtime.settings.last_error
    if bad_settings is not None:
        return bad_settings.message
    for job in reversed(rim.runtime.speech.jobs()):
        if job.error is not None:
            return f"{job.error.message}. {job.error.hint}"
        if job.skipped:
            return f"not spoken: {job.skipped[0].message}"
        if job.result is not None:
            return job.result.fallbacks[0] if job.result.fallbacks else None
    return None
