"""`say` and `explain`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from alltalk_plugin.cli.context import CliContext, failing_clearly
from alltalk_plugin.cli.tables import print_json, print_rows
from alltalk_plugin.domain.audio import AudioFormat
from alltalk_plugin.domain.errors import RequestError
from alltalk_plugin.domain.language import LanguageTag, language_tag
from alltalk_plugin.domain.speech import Chat, Reply

FORMATS = [audio_format.value for audio_format in AudioFormat]


@click.command()
@click.argument("text")
@click.option("--character", help="Who speaks; the character's settings choose the voice.")
@click.option("--voice", help="A voice by name; beats everything else.")
@click.option("--language", help="BCP 47 tag; otherwise detected.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="File to write.")
@click.option(
    "--format", "audio_format", type=click.Choice(FORMATS), help="Default: from --out, else settings."
)
@click.pass_obj
@failing_clearly
def say(
    context: CliContext,
    *,
    text: str,
    character: str | None,
    voice: str | None,
    language: str | None,
    out: Path | None,
    audio_format: str | None,
) -> None:
    """Speak TEXT ('-' reads standard input) into a file."""
    if audio_format is None and out is not None:
        audio_format = out.suffix.lstrip(".").lower() or None
        if audio_format not in (None, *FORMATS):
            raise click.UsageError(f"--out: {out.suffix} is not one of {', '.join(FORMATS)}")
    body = {
        "text": _text(text),
        "character": character,
        "voice": voice,
        "language": _tag(language, "--language"),
        "format": audio_format,
        "stream": False,
    }
    service = context.connect()
    with service.stream("POST", "/api/v1/speak", body, timeout_s=600.0) as answer:
        audio_id = answer.headers["X-Audio-Id"]
        out = out or Path(f"speech.{answer.headers['X-Audio-Format']}")
        with out.open("wb") as file:
            for block in answer:
                file.write(block)
    spoken = service.request("GET", f"/api/v1/replies/{audio_id}")
    for note in _notes(spoken):
        click.echo(f"note: {note}", err=True)
    if context.as_json:
        print_json({"file": str(out), **spoken})
        return
    click.echo(
        f"{out}: {spoken['duration_s']:.1f} s of speech in {spoken['elapsed_s']:.2f} s, "
        f"{len(spoken['clips'])} segments, first audio after {spoken['first_audio_s'] * 1000:.0f} ms"
    )


def _notes(spoken: dict[str, Any]) -> Iterator[str]:
    yield from spoken["notes"]
    yield from spoken["fallbacks"]
    for skipped in spoken["skipped"]:
        yield f"not spoken: {skipped['segment']['text']!r}: {skipped['message']} [{skipped['code']}]"


@click.command()
@click.argument("text", required=False)
@click.option("--character", help="Who speaks the reply.")
@click.option("--roster", default="", help="Names that may speak, separated by commas.")
@click.option("--languages", default="", help="Candidate languages, separated by commas.")
@click.option("--jsonl", is_flag=True, help="Read one JSON object per line, write one per line.")
@click.pass_obj
@failing_clearly
def explain(
    context: CliContext,
    *,
    text: str | None,
    character: str | None,
    roster: str,
    languages: str,
    jsonl: bool,
) -> None:
    """Show what would be said of TEXT ('-' reads standard input), by whom, and why."""
    if text is None and not jsonl:
        raise click.UsageError("TEXT is needed, or --jsonl with lines on standard input.")
    explainer = _Explainer(context)
    base = {
        "speaker": character,
        "roster": [name for name in roster.split(",") if name],
        "languages": [tag for tag in languages.split(",") if tag],
    }
    if jsonl:
        for number, line in enumerate(_lines(), 1):
            entry = _json_object(line, number)
            click.echo(json.dumps(explainer.line(number, {**base, **entry}), ensure_ascii=False))
        return
    answer = explainer.line(1, {**base, "text": _text(text or "")})
    if context.as_json:
        print_json(answer)
        return
    headings = ("role", "speaker", "language", "voice", "model", "text", "why")
    print_rows(headings, [[part[name] for name in headings] for part in answer["segments"]], as_json=False)


class _Explainer:
    """Text and voices in this process, from the settings; no audio, no service."""

    def __init__(self, context: CliContext) -> None:
        from alltalk_plugin.plugins.manager import load_plugins
        from alltalk_plugin.runtime import build_understanding, open_settings

        plugins = load_plugins()
        self._settings = open_settings(context.home, context.settings_file, plugins).current
        self._understanding = build_understanding(lambda: self._settings, plugins)

    def line(self, number: int, entry: dict[str, Any]) -> dict[str, Any]:
        """The answer for one line: `{"id", "language", "segments"}`."""
        from alltalk_plugin.speech.explain import explain_segment, line_language
        from alltalk_plugin.voices.characters import with_character_defaults

        languages = tuple(_tag(tag, "languages") for tag in entry.get("languages") or ())
        reply = Reply(
            text=str(entry["text"]),
            character=entry.get("speaker"),
            chat=Chat(roster=tuple(entry.get("roster") or ())),
            default_language=_tag(entry.get("default_language"), "default_language"),
            languages=tuple(tag for tag in languages if tag) or None,
        )
        reply = with_character_defaults(reply, self._settings)
        segments = self._understanding.text.segments(reply)
        language = line_language(segments) or reply.default_language
        explained = [explain_segment(segment, reply, self._understanding.router) for segment in segments]
        return {
            "id": entry.get("id", number),
            "language": language,
            "segments": [
                {
                    "role": part.segment.role.value,
                    "speaker": part.segment.speaker,
                    "text": part.segment.text,
                    "span": [part.segment.span.start, part.segment.span.end],
                    "language": part.segment.language,
                    "confidence": part.segment.confidence,
                    "inherited": part.segment.inherited,
                    "voice": part.choice.voice.name if part.choice else None,
                    "model": part.choice.voice.model if part.choice else None,
                    "why": part.why,
                }
                for part in explained
            ],
        }


def _text(argument: str) -> str:
    if argument != "-":
        return argument
    # Bytes that are no UTF-8 must not stop the speech of the rest.
    return sys.stdin.buffer.read().decode("utf-8", errors="replace")


def _lines() -> Iterator[str]:
    for raw in sys.stdin.buffer:
        if raw.strip():
            yield raw.decode("utf-8", errors="surrogatepass")


def _json_object(line: str, number: int) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError as error:
        raise RequestError(f"line {number} is not JSON: {error}") from error
    if not isinstance(entry, dict) or not isinstance(entry.get("text"), str):
        raise RequestError(f"line {number} has no text", hint='Each line is an object with a "text".')
    return entry


def _tag(text: str | None, where: str) -> LanguageTag | None:
    if text is None:
        return None
    try:
        return language_tag(text)
    except ValueError as error:
        raise RequestError(f"{where}: {error}", hint="Use tags such as en, de, pt-BR.") from error
