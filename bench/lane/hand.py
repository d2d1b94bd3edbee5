"""How people hold a code up to a gate's camera: who, what, how it moves. Pure, seeded; nothing is drawn here.

Lengths are millimetres, angles radians, times seconds from the moment the hand sets out; the camera looks
along +z from the origin, x to the right, y down. Nobody was filmed for this: each number below has its
source or says that it is assumed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import segno

if TYPE_CHECKING:
    import numpy.typing as npt

    Vector: TypeAlias = npt.NDArray[np.float64]
    Modules: TypeAlias = npt.NDArray[np.bool_]

WIDTH, HEIGHT = 1280, 720
FRAMES_PER_SECOND = 30

FOCAL_PX = 1400.0
"""Camera Module 3, standard lens (4.74 mm, pixels of 1.4 um), its middle 3,090 columns scaled to 1,280: the
code of an ID card then has two pixels a module at 20 cm, where the lens is focused."""

FOCUS_MM = 200.0
"""Five dioptres, the project's default."""

APERTURE_MM = 2.63
"""4.74 mm at f/1.8."""

GIVE_UP_S = 5.0
"""Assumed: a person without an answer for so long is sent aside."""

MOVE_S = (0.45, 0.7)
"""Assumed: a hand brings the code 10-20 cm into the picture; at most 0.3 to 0.7 m/s on the way."""

TREMOR_HZ = (8.0, 10.5)
"""Physiological tremor peaks at 8-10 Hz (Sutton and Sykes, J Physiol 1967), 6-12 Hz with a load."""

DRIFT_HZ = (0.2, 0.8)
"""Assumed: an arm held out wanders about once in two seconds."""

ID_CODE_MM, PRINT_CODE_MM, SCREEN_CODE_MM = 14.0, 50.0, 45.0
"""The chip card's code measures 11-14 mm; passes are ordered at 5 cm at least; a screen is 65-70 mm wide."""

_AXES = 6  # x, y, z, roll, tilt about x, tilt about y


class Manner(StrEnum):
    """How ready the person is."""

    PREPARED = "prepared"  # the code is ready and goes where it belongs
    UNPREPARED = "unprepared"  # first too near, too far, half outside or turned away


class Condition(StrEnum):
    """How much is in the way of reading."""

    ORDINARY = "ordinary"  # lamps to both sides, a still hand, an undamaged code
    DIFFICULT = "difficult"  # no lamps, long exposure, old hands, wear, glare, dim screens


class Thing(StrEnum):
    """What carries the code."""

    CARD = "card"
    PAPER = "paper"
    PHONE = "phone"


class Trouble(StrEnum):
    """One thing in the way of a code that is held still in the picture."""

    NONE = "none"
    SMALL = "small"
    DEFOCUS = "defocus"
    SHAKE = "shake"
    TILT = "tilt"
    DARK = "dark"
    GLARE = "glare"
    SCREEN = "screen"
    WORN = "worn"
    FADED = "faded"
    SHADOW = "shadow"


