"""The demo's work: a stand-in host with the real adapter in it, a service of its own, the chat, the page."""

from __future__ import annotations

import contextlib
import html
import re
import sys
import time
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from alltalk_plugin import bridge
from alltalk_plugin.adapters.files import install
from alltalk_plugin.adapters.text_generation_webui import ADAPTER, FOLDER
from alltalk_plugin.cli.context import CliContext, fail, failing_clearly
from alltalk_plugin.cli.demo.chat import CHAT, Line, write_home
from alltalk_plugin.cli.demo.host import HostDouble, State, make_host_folder
from alltalk_plugin.cli.demo.page import render_page
from alltalk_plugin.cli.demo.spoken import SpokenLine
from alltalk_plugin.cli.tables import print_json, print_rows

_BINS = 400
_REPLY_TIMEOUT_S = 120.0


@click.command()
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("demo-out"),
    show_default=True,
    help="Folder for the audio and index.html.",
)
@click.option("--open", "open_page", is_flag=True, help="Open the page in a browser.")
@click.pass_obj
@failing_clearly
def demo(context: CliContext, out: Path, open_page: bool) -> None:
    """Speak a sample chat: several voices and languages, model swaps, one of them failing."""
    home, host_folder = out.absolute() / "home", out.absolute() / "host"
    write_home(home, _intact_model(), _budget_mb())
    make_host_folder(host_folder)
    install(ADAPTER, host_folder, home=home, interpreter=Path(sys.executable))
    began_s = time.monotonic()
    # The host would start it too, in the background; here the first reply is to be heard as well.
    service = bridge.attach_or_start(home, interpreter=sys.executable, deadline_s=60.0)
    with contextlib.closing(HostDouble(host_folder, (FOLDER,))) as host:
        host.start()
        chats = {line.character: _new_chat(host, line.character) for line in CHAT}
        lines = [_speak(host, service, chats[line.character], line, out) for line in CHAT]
        journal = _since_boot(service.request("GET", "/api/v1/journal?since=0")["records"])
    page = out / "index.html"
    page.write_text(render_page(lines, journal, "A chat, spoken"), encoding="utf-8")
    if context.as_json:
        print_json({"page": str(page), "replies": [line.spoken for line in lines], "journal": journal})
    else:
        _print_report(lines, journal, page, time.monotonic() - began_s)
    if open_page:
        webbrowser.open(page.absolute().as_uri())
    _check(lines, journal)


def _new_chat(host: HostDouble, character: str) -> State:
    return host.new_chat(name1="You", name2=character, character_menu=character)


def _speak(host: HostDouble, service: bridge.Service, chat: State, line: Line, out: Path) -> SpokenLine:
    """One reply as the host shows it: its own text, escaped, and a player for audio that it keeps."""
    from alltalk_plugin.audio.measure import envelope, read_audio

    shown = host.send(chat, "Go on.", line.text)
    text = html.escape(line.text)
    player = re.fullmatch(r'\n\n<audio .*data-alltalk="(([0-9a-f]{32})\.\w+)".*></audio>', shown[len(text) :])
    if not shown.startswith(text) or player is None:
        fail(f"{line.character}'s reply has no player: {shown!r}; {host.log.lines}", "demo", "Read its log.")
    file = host.folder / "user_data" / "cache" / FOLDER / player[1]
    deadline_s = time.monotonic() + _REPLY_TIMEOUT_S
    while not file.exists():  # the adapter copies it there once it is whole
        if time.monotonic() > deadline_s:
            fail("the host never got its copy of the audio", "demo", "Read service-output.log.")
        time.sleep(0.02)
    spoken = service.request("GET", f"/api/v1/replies/{player[2]}", timeout_s=_REPLY_TIMEOUT_S)
    if spoken["error"]:
        fail(spoken["error"]["detail"], spoken["error"]["code"], spoken["error"]["hint"])
    shape = envelope(read_audio(file).samples, _BINS).tolist()
    return SpokenLine(
        line.character, line.shows, line.text, file.relative_to(out.absolute()).as_posix(), shape, spoken
    )


def _intact_model() -> Path:
    """The eSpeak NG data that comes with the engine's distribution."""
    from importlib.util import find_spec

    found = find_spec("espeakng_loader")
    if found is None or found.origin is None:
        fail("espeakng-loader is not installed", "demo", "Install alltalk-plugin again with pip.")
    return Path(found.origin).parent / "espeak-ng-data"


def _budget_mb() -> int:
    """Room for one dedicated model beside the pinned one, not for two."""
    from alltalk_plugin.domain.models import ModelProfile, ModelRef
    from alltalk_plugin.engines.espeak_spec import SPEC

    need_bytes = SPEC.estimate(ModelProfile(ref=ModelRef("demo"), engine=SPEC.name)).load_bytes
    return round(need_bytes * 2.5 / 1e6)


def _print_report(
    lines: Sequence[SpokenLine], journal: Sequence[dict[str, Any]], page: Path, elapsed_s: float
) -> None:
    rows = [
        (
            f"{number}.{place}",
            clip["role"],
            clip["speaker"],
            clip["language"],
            clip["voice"],
            clip["model"],
            clip["duration_s"],
            clip["synthesis_s"] / clip["duration_s"] if clip["duration_s"] else None,
        )
        for number, line in enumerate(lines, 1)
        for place, clip in enumerate(line.spoken["clips"], 1)
    ]
    headings = ("segment", "role", "speaker", "language", "voice", "model", "seconds", "rtf")
    print_rows(headings, rows, as_json=False)
    for number, line in enumerate(lines, 1):
        for note in line.spoken["fallbacks"]:
            click.echo(f"reply {number}: {note}")
    seconds = sum(line.spoken["duration_s"] for line in lines)
    click.echo(
        f"{len(lines)} replies, {seconds:.0f} s of speech in {elapsed_s:.1f} s; "
        f"{_count(journal, 'commit')} switches, {_count(journal, 'rollback')} rolled back; look at {page}"
    )


def _since_boot(journal: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    """Without what an earlier demo in the same folder left."""
    boots = [place for place, record in enumerate(journal) if record["kind"] == "boot"]
    return journal[boots[-1] :]


def _count(journal: Sequence[dict[str, Any]], kind: str) -> int:
    return sum(record["kind"] == kind for record in journal)


def _check(lines: Sequence[SpokenLine], journal: Sequence[dict[str, Any]]) -> None:
    """The demo is the main job: if it did not do what it shows, it says so and fails."""
    if _count(journal, "commit") < 2 or _count(journal, "rollback") < 1:
        fail("the switches that the demo shows did not happen", "demo", "Read its journal on the page.")
    if any(line.spoken["skipped"] for line in lines):
        fail("a segment was skipped", "demo", "The page names it and the reason.")
