"""What people hold up, drawn once in its own plane: card, sheet or phone, with its code and a hand."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import cv2
import numpy as np

from bench.lane.hand import Person, Thing

if TYPE_CHECKING:
    import numpy.typing as npt

    Plane: TypeAlias = npt.NDArray[np.float32]
    Face: TypeAlias = npt.NDArray[np.uint16]

SKIN, SLEEVE, BODY = 0.38, 0.12, 0.04
"""Reflectances of the hand, its sleeve, and of a switched-off phone."""

MARGIN_MM, ARM_MM = 16.0, 40.0
"""Room around the thing for fingers, and below it for the hand."""

QUIET_ZONE_MODULES = 4
"""ISO/IEC 18004."""

FULL = 20_000.0
"""Steps of a card's light, 1 being paper white: sixteen bits are warped twice as fast as floats."""

SIZE_MM = {Thing.CARD: (85.6, 54.0), Thing.PAPER: (105.0, 148.0), Thing.PHONE: (72.0, 150.0)}
MIDDLE_MM = {Thing.CARD: (66.0, 27.0), Thing.PAPER: (52.5, 60.0), Thing.PHONE: (36.0, 66.0)}
"""Where the middle of the code is on the thing: ID-1 card with the code on its right, A6 sheet, phone."""


class Card(NamedTuple):
    """The thing and its hand, face on: premultiplied light and cover, as two channels of `FULL` steps."""

    face: Face
    texels_per_mm: float
    middle: tuple[float, float]


def draw(person: Person, rng: np.random.Generator) -> Card:
    """The thing with its code and a hand, each module a whole number of texels."""
    texels = 4 if person.thing is Thing.CARD else 9
    scale = texels / person.module_mm
    width, height = SIZE_MM[person.thing]
    hand = (round((height + MARGIN_MM + ARM_MM) * scale), round((width + 2 * MARGIN_MM) * scale))
    light, cover = np.zeros(hand, np.float32), np.zeros(hand, np.float32)
    glow = person.thing is Thing.PHONE
    _arm(light, cover, scale, (width, height))
    left, top = round(MARGIN_MM * scale), round(MARGIN_MM * scale)
    thing = np.s_[top : top + round(height * scale), left : left + round(width * scale)]
    body = _face(person, rng, light[thing].shape, scale)
    light[thing], cover[thing] = body, 1.0
    middle = tuple(left + v * scale for v in MIDDLE_MM[person.thing])
    corner = [round(v - person.modules.shape[0] * texels / 2) for v in middle]
    _print_code(light, person, rng, (corner[0], corner[1]), texels)
    _thumb(light, cover, scale, (width, height), SKIN * (0.6 if glow else 1.0))
    at = [(c + person.modules.shape[0] * texels / 2) / scale for c in corner]
    face: Face = (cv2.merge((light * cover, cover)) * FULL).astype(np.uint16)
    return Card(face, scale, (at[0], at[1]))


def _face(person: Person, rng: np.random.Generator, shape: tuple[int, ...], scale: float) -> Plane:
    """The thing without its code: ground, lines of text, a portrait or a phone's dark rim."""
    ground = person.look.white
    body = np.full(shape, ground, np.float32)
    width, height = SIZE_MM[person.thing]
    dark = ground * 0.2 if person.thing is Thing.PHONE else max(0.1, person.look.black)
    for _ in range(14):
        _text_line(body, rng, scale, dark)
    match person.thing:
        case Thing.CARD:
            _box_mm(body, scale, (5, 14, 22, 30), 0.35)
            _box_mm(body, scale, (0, 0, width, 7), 0.45)
        case Thing.PHONE:
            _box_mm(body, scale, (0, 12, width, 14), ground * 0.25)
            for edge in (
                (0, 0, width, 6),
                (0, 0, 3, height),
                (width - 3, 0, 3, height),
                (0, height - 8, width, 8),
            ):
                _box_mm(body, scale, edge, BODY)
        case Thing.PAPER:
            _box_mm(body, scale, (8, 10, width - 16, 5), 0.3)
    return body


def _box_mm(body: Plane, scale: float, box: tuple[float, float, float, float], level: float) -> None:
    x, y, w, h = (round(v * scale) for v in box)
    body[y : y + h, x : x + w] = level


def _text_line(body: Plane, rng: np.random.Generator, scale: float, level: float) -> None:
    """Something like printed words, 2 mm high, somewhere on the body."""
    height, width = body.shape[0] / scale, body.shape[1] / scale
    x, y = rng.uniform(0.06, 0.6) * width, rng.uniform(0.1, 0.95) * height
    end = x + rng.uniform(0.15, 0.4) * width
    while x < end:
        stroke = rng.uniform(0.4, 1.6)
        _box_mm(body, scale, (x, y, stroke, rng.uniform(0.8, 2.0)), level)
        x += stroke + rng.uniform(0.4, 1.2)


def _print_code(
    light: Plane, person: Person, rng: np.random.Generator, corner: tuple[int, int], texels: int
) -> None:
    """The code on its light ground, scratched and stained as far as it is worn."""
    look = person.look
    modules = np.pad(person.modules, QUIET_ZONE_MODULES)
    levels = np.where(modules, look.black, look.white).astype(np.float32)
    code = np.kron(levels, np.ones((texels, texels), np.float32))
    side = code.shape[0]
    wear = np.zeros(code.shape, np.uint8)
    while float(wear.mean()) < look.worn:
        (x, y), turn = rng.uniform(0, side, 2), rng.uniform(0, 2 * math.pi)
        length = rng.uniform(0.1, 0.4) * side
        end = (int(x + length * math.cos(turn)), int(y + length * math.sin(turn)))
        cv2.line(wear, (int(x), int(y)), end, 1, max(1, int(texels * rng.uniform(0.3, 0.9))))
        cv2.circle(
            wear,
            (int(rng.uniform(0, side)), int(rng.uniform(0, side))),
            int(texels * rng.uniform(0.5, 1.6)),
            1,
            -1,
        )
    code = np.where(wear > 0, rng.choice([0.2, 0.8]) * look.white, code).astype(np.float32)
    x, y = (c - QUIET_ZONE_MODULES * texels for c in corner)
    light[y : y + side, x : x + side] = code


def _arm(light: Plane, cover: Plane, scale: float, size: tuple[float, float]) -> None:
    """Heel of the hand and sleeve below the thing."""
    x, y = (MARGIN_MM + size[0] * 0.55) * scale, (MARGIN_MM + size[1] + 8) * scale
    for plane, skin, cloth in ((light, SKIN * 0.8, SLEEVE), (cover, 1.0, 1.0)):
        cv2.ellipse(plane, (int(x), int(y)), (int(34 * scale), int(20 * scale)), 0, 0, 360, skin, -1)
        low, high = (int(x - 30 * scale), int(y + 16 * scale)), (int(x + 30 * scale), plane.shape[0])
        cv2.rectangle(plane, low, high, cloth, -1)


def _thumb(light: Plane, cover: Plane, scale: float, size: tuple[float, float], level: float) -> None:
    """The thumb over the lower edge, beside the code."""
    at = (int((MARGIN_MM + size[0] * 0.3) * scale), int((MARGIN_MM + size[1] - 1) * scale))
    for plane, value in ((light, level), (cover, 1.0)):
        cv2.ellipse(plane, at, (int(8 * scale), int(15 * scale)), 20, 0, 360, value, -1)