@dataclass(frozen=True, slots=True)
class Stop:
    """The hand leaves the stop before at `leaves_s` and rests in this pose from `arrives_s` on."""

    leaves_s: float
    arrives_s: float
    pose: tuple[float, float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class Lamp:
    """A lamp that a glossy surface mirrors: direction and half-width in radians, strength in paper whites."""

    across: float
    down: float
    width: float
    strength: float


@dataclass(frozen=True, slots=True)
class Look:
    """What light, lens and wear do to the picture.

    Attributes:
        exposure_s: smear is the way the code goes in this time.
        gain: the sensor's; noise grows with it. Paper white is always 0.7 of full scale.
        white, black: of the code, 1 is paper white; on a screen they glow, whatever the light.
        moire: share by which the screen's pixels beat with the sensor's.
        flicker: share of the time a dim screen is dark, 240 times a second.
        lamp: mirrored by cards and screens.
        worn: share of the code scratched or stained.
        shadow: light left where a shadow's edge crosses the code; 1 is none.
    """

    exposure_s: float = 0.002
    gain: float = 3.0
    white: float = 1.0
    black: float = 0.06
    moire: float = 0.0
    flicker: float = 0.0
    lamp: Lamp | None = None
    worn: float = 0.0
    shadow: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """Somebody who shows a code.

    Attributes:
        thing: what carries the code.
        text: what the code holds.
        modules: True where dark, without margin.
        code_mm: side of the code.
        stops: where the hand goes; the first is outside the picture.
        sway: rows of axis, amplitude (mm or radians), frequency (Hz), phase.
        look: see `Look`.
        detour: the wrong places tried first, in words.
        seed: of everything drawn at random in the pictures.
    """

    thing: Thing
    text: bytes = field(repr=False)
    modules: Modules = field(repr=False)
    code_mm: float
    stops: tuple[Stop, ...]
    sway: Vector = field(repr=False)
    look: Look
    detour: tuple[str, ...]
    seed: int

    @property
    def module_mm(self) -> float:
        """Side of one module."""
        return self.code_mm / len(self.modules)

    def pose(self, at_s: float) -> Vector:
        """x, y, z of the code's middle, roll, tilt about x, tilt about y."""
        sway = np.zeros(_AXES)
        waves = self.sway[:, 1] * np.sin(2 * np.pi * self.sway[:, 2] * at_s + self.sway[:, 3])
        np.add.at(sway, self.sway[:, 0].astype(int), waves)
        return self._path(at_s) + sway

    def corners(self, at_s: float) -> Vector:
        """The code's corners in pixels, shape (4, 2): its own top left, then clockwise."""
        half = self.code_mm / 2
        square = np.array([(-half, -half), (half, -half), (half, half), (-half, half)])
        return seen_at(projection(self.pose(at_s)), square)

    def in_field(self, at_s: float) -> bool:
        """Whether the whole code is in the picture."""
        corners = self.corners(at_s)
        return bool((corners >= 0).all() and (corners <= (WIDTH - 1, HEIGHT - 1)).all())

    def module_px(self, at_s: float) -> float:
        """Mean side of a module in the picture, foreshortening included."""
        corners = self.corners(at_s)
        following = np.roll(corners, -1, axis=0)
        area = abs(np.sum(corners[:, 0] * following[:, 1] - corners[:, 1] * following[:, 0])) / 2
        return math.sqrt(float(area)) / len(self.modules)

    def smear_px(self, at_s: float) -> Vector:
        """The way the code's middle goes during the exposure, x and y."""
        half = self.look.exposure_s / 2
        middle = np.zeros((1, 2))
        before, after = (seen_at(projection(self.pose(at_s + d)), middle)[0] for d in (-half, half))
        smear: Vector = after - before
        return smear

    def defocus_px(self, at_s: float) -> float:
        """Diameter of the disc a point becomes: aperture times error in dioptres, in pixels."""
        away_mm: float = self.pose(at_s)[2]
        return APERTURE_MM * FOCAL_PX * abs(1 / away_mm - 1 / FOCUS_MM)

    def sharp(self, at_s: float) -> bool:
        """Whether the whole code is in view, with smear and disc below a module and 1.5 px a module.

        Beyond that hardly any engine reads a single frame: what a reader itself costs is counted from here.
        """
        module = self.module_px(at_s)
        blur = max(float(np.hypot(*self.smear_px(at_s))), self.defocus_px(at_s))
        return self.in_field(at_s) and module >= 1.5 and blur < module

    def _path(self, at_s: float) -> Vector:
        here = np.array(self.stops[0].pose)
        for stop in self.stops[1:]:
            share = (at_s - stop.leaves_s) / (stop.arrives_s - stop.leaves_s)
            here = here + (np.array(stop.pose) - here) * least_jerk(share)
            if share < 1:
                break
        return here


def least_jerk(share: float) -> float:
    """How far a reaching hand has come after that share of its time (Flash and Hogan, J Neurosci 1985)."""
    share = min(max(share, 0.0), 1.0)
    return share**3 * (10 - 15 * share + 6 * share**2)


def projection(pose: Vector) -> Vector:
    """From millimetres on the thing, the code's middle being (0, 0), to pixels: a 3 x 3 matrix."""
    x, y, z, roll, pitch, yaw = pose
    (cr, sr), (cp, sp), (cy, sy) = ((math.cos(a), math.sin(a)) for a in (roll, pitch, yaw))
    turn = np.array([(cr, -sr, 0), (sr, cr, 0), (0, 0, 1)])
    nod = np.array([(1, 0, 0), (0, cp, -sp), (0, sp, cp)])
    shake = np.array([(cy, 0, sy), (0, 1, 0), (-sy, 0, cy)])
    rotation = shake @ nod @ turn
    lens = np.array([(FOCAL_PX, 0, WIDTH / 2 - 0.5), (0, FOCAL_PX, HEIGHT / 2 - 0.5), (0, 0, 1)])
    matrix: Vector = lens @ np.column_stack((rotation[:, 0], rotation[:, 1], (x, y, z)))
    return matrix


def seen_at(matrix: Vector, points: Vector) -> Vector:
    """Where the points, shape (n, 2), are after a projection."""
    mapped = np.column_stack((points, np.ones(len(points)))) @ matrix.T
    pixels: Vector = mapped[:, :2] / mapped[:, 2:]
    return pixels


def symbol(text: bytes, *, error: str = "m") -> Modules:
    """The code's modules, True where dark."""
    code = segno.make_qr(text, error=error, boost_error=False, encoding=None)
    return np.array([[bool(cell) for cell in row] for row in code.matrix])
