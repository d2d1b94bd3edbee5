"""Outlines on a copy of a picture: green where a code was read, amber where one was seen and not read.

The drawing is done by a process of its own, confined like the decoder's child: it takes a stranger's picture
file apart. Started as `python -m device.decode.outline` with that file as standard input and the drawing's as
standard output.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from device.decode.confine import confine, die_with
from device.decode.wire import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from device.model import Corners

Colours: TypeAlias = npt.NDArray[np.uint8]

MAX_DRAWING_BYTES = 64_000_000
"""A picture of noise, three bytes a pixel, in the largest size that is drawn."""

# Larger pictures are made smaller: what is looked at on a screen needs no more.
_LONGEST_PX = 3840
# Smaller ones are enlarged, pixel by pixel, or their labels would cover them.
_SHORTEST_PX = 800
_ENLARGED_AT_MOST = 16
# Width of a line and height of a letter, as shares of the picture's longer side.
_LINE_SHARE = 1 / 400
_LETTER_SHARE = 1 / 50
# The height of OpenCV's letters at scale 1, pixels.
_LETTER_PX = 22
# Blue, green, red. Amber and green differ in brightness too, and only amber has words.
_GREEN = (80, 200, 40)
_AMBER = (0, 160, 255)
_BLACK = (0, 0, 0)
_FACE = cv2.FONT_HERSHEY_SIMPLEX


@dataclass(frozen=True, slots=True)
class Mark:
    """One thing to be outlined.

    Attributes:
        corners: in pixels of the picture.
        label: a short word in ASCII: never what a code holds.
        was_read: green, or amber.
    """

    corners: Corners
    label: str
    was_read: bool


def pack_marks(marks: Sequence[Mark]) -> str:
    """The marks as one word of a command line."""
    return json.dumps([astuple(mark) for mark in marks])


def _unpack_marks(packed: str) -> list[Mark]:
    marks = []
    for corners, label, was_read in json.loads(packed):
        a, b, c, d = ((x, y) for x, y in corners)
        marks.append(Mark((a, b, c, d), label, was_read))
    return marks


def outlined(picture: Colours, marks: Sequence[Mark]) -> Colours:
    """A copy with outlines and labels, in a size that suits a screen."""
    scale = _scale(max(picture.shape[:2]))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
    height, width = (max(1, round(side * scale)) for side in picture.shape[:2])
    canvas = np.array(cv2.resize(picture, (width, height), interpolation=method), np.uint8)
    longest = max(canvas.shape[:2])
    line = max(2, round(longest * _LINE_SHARE))
    for mark in marks:
        points = np.array([(x * scale, y * scale) for x, y in mark.corners]).astype(np.int32)
        colour = _GREEN if mark.was_read else _AMBER
        cv2.polylines(canvas, [points], isClosed=True, color=_BLACK, thickness=3 * line, lineType=cv2.LINE_AA)
        cv2.polylines(canvas, [points], isClosed=True, color=colour, thickness=line, lineType=cv2.LINE_AA)
    for mark in marks:  # above all lines
        left, top = (min(way) for way in zip(*mark.corners, strict=True))
        _write(
            canvas, mark.label, (round(left * scale), round(top * scale)), _GREEN if mark.was_read else _AMBER
        )
    return canvas


def _scale(longest_px: int) -> float:
    if longest_px > _LONGEST_PX:
        return _LONGEST_PX / longest_px
    return float(min(_ENLARGED_AT_MOST, max(1, _SHORTEST_PX // longest_px)))


def _write(canvas: Colours, label: str, at: tuple[int, int], colour: tuple[int, int, int]) -> None:
    """Puts a label on a ground of its colour just above a place, within the picture in any case."""
    height, width = canvas.shape[:2]
    size = max(0.5, max(height, width) * _LETTER_SHARE / _LETTER_PX)
    thick = max(1, round(size * 2))
    (wide, high), under = cv2.getTextSize(label, _FACE, size, thick)
    room = under
    left = max(0, min(at[0], width - wide - 2 * room))
    bottom = min(max(at[1] - room, high + 2 * room), height)
    cv2.rectangle(canvas, (left, bottom - high - 2 * room), (left + wide + 2 * room, bottom), colour, -1)
    cv2.putText(canvas, label, (left + room, bottom - room), _FACE, size, _BLACK, thick, cv2.LINE_AA)


def main() -> int:
    """Draws one picture; 1 when the file is none."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parent", type=int, required=True, help="process id")
    parser.add_argument("--marks", type=_unpack_marks, required=True, help="what to outline, as JSON")
    options = parser.parse_args()
    die_with(options.parent)
    cv2.setNumThreads(1)
    # Whatever a library loads at its first picture is loaded now: later it has no right to.
    _drawn(cv2.imencode(".png", np.zeros((64, 64, 3), np.uint8))[1].tobytes(), options.marks)
    confine(may_write_bytes=MAX_DRAWING_BYTES)
    drawing = _drawn(sys.stdin.buffer.read(MAX_BYTES), options.marks)
    if drawing is None:
        return 1
    sys.stdout.buffer.write(drawing)
    sys.stdout.buffer.flush()
    return 0


def _drawn(file: bytes, marks: Sequence[Mark]) -> bytes | None:
    try:
        picture = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        return None
    if picture is None:
        return None
    return bytes(cv2.imencode(".png", outlined(np.asarray(picture, np.uint8), marks))[1])


if __name__ == "__main__":
    sys.exit(main())
