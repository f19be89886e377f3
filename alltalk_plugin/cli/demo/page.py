"""The demo's page: players, what was said by whom, what the models did meanwhile. Values to HTML, pure."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from alltalk_plugin.cli.demo.drawing import model_lanes, voice_colours, waveform
from alltalk_plugin.cli.demo.spoken import SpokenLine
from alltalk_plugin.cli.page_style import STYLE


def render_page(lines: Sequence[SpokenLine], journal: Sequence[dict[str, Any]], title: str) -> str:
    """The whole page as one HTML document without outside references."""
    colours = voice_colours(lines)
    body = "\n".join(_card(line, colours) for line in lines)
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title><style>{STYLE}</style>
<main>
<h1>{escape(title)}</h1>
<p class="lead">Every reply went through the adapter of text-generation-webui, as that host calls it.
Colours are voices. Below the replies: what the models did meanwhile, taken from the journal.</p>
{body}
<h2>Models over time</h2>
<div class="card">{model_lanes(journal)}</div>
<h2>Journal</h2>
<div class="card scroll">{_journal_table(journal)}</div>
</main></html>
"""


def _card(line: SpokenLine, colours: dict[str, str]) -> str:
    spoken = line.spoken
    notes = [*spoken["fallbacks"]]
    notes += [f"not spoken: “{part['segment']['text']}”: {part['message']}" for part in spoken["skipped"]]
    said = "\n".join(_said(clip, colours) for clip in spoken["clips"])
    warnings = "".join(f'<p class="note">{escape(note)}</p>' for note in notes)
    return f"""<section class="card">
<h3>{escape(line.character)}</h3><p class="shows">{escape(line.shows)}</p>
{waveform(line.envelope, spoken["clips"], spoken["duration_s"], colours)}
<audio controls preload="metadata" src="{escape(line.audio_file)}"></audio>
<ul class="said">{said}</ul>{warnings}
<details><summary class="who">the reply as the language model wrote it</summary>
<pre>{escape(line.text)}</pre></details>
</section>"""


def _said(clip: dict[str, Any], colours: dict[str, str]) -> str:
    voice = clip["voice"]
    who = clip["role"] if clip["role"] == "narrator" else clip["speaker"] or clip["role"]
    detail = (
        f"{voice} on {clip['model']}, {clip['language'] or 'language undecided'}, {clip['duration_s']:.1f} s"
    )
    return (
        f'<li><span class="dot" style="background:{colours[voice]}"></span>'
        f"<span><b>{escape(who)}</b></span><span>{escape(clip['text'])}"
        f'<br><span class="who">{escape(detail)}</span></span></li>'
    )


def _journal_table(journal: Sequence[dict[str, Any]]) -> str:
    begin_ts = journal[0]["ts"] if journal else 0.0
    rows = "\n".join(
        f"<tr><td>{record['seq']}</td><td>{record['ts'] - begin_ts:.2f} s</td>"
        f"<td{_tone(record)}>{escape(record['kind'])}</td><td>{escape(record['model'] or '')}</td>"
        f"<td>{escape(record['cause'] or '')}</td><td>{escape(record['error'] or '')}</td></tr>"
        for record in journal
    )
    heads = "".join(f"<th>{name}</th>" for name in ("#", "time", "what", "model", "cause", "error"))
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"


def _tone(record: dict[str, Any]) -> str:
    return ' class="bad"' if record["error"] or record["kind"] in ("rollback", "degraded") else ""
