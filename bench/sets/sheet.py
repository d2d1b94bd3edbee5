"""A contact sheet: what nobody could read, on one page, to be looked at by somebody who knows codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from device.decode.outline import Mark, outlined

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from device.decode.finding import Luma
    from device.decode.outline import Colours
    from device.model import Cause, Corners

COLUMNS = 5
CELL_PX = (420, 320)
"""Width and height of a picture on the sheet: five fill a screen."""

CAPTION_PX = 44
"""Two lines of small letters."""

_PAPER, _INK = 245, (30, 30, 30)
_FACE, _SIZE = cv2.FONT_HERSHEY_SIMPLEX, 0.42
_LETTERS_A_LINE = 54


@dataclass(frozen=True, slots=True, eq=False)
class Missed:
    """One picture that was not read.

    Attributes:
        name: of its file.
        group: where it comes from, and what it was made to show.
        luma: as the gate saw it.
        sights: what was seen in it, each with the measured cause.
    """

    name: str
    group: str
    luma: Luma
    sights: tuple[tuple[Corners, Cause], ...]


def write_sheet(missed: Sequence[Missed], into: Path) -> None:
    """Writes the sheet as a picture file."""
    cells = [_cell(one) for one in missed]
    blank = np.full_like(cells[0], _PAPER) if cells else np.full((1, 1, 3), _PAPER, np.uint8)
    rows = []
    for start in range(0, len(cells), COLUMNS):
        row = cells[start : start + COLUMNS]
        rows.append(np.hstack([*row, *[blank] * (COLUMNS - len(row))]))
    cv2.imwrite(str(into), np.vstack(rows) if rows else blank)


def _cell(missed: Missed) -> Colours:
    width, height = CELL_PX
    marks = [Mark(corners, _spoken(cause), was_read=False) for corners, cause in missed.sights]
    drawn = outlined(np.asarray(cv2.cvtColor(missed.luma, cv2.COLOR_GRAY2BGR), np.uint8), marks)
    scale = min((width - 8) / drawn.shape[1], (height - 8) / drawn.shape[0])
    small = cv2.resize(drawn, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    cell = np.full((height + CAPTION_PX, width, 3), _PAPER, np.uint8)
    cell[4 : 4 + small.shape[0], 4 : 4 + small.shape[1]] = small
    causes = ", ".join(sorted({_spoken(cause) for _, cause in missed.sights})) or "nothing seen"
    name = missed.name.rpartition("/")[2]
    for line, text in enumerate((name, f"{missed.group}: {causes}")):
        at = (6, height + 16 + 20 * line)
        cv2.putText(cell, text[-_LETTERS_A_LINE:], at, _FACE, _SIZE, _INK, 1, cv2.LINE_AA)
    return cell


def _spoken(cause: Cause) -> str:
    return cause.value.replace("_", " ")
