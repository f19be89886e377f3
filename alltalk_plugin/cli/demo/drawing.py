"""The demo page's pictures as inline SVG. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from alltalk_plugin.cli.demo.spoken import SpokenLine

# Readable on light and dark paper alike.
_PALETTE = ("#7f56d9", "#0e9384", "#dd6b20", "#2e72d2", "#c11574", "#5b8c1f", "#8a6116")
_WIDTH, _WAVE_HEIGHT, _STRIP_HEIGHT = 1000, 84, 10
_LANE_HEIGHT, _LABEL_WIDTH = 30, 150


def voice_colours(lines: Sequence[SpokenLine]) -> dict[str, str]:
    """A colour for every voice that speaks, in order of appearance."""
    names = dict.fromkeys(clip["voice"] for line in lines for clip in line.spoken["clips"])
    return {name: _PALETTE[index % len(_PALETTE)] for index, name in enumerate(names)}


def waveform(
    envelope: Sequence[tuple[float, float]],
    clips: Sequence[dict[str, Any]],
    duration_s: float,
    colours: dict[str, str],
) -> str:
    """The audio's lowest and highest sample per bin, coloured by who speaks, over a strip of segments."""
    middle = _WAVE_HEIGHT / 2
    bars = []
    for index, (low, high) in enumerate(envelope):
        at_s = (index + 0.5) / len(envelope) * duration_s
        x = index / len(envelope) * _WIDTH
        top, bottom = middle - high * middle, middle - low * middle
        bars.append(
            f'<rect x="{x:.1f}" y="{top:.1f}" width="{_WIDTH / len(envelope) * 0.7:.2f}" '
            f'height="{max(bottom - top, 0.8):.1f}" fill="{_colour_at(clips, at_s, colours)}"/>'
        )
    strip = "".join(
        f'<rect x="{clip["start_s"] / duration_s * _WIDTH:.1f}" y="{_WAVE_HEIGHT + 4}" rx="2" '
        f'width="{clip["duration_s"] / duration_s * _WIDTH:.1f}" height="{_STRIP_HEIGHT}" '
        f'fill="{colours[clip["voice"]]}" opacity=".45"><title>{escape(clip["text"])}</title></rect>'
        for clip in clips
    )
    height = _WAVE_HEIGHT + _STRIP_HEIGHT + 6
    return f'<svg viewBox="0 0 {_WIDTH} {height}" role="img">{"".join(bars)}{strip}</svg>'


def _colour_at(clips: Sequence[dict[str, Any]], at_s: float, colours: dict[str, str]) -> str:
    for clip in clips:
        if clip["start_s"] <= at_s < clip["start_s"] + clip["duration_s"]:
            return colours[clip["voice"]]
    return "#98a2b3"


@dataclass(frozen=True, slots=True)
class _Bar:
    model: str
    kind: str
    begin_s: float
    end_s: float


# How the journal's records open and close what is drawn; anything else leaves the lane as it is.
_OPENS = {"load_start": "loading", "load_ok": "checked", "verify": "ready", "drain": "draining"}
_CLOSES = {"load_failed", "freed", "unload"}
_FILL = {"loading": "#eaaa08", "checked": "#eaaa08", "ready": "#12b76a", "draining": "#98a2b3"}


def model_lanes(journal: Sequence[dict[str, Any]]) -> str:
    """One lane per model: loading, ready and draining bars, a cross for a failed load."""
    if not journal:
        return "<p>The journal is empty.</p>"
    begin_ts: float = journal[0]["ts"]
    span_s = max(float(journal[-1]["ts"]) - begin_ts, 0.001)
    models = list(dict.fromkeys(record["model"] for record in journal if record["model"]))

    def x(ts_s: float) -> float:
        return _LABEL_WIDTH + ts_s / span_s * (_WIDTH - _LABEL_WIDTH - 30)

    parts = [
        f'<text x="0" y="{lane * _LANE_HEIGHT + 20}">{escape(model)}</text>'
        for lane, model in enumerate(models)
    ]
    for bar in _bars(journal, begin_ts, span_s):
        top = models.index(bar.model) * _LANE_HEIGHT + 7
        width = max(x(bar.end_s) - x(bar.begin_s), 1.5)
        parts.append(
            f'<rect x="{x(bar.begin_s):.1f}" y="{top}" width="{width:.1f}" height="18" rx="3" '
            f'fill="{_FILL[bar.kind]}">'
            f"<title>{bar.kind} {bar.begin_s:.2f} to {bar.end_s:.2f} s</title></rect>"
        )
    for record in journal:
        if record["kind"] in ("load_failed", "rollback") and record["model"]:
            top = models.index(record["model"]) * _LANE_HEIGHT + 21
            sign, colour = ("✕", "#d92d20") if record["kind"] == "load_failed" else ("↩", "#2e72d2")
            parts.append(
                f'<text x="{x(record["ts"] - begin_ts) + 2:.1f}" y="{top}" '
                f'style="fill:{colour};font-weight:700">{sign}'
                f"<title>{escape(record['error'] or '')}</title></text>"
            )
    axis = len(models) * _LANE_HEIGHT + 18
    ticks = "".join(
        f'<text x="{x(part / 4 * span_s) - 10:.1f}" y="{axis}">{part / 4 * span_s:.1f} s</text>'
        for part in range(5)
    )
    return f'<svg viewBox="0 0 {_WIDTH} {axis + 6}" role="img">{"".join(parts)}{ticks}</svg>'


def _bars(journal: Sequence[dict[str, Any]], begin_ts: float, span_s: float) -> Iterator[_Bar]:
    open_bars: dict[str, tuple[str, float]] = {}
    for record in journal:
        model, kind, at_s = record["model"], record["kind"], record["ts"] - begin_ts
        if not model or (kind not in _OPENS and kind not in _CLOSES):
            continue
        if model in open_bars:
            was, since_s = open_bars.pop(model)
            yield _Bar(model, was, since_s, at_s)
        if kind in _OPENS:
            open_bars[model] = (_OPENS[kind], at_s)
    for model, (kind, since_s) in open_bars.items():
        yield _Bar(model, kind, since_s, span_s)
