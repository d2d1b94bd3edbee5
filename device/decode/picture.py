"""Picture files, looked at as if each were held up to the camera."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from device.decode.cause import cause_of
from device.decode.climb import whole_pixels
from device.decode.finding import Look
from device.scenery import centre_of, side_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from device.decode.finding import Luma
    from device.decode.ladder import Ladder
    from device.model import Corners, Symbol

# What the camera gives: a larger picture is made as small first, since that is what a gate would see.
FRAME_WIDTH = 1280
FRAME_HEIGHT = 720


def grey(file: Luma) -> Luma | None:
    """The picture in a file's bytes as brightness; None when it is none, or too large."""
    try:
        picture = cv2.imdecode(file, cv2.IMREAD_GRAYSCALE)
    except cv2.error:
        return None
    return None if picture is None else np.ascontiguousarray(picture, np.uint8)


def fitted(picture: Luma) -> Luma:
    """The picture as the camera would give it: never larger than a frame."""
    height, width = picture.shape
    scale = min(FRAME_WIDTH / width, FRAME_HEIGHT / height)
    if scale >= 1:
        return picture
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.ascontiguousarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def look_at(picture: Luma, ladder: Ladder, *, frames: int, budget_ms: float) -> Look:
    """What the ladder makes of a picture held up for so many frames; a large one, failing that, in full.

    Corners are in pixels of the picture as given.
    """
    frame = fitted(picture)
    look = _held_up(frame, ladder, frames, budget_ms)
    if frame is not picture and not look.symbols:
        in_full = _held_up(picture, ladder, frames, budget_ms)
        # What keeps a code from being read is told of the frame a gate would see.
        if in_full.symbols or not look.unread:
            return in_full
    ratio = picture.shape[1] / frame.shape[1]
    return replace(
        look,
        symbols=tuple(_scaled(s, ratio, picture) for s in look.symbols),
        unread=tuple(_corners(c, ratio, picture) for c in look.unread),
    )


def _held_up(frame: Luma, ladder: Ladder, frames: int, budget_ms: float) -> Look:
    ladder.forget()
    spent = 0.0
    look = Look()
    for _ in range(frames):
        look = ladder.look(frame, budget_ms=budget_ms)
        spent += look.spent_ms
        if look.symbols:
            break
    unread = apart(look.unread)
    causes = tuple(cause_of(frame, corners) for corners in unread)
    return replace(look, unread=unread, causes=causes, spent_ms=spent)


def apart(unread: Sequence[Corners]) -> tuple[Corners, ...]:
    """One for each place: what several steps saw there is one thing."""
    kept: list[Corners] = []
    for corners in unread:
        x, y = centre_of(corners)
        if not any(math.dist((x, y), centre_of(other)) < side_of(other) / 2 for other in kept):
            kept.append(corners)
    return tuple(kept)


def _scaled(symbol: Symbol, ratio: float, picture: Luma) -> Symbol:
    return replace(symbol, corners=_corners(symbol.corners, ratio, picture))


def _corners(corners: Corners, ratio: float, picture: Luma) -> Corners:
    a, b, c, d = ((x * ratio, y * ratio) for x, y in corners)
    return whole_pixels((a, b, c, d), picture)
