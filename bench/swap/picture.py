"""The bars of docs/bench-swap.svg, written by hand: a plotting library is not worth its size here."""

from __future__ import annotations

from collections.abc import Mapping

_COLOURS = ("#9a9a9a", "#c9a15a", "#6a8fb5", "#2f7d4f", "#7fbf95")
_LEFT, _TOP, _HEIGHT, _BAR, _GAP = 60, 50, 240, 22, 40


def bars(title: str, groups: Mapping[str, Mapping[str, float]]) -> str:
    """An SVG: one group of bars per workload, one bar per policy; seconds upwards."""
    names = list(next(iter(groups.values())))
    highest = max(max(row.values()) for row in groups.values())
    wide = _LEFT + len(groups) * (len(names) * _BAR + _GAP) + 20
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {_TOP + _HEIGHT + 70}"'
        ' font-family="sans-serif" font-size="12">'
    )
    parts = [
        head,
        f'<rect width="{wide}" height="{_TOP + _HEIGHT + 70}" fill="white"/>',
        f'<text x="{_LEFT}" y="24" font-size="15">{title}</text>',
    ]
    for step in range(5):
        y = _TOP + _HEIGHT - _HEIGHT * step / 4
        parts.append(f'<line x1="{_LEFT}" x2="{wide - 10}" y1="{y}" y2="{y}" stroke="#ddd"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 4}" text-anchor="end">{highest * step / 4:.0f} s</text>')
    for column, (group, row) in enumerate(groups.items()):
        x = _LEFT + 20 + column * (len(names) * _BAR + _GAP)
        for place, name in enumerate(names):
            tall = _HEIGHT * row[name] / highest
            top = _TOP + _HEIGHT - tall
            parts.append(
                f'<rect x="{x + place * _BAR}" y="{top:.1f}" width="{_BAR - 3}" height="{tall:.1f}"'
                f' fill="{_COLOURS[place]}"><title>{name}: {row[name]:.1f} s</title></rect>'
            )
        middle = x + len(names) * _BAR / 2
        parts.append(f'<text x="{middle}" y="{_TOP + _HEIGHT + 18}" text-anchor="middle">{group}</text>')
    for place, name in enumerate(names):
        left = _LEFT + place * (wide - _LEFT) / len(names)
        below = _TOP + _HEIGHT + 40
        parts.append(f'<rect x="{left:.0f}" y="{below}" width="12" height="12" fill="{_COLOURS[place]}"/>')
        parts.append(f'<text x="{left + 17:.0f}" y="{below + 11}">{name}</text>')
    return "\n".join([*parts, "</svg>\n"])
