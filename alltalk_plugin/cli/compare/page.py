"""The page of a comparison. Values to HTML, pure."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from html import escape

from alltalk_plugin.audio.measure import rms_dbfs
from alltalk_plugin.cli.compare.pictures import png_data_url, spectrogram, waveform_svg
from alltalk_plugin.cli.compare.trial import Spoken, Trial
from alltalk_plugin.cli.page_style import STYLE

_OWN_STYLE = """
.pair { display: grid; grid-template-columns: 170px 1fr; gap: 4px 16px; padding: 12px 0;
  border-top: 1px solid var(--line); align-items: center; }
.pair:first-of-type { border-top: 0; } .pair img { width: 100%; height: 110px; display: block;
  border-radius: 4px; } .wave rect { fill: #7f56d9; } .pair audio { margin: 4px 0; }
td.n, th.n { text-align: right; padding-right: 18px; }
@media (max-width: 640px) { .pair { grid-template-columns: 1fr; } }
"""

HEADINGS = (
    "model",
    "engine",
    "load s",
    "first audio ms",
    "real-time factor",
    "audio s",
    "level dBFS",
    "peak MB",
    "predicted MB",
    "error",
)


def rows(trials: Sequence[Trial]) -> list[tuple[object, ...]]:
    """A row for each model under `HEADINGS`: times are medians over the sentences."""
    return [_row(trial) for trial in trials]


def render_page(
    trials: Sequence[Trial], sentences: Sequence[str], files: Mapping[tuple[str, str], str], title: str
) -> str:
    """One HTML document. `files`: (model, sentence) -> address of its audio."""
    sections = "\n".join(_sentence(text, trials, files) for text in sentences)
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title><style>{STYLE}{_OWN_STYLE}</style>
<main>
<h1>{escape(title)}</h1>
<p class="lead">The same sentences through each model, one model at a time, on this machine. The audio is as
the engine made it, not levelled. A real-time factor of 0.1 means ten seconds of speech in one second; first
audio and real-time factor are medians over the sentences. Spectrograms reach to 8 kHz.</p>
<div class="card scroll">{_table(trials)}</div>
{sections}
</main></html>
"""


def _row(trial: Trial) -> tuple[object, ...]:
    audio_s = sum(one.audio.duration_s for one in trial.spoken)
    levels = [rms_dbfs(one.audio.samples) for one in trial.spoken]
    return (
        trial.profile.ref,
        " ".join(part for part in (trial.profile.engine, trial.kind) if part),
        trial.load_s,
        _median([one.first_audio_s * 1000 for one in trial.spoken]),
        _median([one.real_time_factor for one in trial.spoken]),
        audio_s or None,
        _median(levels),
        trial.peak_bytes / 1e6 or None,
        trial.predicted_bytes / 1e6 or None,
        _trouble(trial),
    )


def _trouble(trial: Trial) -> str | None:
    if trial.error is not None:
        return f"{trial.error.message} [{trial.error.code}]"
    if trial.failures:
        return f"{len(trial.failures)} not spoken: {trial.failures[0][1].message}"
    return None


def _median(values: Sequence[float]) -> float | None:
    return statistics.median(values) if values else None


def _table(trials: Sequence[Trial]) -> str:
    heads = "".join(
        f'<th class="n">{name}</th>' if 1 < at < 9 else f"<th>{name}</th>" for at, name in enumerate(HEADINGS)
    )
    body = "\n".join(
        "<tr>" + "".join(_cell(at, value) for at, value in enumerate(_row(one))) + "</tr>" for one in trials
    )
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"


def _cell(at: int, value: object) -> str:
    if value is None:
        return "<td></td>"
    if isinstance(value, float):
        return (
            f'<td class="n">{value:.3f}</td>'
            if value < 1 and value > 0
            else f'<td class="n">{value:.1f}</td>'
        )
    tone = ' class="bad"' if HEADINGS[at] == "error" else ""
    return f"<td{tone}>{escape(str(value))}</td>"


def _sentence(text: str, trials: Sequence[Trial], files: Mapping[tuple[str, str], str]) -> str:
    pairs = "\n".join(_pair(text, trial, files) for trial in trials if trial.error is None)
    return f'<h2>{escape(text)}</h2>\n<section class="card">{pairs}</section>'


def _pair(text: str, trial: Trial, files: Mapping[tuple[str, str], str]) -> str:
    name = escape(trial.profile.ref)
    for said, error in trial.failures:
        if said == text:
            return f'<div class="pair"><b>{name}</b><p class="note">{escape(error.message)}</p></div>'
    spoken = next(one for one in trial.spoken if one.text == text)
    return f"""<div class="pair"><div><b>{name}</b><br><span class="who">{_facts(spoken)}</span></div>
<div>{waveform_svg(spoken.audio)}<img alt="spectrogram" src="{png_data_url(spectrogram(spoken.audio))}">
<audio controls preload="metadata" src="{escape(files[trial.profile.ref, text])}"></audio></div></div>"""


def _facts(spoken: Spoken) -> str:
    return (
        f"{spoken.audio.duration_s:.1f} s at {spoken.audio.sample_rate_hz / 1000:g} kHz<br>"
        f"first audio {spoken.first_audio_s * 1000:.0f} ms<br>real-time factor {spoken.real_time_factor:.3f}"
    )
