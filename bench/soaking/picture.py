"""Curves over the same time as SVG, by hand: a picture of a long run needs no drawing library."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH: Final = 900
PANEL: Final = 120
GAP: Final = 34
LEFT: Final = 56
RIGHT: Final = 16


@dataclass(frozen=True, slots=True)
class Panel:
    """One curve with a scale of its own; a value that is not a number leaves a gap."""

    title: str
    values: Sequence[float]


def draw(minutes: Sequence[float], panels: Sequence[Panel], *, away: Sequence[bool]) -> str:
    """The picture; grey where `away`. Every scale begins at 0, so that a leak looks as large as it is."""
    height = len(panels) * (PANEL + GAP) + 24
    end = max(minutes[-1], 1e-9)
    font = 'font-family="sans-serif" font-size="12" fill="#333"'
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" {font}>',
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
    ]
    for number, panel in enumerate(panels):
        top = number * (PANEL + GAP) + GAP - 8
        out += _panel(panel, top, [_across(at, end) for at in minutes], away)
    bottom = height - 8
    for at in _ticks(end):
        out.append(f'<text x="{_across(at, end):.1f}" y="{bottom}" text-anchor="middle">{at:g} min</text>')
    return "\n".join([*out, "</svg>", ""])


def _panel(panel: Panel, top: float, across: Sequence[float], away: Sequence[bool]) -> list[str]:
    highest = max((value for value in panel.values if not math.isnan(value)), default=0.0) * 1.1 or 1.0
    out = [f'<text x="{LEFT}" y="{top - 6}" font-weight="bold">{panel.title}</text>']
    step = across[1] - across[0] if len(across) > 1 else 1.0
    out += [
        f'<rect x="{x:.1f}" y="{top}" width="{step + 0.5:.1f}" height="{PANEL}" fill="#e4e4e4"/>'
        for x, gone in zip(across, away, strict=True)
        if gone
    ]
    for value in (0.0, highest / 2, highest):
        y = top + PANEL * (1 - value / highest)
        out.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#bbb" stroke-width="0.5"/>')
        out.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:.0f}</text>')
    out.append(f'<path fill="none" stroke="#0b6e4f" d="{_curve(panel.values, top, across, highest)}"/>')
    return out


def _curve(values: Sequence[float], top: float, across: Sequence[float], highest: float) -> str:
    words, drawing = [], False
    for x, value in zip(across, values, strict=True):
        if not math.isnan(value):
            words.append(f"{'L' if drawing else 'M'}{x:.1f} {top + PANEL * (1 - value / highest):.1f}")
        drawing = not math.isnan(value)
    return "".join(words)


def _across(minute: float, end: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * minute / end


def _ticks(end: float) -> list[float]:
    step = next(step for step in (1, 2, 5, 10, 20, 60, 120, 600, 6000) if end / step <= 10 or step == 6000)
    return [float(at) for at in range(step, int(end) + 1, step)]
