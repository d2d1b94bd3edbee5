"""Flat things that people hold up, drawn face on: a card, a printed sheet, a phone, each with a hand.

All names, numbers and cards are invented. The codes are drawn about twice as large as on a real chip
card: at 1280x720 with the whole forearm in view, a real one would have less than two pixels a module.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import segno

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Plane = npt.NDArray[np.uint8]

SKIN, SLEEVE, INK, GREY_INK, WHITE = 168, 88, 34, 96, 244
"""Tones, 0 black to 255 white."""

QUIET_ZONE_MODULES = 4
"""ISO/IEC 18004 asks for four light modules around a code."""

MARGIN_X, MARGIN_TOP, ARM = 70, 20, 420
"""Room around a thing for fingers and forearm, px."""

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_FONT_BOLD = cv2.FONT_HERSHEY_DUPLEX


@dataclass(frozen=True, slots=True, eq=False)
class Prop:
    """Something held up, with the hand that holds it.

    Attributes:
        luma: the picture, uint8.
        alpha: 255 where the thing or the hand covers what is behind, same shape.
        anchor: the point of it that is held before the camera (the middle of the code), x and y in px.
    """

    luma: Plane
    alpha: Plane
    anchor: tuple[int, int]


def id_card(payload: str, name: str, born: str, number: str) -> Prop:
    """A plastic card in the proportions of ID-1 (85.6 x 54 mm), portrait left and code right."""
    face = np.full((440, 698), 222, np.uint8)
    face += np.linspace(0, 18, 698).astype(np.uint8)
    _guilloche(face)
    cv2.rectangle(face, (0, 0), (697, 64), 120, -1)
    _text(face, "THE MAU - SPECIMEN CARD", (26, 42), 0.9, WHITE, bold=True)
    _portrait(face, (34, 96), (168, 224))
    for row, (label, value) in enumerate(
        (("Ho ten / Name", name), ("Ngay sinh / Born", born), ("So / No.", number))
    ):
        _text(face, label, (34, 358 + row * 30), 0.5, GREY_INK)
        _text(face, value, (190, 358 + row * 30), 0.6, INK, bold=True)
    code = _code(payload, 246)
    x, y = 698 - code.shape[1] - 26, 84
    _paste(face, code, x, y)
    return _held(face, _rounded(face.shape, 26), (x + code.shape[1] // 2, y + code.shape[0] // 2))


def sheet(payload: str, title: str, lines: Sequence[str]) -> Prop:
    """A printed sheet behind a sheen of laminate, the code below its title."""
    face = np.full((620, 470), 236, np.uint8)
    cv2.rectangle(face, (14, 14), (455, 605), 150, 2)
    _text(face, title, (40, 66), 0.8, INK, bold=True)
    code = _code(payload, 330)
    x, y = (470 - code.shape[1]) // 2, 96
    _paste(face, code, x, y)
    for row, line in enumerate(lines):
        _text(face, line, (40, 500 + row * 40), 0.7, INK)
    sheen = np.zeros_like(face)
    cv2.fillPoly(sheen, [np.array([(300, 0), (430, 0), (130, 619), (0, 619)])], 13)
    face = cv2.add(face, cv2.GaussianBlur(sheen, (0, 0), 30))
    return _held(face, _rounded(face.shape, 16), (x + code.shape[1] // 2, y + code.shape[0] // 2))


def phone(payload: str, title: str, caption: str, brightness: float) -> Prop:
    """A phone with a dark surround; `brightness` 1 is a screen as bright as paper."""
    face = np.full((740, 380), 20, np.uint8)
    screen = np.full((660, 344), 236, np.uint8)
    cv2.rectangle(screen, (0, 0), (343, 92), 96, -1)
    _text(screen, title, (22, 60), 0.8, WHITE, bold=True)
    code = _code(payload, 292)
    x, y = (344 - code.shape[1]) // 2, 132
    _paste(screen, code, x, y)
    _text(screen, caption, (30, 520), 0.62, INK)
    cv2.rectangle(screen, (30, 560), (313, 616), 140, -1)
    _text(screen, "DONG / CLOSE", (86, 596), 0.6, WHITE, bold=True)
    _paste(face, cv2.convertScaleAbs(screen, alpha=brightness), 18, 40)
    cv2.circle(face, (190, 20), 5, 60, -1, cv2.LINE_AA)
    return _held(face, _rounded(face.shape, 44), (18 + x + code.shape[1] // 2, 40 + y + code.shape[0] // 2))


def _code(payload: str, wanted_px: int) -> Plane:
    """A QR code with its quiet zone, whole pixels a module, about `wanted_px` wide."""
    matrix = segno.make_qr(payload.encode(), error="m", encoding=None).matrix
    dark = np.array([[bool(cell) for cell in row] for row in matrix])
    modules = np.pad(np.where(dark, INK, WHITE).astype(np.uint8), QUIET_ZONE_MODULES, constant_values=WHITE)
    scale = max(1, round(wanted_px / modules.shape[0]))
    return np.kron(modules, np.ones((scale, scale), np.uint8))


def _held(face: Plane, mask: Plane, anchor: tuple[int, int]) -> Prop:
    """The face with a hand from below: fingers behind it, the thumb in front of its lower edge."""
    height, width = face.shape
    shape = (MARGIN_TOP + height + ARM, width + 2 * MARGIN_X)
    luma, alpha = np.full(shape, SKIN, np.uint8), np.zeros(shape, np.uint8)
    foot = MARGIN_TOP + height
    _arm(luma, alpha, shape[1] // 2, foot)
    body = (slice(MARGIN_TOP, foot), slice(MARGIN_X, MARGIN_X + width))
    luma[body] = np.where(mask > 0, face, luma[body])
    alpha[body] = np.maximum(alpha[body], mask)
    _thumb(luma, alpha, shape[1] // 2, foot)
    return Prop(luma, cv2.GaussianBlur(alpha, (0, 0), 0.8), (anchor[0] + MARGIN_X, anchor[1] + MARGIN_TOP))


def _arm(luma: Plane, alpha: Plane, x: int, foot: int) -> None:
    """The hand behind the thing: heel of the hand, wrist, and a sleeve that leaves the picture below."""
    end = luma.shape[0]
    wrist = np.array([(x - 70, foot + 60), (x + 86, foot + 60), (x + 74, end), (x - 66, end)])
    sleeve = np.array([(x - 100, foot + 210), (x + 104, foot + 202), (x + 132, end), (x - 132, end)])
    for plane, skin, cloth in ((luma, SKIN - 10, SLEEVE), (alpha, 255, 255)):
        cv2.ellipse(plane, (x + 10, foot + 36), (104, 96), 0, 0, 360, skin, -1, cv2.LINE_AA)
        cv2.fillPoly(plane, [wrist], skin, cv2.LINE_AA)
        cv2.fillPoly(plane, [sleeve], cloth, cv2.LINE_AA)
    cv2.line(luma, (x - 100, foot + 216), (x + 104, foot + 208), SLEEVE + 30, 9, cv2.LINE_AA)
    # The thing throws a shadow on the hand that holds it.
    shadow = np.linspace(0.62, 1, 70)[:, np.newaxis]
    luma[foot : foot + 70] = (luma[foot : foot + 70] * shadow).astype(np.uint8)
    luma[foot:] = cv2.GaussianBlur(luma[foot:], (0, 0), 5)


def _thumb(luma: Plane, alpha: Plane, x: int, foot: int) -> None:
    """The thumb lies over the lower edge, from the ball of the hand inwards."""
    middle, angle = (x + 58, foot + 22), -24
    for size, tone in (((37, 92), SKIN - 40), ((33, 88), SKIN + 4), ((20, 74), SKIN + 12)):
        cv2.ellipse(luma, middle, size, angle, 0, 360, tone, -1, cv2.LINE_AA)
    cv2.ellipse(luma, (x + 30, foot - 40), (15, 20), angle, 0, 360, SKIN + 40, -1, cv2.LINE_AA)
    cv2.ellipse(alpha, middle, (37, 92), angle, 0, 360, 255, -1, cv2.LINE_AA)


def _guilloche(face: Plane) -> None:
    """The fine waves that security printing has."""
    xs = np.arange(0, face.shape[1], 6)
    for phase in range(0, 440, 22):
        ys = phase + 9 * np.sin(xs / 46 + phase / 60)
        cv2.polylines(
            face,
            [np.stack([xs, ys], axis=1).astype(np.int32)],
            isClosed=False,
            color=212,
            lineType=cv2.LINE_AA,
        )


def _portrait(face: Plane, at: tuple[int, int], size: tuple[int, int]) -> None:
    """A head and shoulders of nobody."""
    (x, y), (w, h) = at, size
    photo = np.full((h, w), 196, np.uint8)
    cv2.ellipse(photo, (w // 2, h + 20), (w // 2 - 8, h // 2 - 6), 0, 0, 360, 104, -1, cv2.LINE_AA)
    cv2.ellipse(photo, (w // 2, h // 2 - 18), (w // 4, w // 3), 0, 0, 360, 60, -1, cv2.LINE_AA)
    cv2.ellipse(photo, (w // 2, h // 2 - 4), (w // 5, w // 4), 0, 0, 360, 176, -1, cv2.LINE_AA)
    face[y : y + h, x : x + w] = cv2.GaussianBlur(photo, (0, 0), 1.5)


def _rounded(shape: tuple[int, ...], radius: int) -> Plane:
    """255 inside a rectangle of `shape` with round corners."""
    h, w = shape[0], shape[1]
    mask = np.zeros((h, w), np.uint8)
    cv2.rectangle(mask, (radius, 0), (w - 1 - radius, h - 1), 255, -1)
    cv2.rectangle(mask, (0, radius), (w - 1, h - 1 - radius), 255, -1)
    for x in (radius, w - 1 - radius):
        for y in (radius, h - 1 - radius):
            cv2.circle(mask, (x, y), radius, 255, -1, cv2.LINE_AA)
    return mask


def _paste(target: Plane, patch: Plane, x: int, y: int) -> None:
    target[y : y + patch.shape[0], x : x + patch.shape[1]] = patch


def _text(
    target: Plane, text: str, at: tuple[int, int], size: float, tone: int, *, bold: bool = False
) -> None:
    """ASCII only: OpenCV's strokes have no Vietnamese accents; the codes themselves do."""
    cv2.putText(target, text, at, _FONT_BOLD if bold else _FONT, size, tone, 1, cv2.LINE_AA)
