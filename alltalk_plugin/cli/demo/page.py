"""The demo's page: players, what was said by whom, what the models did meanwhile. Values to HTML, pure."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from alltalk_plugin.cli.demo.drawing import model_lanes, voice_colours, waveform
from alltalk_plugin.cli.demo.spoken import SpokenLine

_STYLE = """
:root { color-scheme: light dark; --ink: #1d2433; --dim: #667085; --paper: #f6f7f9; --card: #fff;
  --line: #dfe3ea; --bad: #b42318; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --dim: #98a2b3; --paper: #10141c;
  --card: #181e29; --line: #2b3342; --bad: #f97066; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1040px; margin: 0 auto; padding: 28px 20px 60px; }
h1 { font-size: 26px; margin: 0 0 4px; } h2 { font-size: 18px; margin: 36px 0 10px; }
p.lead { color: var(--dim); margin: 0 0 20px; max-width: 75ch; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 16px 18px;
  margin: 0 0 16px; }
.card h3 { margin: 0; font-size: 16px; } .shows { color: var(--dim); margin: 0 0 8px; }
audio { width: 100%; height: 36px; margin: 8px 0 2px; } svg { display: block; width: 100%; height: auto; }
.said { margin: 10px 0 0; padding: 0; list-style: none; }
.said li { display: grid; grid-template-columns: 12px 150px 1fr; gap: 10px; padding: 3px 0;
  align-items: baseline; }
.dot { width: 10px; height: 10px; border-radius: 5px; display: inline-block; }
.who { color: var(--dim); font-size: 13px; } .note { color: var(--bad); margin: 8px 0 0; }
table { border-collapse: collapse; width: 100%; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 4px 10px 4px 0; border-bottom: 1px solid var(--line);
  vertical-align: top; }
th { color: var(--dim); font-weight: 600; } td.bad { color: var(--bad); } .scroll { overflow-x: auto; }
text { fill: var(--dim); font: 12px system-ui, sans-serif; } .bad { color: var(--bad); }
pre { white-space: pre-wrap; margin: 6px 0 0; color: var(--dim); font-size: 13px; }
"""


def render_page(lines: Sequence[SpokenLine], journal: Sequence[dict[str, Any]], title: str) -> str:
    """The whole page as one HTML document without outside references."""
    colours = voice_colours(lines)
    body = "\n".join(_card(line, colours) for line in lines)
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title><style>{_STYLE}</style>
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
