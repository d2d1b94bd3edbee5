"""A long run as a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SIZE_INCHES: Final = (9.0, 7.0)
DOTS_AN_INCH: Final = 120


@dataclass(frozen=True, slots=True)
class Panel:
    """One curve with a scale of its own; a value that is not a number leaves a gap."""

    title: str
    values: Sequence[float]


def draw(path: Path, minutes: Sequence[float], panels: Sequence[Panel], *, away: Sequence[bool]) -> None:
    """Writes it as PNG; grey where `away`. Scales begin at 0: a leak looks as large as it is."""
    figure = Figure(figsize=SIZE_INCHES, dpi=DOTS_AN_INCH, layout="constrained")
    axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    for axis, panel in zip(axes, panels, strict=True):
        axis.plot(minutes, panel.values, color="#0b6e4f", linewidth=1)
        axis.margins(y=0.15)
        axis.set_ylim(0, None)
        axis.fill_between(
            minutes,
            0,
            1,
            where=list(away),
            transform=axis.get_xaxis_transform(),
            step="post",
            color="#e4e4e4",
            linewidth=0,
        )
        axis.set_title(panel.title, loc="left", fontsize=10)
        axis.grid(axis="y", linewidth=0.3)
    axes[-1].set_xlim(0, minutes[-1])
    axes[-1].set_xlabel("minutes; grey: no broker")
    figure.savefig(path, format="png")
