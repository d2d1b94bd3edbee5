"""What the camera sees of a person: pictures of 1280 x 720 grey, made in linear light.

A flat card is drawn once in its own plane; for each frame it is seen through the pinhole, blurred by lens,
distance and movement together, lit, mirrored in, given shot and read noise and the sRGB curve. Only the
region of the card is made anew; behind it stands a still background in four noisy versions.

Not modelled: the rolling shutter's skew, bent cards, colours, the hand's own shadow, people behind.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

from bench.lane.card import FULL, draw
from bench.lane.hand import (
    FOCAL_PX,
    FRAMES_PER_SECOND,
    HEIGHT,
    WIDTH,
    Lamp,
    Person,
    Thing,
    projection,
    seen_at,
)

if TYPE_CHECKING:
    import numpy.typing as npt

    from bench.lane.card import Face
    from bench.lane.hand import Vector

    Luma: TypeAlias = npt.NDArray[np.uint8]
    Plane: TypeAlias = npt.NDArray[np.float32]

PAPER_WHITE = 0.7
"""Linear level the automatic gain gives paper white; 1 is where the sensor ends."""

FULL_WELL = 26_000.0
"""Electrons at full scale and gain 1: some 4,500 in each of the 2.4 x 2.4 sensor pixels behind one here."""

READ_NOISE = 7.0
"""Electrons, of the same pixels together: 3 each."""

LENS_SIGMA_PX = 0.5
"""Blur of lens, colour filter and scaling together, at best focus. Assumed."""

TEXELS_PER_PIXEL = 1.5
"""How finely the card is sampled: finer makes moire of print, coarser blurs it."""

SCREEN_PIXEL_MM = 0.06
"""About 420 pixels an inch."""

FLICKER_HZ = 241.3
"""Dim OLED screens are switched on and off some 240 times a second; no multiple of 30, so the bands roll."""

READOUT_S = 0.015
"""From the first row to the last of a rolling shutter."""

BACKGROUND_VERSIONS = 4
"""The same scene with other noise."""

TONES = 4096
"""Steps of the curve from linear light to grey."""


class Showing:
    """The frames of one person; frame 0 is taken when the hand sets out, earlier ones are empty.

    The same person gives the same frames, in whatever order they are asked for.
    """

    def __init__(self, person: Person) -> None:
        self.person = person
        rng = np.random.default_rng((person.seed, 11))
        self._card = draw(person, rng)
        self._light = _light(rng, person)
        self._scene = _background(rng) * self._light
        self._empty = [self._develop(self._scene, (0, 0), -1 - n) for n in range(BACKGROUND_VERSIONS)]
        self._beat = rng.uniform(0, 2 * math.pi, 2)

    def luma(self, index: int) -> Luma:
        """The frame of that index, taken at index / 30 s."""
        at_s = index / FRAMES_PER_SECOND
        luma = self._empty[index % BACKGROUND_VERSIONS].copy()
        matrix = projection(self.person.pose(at_s))
        psf = self._blur(at_s)
        box = self._box(matrix, psf.shape[0] // 2 + 2)
        if index < 0 or box is None:
            return luma
        left, top, right, bottom = box
        seen = cv2.filter2D(self._seen(matrix, box), -1, psf, borderType=cv2.BORDER_REPLICATE)
        light, cover = seen[..., 0], seen[..., 1]
        region = np.s_[top:bottom, left:right]
        if self.person.thing is Thing.PHONE:
            light = light * self._screen(matrix, box, at_s)
        else:
            light = light * self._light[region]
        picture = self._scene[region] * (1 - cover) + PAPER_WHITE * (light + self._glare(box, at_s) * cover)
        luma[region] = self._develop(picture, (left, top), index)
        return luma

    def _blur(self, at_s: float) -> Plane:
        across, down = (round(2 * float(v)) for v in self.person.smear_px(at_s))
        return spread(round(4 * self.person.defocus_px(at_s)), across, down)

    def _box(self, matrix: Vector, margin: int) -> tuple[int, int, int, int] | None:
        """The part of the picture that the thing may cover: left, top, right, bottom; None outside."""
        face, scale, (x, y) = self._card
        h, w = face.shape[:2]
        edges = np.array([(0, 0), (w, 0), (w, h), (0, h)]) / scale - (x, y)
        corners = seen_at(matrix, edges)
        low, high = corners.min(axis=0) - margin, corners.max(axis=0) + margin
        left, top = max(0, int(low[0])), max(0, int(low[1]))
        right, bottom = min(WIDTH, int(high[0]) + 1), min(HEIGHT, int(high[1]) + 1)
        return (left, top, right, bottom) if right > left and bottom > top else None

    def _seen(self, matrix: Vector, box: tuple[int, int, int, int]) -> Plane:
        """Light and cover before any blur."""
        face, scale, (x, y) = self._card
        coarser = max(1.0, scale / (FOCAL_PX / matrix[2, 2]) / TEXELS_PER_PIXEL)
        steps = round(math.log(coarser, 1.15))
        small = self._smaller(steps)
        fx, fy = small.shape[1] / face.shape[1], small.shape[0] / face.shape[0]
        to_mm = np.array([(1 / fx / scale, 0, -x), (0, 1 / fy / scale, -y), (0, 0, 1)])
        middle = np.array([(1, 0, 0.5), (0, 1, 0.5), (0, 0, 1)])  # of a texel, where it is sampled
        shift = np.array([(1, 0, -box[0]), (0, 1, -box[1]), (0, 0, 1)])
        size = (box[2] - box[0], box[3] - box[1])
        seen: Face = cv2.warpPerspective(small, shift @ matrix @ to_mm @ middle, size, flags=cv2.INTER_LINEAR)
        return seen.astype(np.float32) / np.float32(FULL)

    @functools.lru_cache(maxsize=4)  # noqa: B019 - a showing lives as long as its person
    def _smaller(self, steps: int) -> Face:
        share = 1.15**-steps
        small: Face = cv2.resize(self._card.face, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
        return small

    def _screen(self, matrix: Vector, box: tuple[int, int, int, int], at_s: float) -> Plane:
        """What becomes of a screen's light: beats of its pixels with the sensor's, bands of its flicker."""
        left, top, right, bottom = box
        xs, ys = np.arange(left, right, dtype=np.float32), np.arange(top, bottom, dtype=np.float32)
        here, right_of, below = seen_at(
            matrix, np.array([(0.0, 0.0), (SCREEN_PIXEL_MM, 0), (0, SCREEN_PIXEL_MM)])
        )
        pitch = np.column_stack((right_of - here, below - here))
        waves = np.linalg.inv(pitch)  # of the screen's rows and columns, per picture pixel
        waves -= np.round(waves)  # what the sensor's own grid makes of them
        beat = np.ones((len(ys), len(xs)), np.float32)
        share = self.person.look.moire / 2
        for (wx, wy), phase in zip(2 * np.pi * waves, self._beat, strict=True):
            down, across = (wy * ys + phase).astype(np.float32), (wx * xs).astype(np.float32)
            wave = np.outer(np.cos(down), np.cos(across)) - np.outer(np.sin(down), np.sin(across))
            beat *= 1 + np.float32(share) * wave
        return beat * self._bands(ys.astype(np.float64), at_s)[:, None]

    def _bands(self, rows: Vector, at_s: float) -> Plane:
        """Share of its light that a flickering screen gives each row during the exposure."""
        dark = self.person.look.flicker
        begins = (at_s + rows * READOUT_S / HEIGHT) * FLICKER_HZ
        ends = begins + self.person.look.exposure_s * FLICKER_HZ

        def lit(until: Vector) -> Vector:
            """Periods lit until then: the screen is dark at the beginning of each."""
            whole = np.floor(until)
            periods: Vector = whole * (1 - dark) + np.maximum(until - whole - dark, 0)
            return periods

        share: Plane = ((lit(ends) - lit(begins)) / (ends - begins) / (1 - dark)).astype(np.float32)
        return share

    def _glare(self, box: tuple[int, int, int, int], at_s: float) -> Plane:
        """The lamp's image in the glossy surface: it moves twice as far as the surface turns."""
        left, top, right, bottom = box
        lamp = self.person.look.lamp or Lamp(0, 0, 1, 0)
        _, _, _, _, pitch, yaw = self.person.pose(at_s)
        x = WIDTH / 2 + FOCAL_PX * (lamp.across + 2 * yaw)
        y = HEIGHT / 2 + FOCAL_PX * (lamp.down - 2 * pitch)
        sigma = FOCAL_PX * lamp.width
        row = lamp.strength * np.exp(-(((np.arange(left, right) - x) / sigma) ** 2) / 2)
        column = np.exp(-(((np.arange(top, bottom) - y) / sigma) ** 2) / 2)
        spot: Plane = np.outer(column.astype(np.float32), row.astype(np.float32))
        return spot

    def _develop(self, linear: Plane, at: tuple[int, int], index: int) -> Luma:
        """Noise, the sensor's end, and the sRGB curve."""
        gain = self.person.look.gain
        height, width = linear.shape
        jump = np.random.default_rng((self.person.seed, index & 0xFFFF)).integers(0, 256, 2)
        noise = _noise()[at[1] + jump[0] :, at[0] + jump[1] :][:height, :width]
        electrons = np.maximum(linear, 0) * (FULL_WELL / gain)
        noisy = linear + noise * cv2.sqrt(electrons + READ_NOISE**2) * (gain / FULL_WELL)
        steps = np.clip(noisy * (TONES - 1), 0, TONES - 1, out=noisy).astype(np.uint16)
        luma: Luma = _curve().take(steps)
        return luma


def _light(rng: np.random.Generator, person: Person) -> Plane:
    """Illumination over the picture, 1 on average: a slope, and a shadow's edge near its middle."""
    x, y = np.meshgrid(np.linspace(-0.5, 0.5, WIDTH), np.linspace(-0.5, 0.5, HEIGHT))
    light = 1 + rng.uniform(-0.25, 0.25) * x + rng.uniform(-0.25, 0.25) * y
    if person.look.shadow < 1:
        turn = rng.uniform(0, 2 * math.pi)
        edge = (x * WIDTH * math.cos(turn) + y * HEIGHT * math.sin(turn)) / rng.uniform(3, 15)
        light *= person.look.shadow + (1 - person.look.shadow) / (1 + np.exp(-np.clip(edge, -50, 50)))
    return light.astype(np.float32)


def _background(rng: np.random.Generator) -> Plane:
    """A hall out of focus: walls, doors, lamps, other people's clothes."""
    coarse = rng.uniform(0.03, 0.25, (6, 9)).astype(np.float32)
    scene = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    for _ in range(12):
        x, y, w, h = (int(v) for v in rng.uniform((0, 0, 20, 40), (WIDTH, HEIGHT, 300, 500)))
        cv2.rectangle(scene, (x, y), (x + w, y + h), float(rng.uniform(0.01, 0.45)), -1)
    body = int(rng.uniform(0.3, 0.7) * WIDTH)
    cv2.ellipse(scene, (body, HEIGHT + 60), (330, 420), 0, 0, 360, float(rng.uniform(0.02, 0.3)), -1)
    blurred: Plane = cv2.GaussianBlur(scene, (0, 0), 7)
    return np.clip(blurred, 0.003, 1)


@functools.lru_cache(maxsize=512)
def spread(disc: int, across: int, down: int) -> Plane:
    """What becomes of a point: lens, disc of defocus (diameter in quarter pixels), smear (half pixels).

    The sum is 1. Drawn four times finer than a pixel.
    """
    fine, radius = 4, disc / 8
    reach = math.hypot(across, down) / 4
    side = 2 * math.ceil(radius + reach + 3 * LENS_SIGMA_PX) + 1
    middle = side * fine // 2
    smear = np.zeros((side * fine, side * fine), np.float32)
    dx, dy = across / 4 * fine, down / 4 * fine
    ends = ((int(middle - dx), int(middle - dy)), (int(middle + dx), int(middle + dy)))
    cv2.line(smear, *ends, 1.0, 1)
    if radius > 0.25:
        ys, xs = np.mgrid[-middle : middle + 1, -middle : middle + 1]
        smear = cv2.filter2D(
            smear, -1, (np.hypot(xs, ys) <= radius * fine).astype(np.float32), borderType=cv2.BORDER_CONSTANT
        )
    smear = cv2.GaussianBlur(smear, (0, 0), LENS_SIGMA_PX * fine)
    point = cv2.resize(smear, (side, side), interpolation=cv2.INTER_AREA)
    share: Plane = point / point.sum()
    return share


@functools.cache
def _noise() -> Plane:
    """One field of normal noise, larger than a frame by the jumps it is shifted by."""
    return np.random.default_rng(1).standard_normal((HEIGHT + 256, WIDTH + 256), np.float32)


@functools.cache
def _curve() -> Luma:
    """From linear steps to 8-bit sRGB (IEC 61966-2-1)."""
    linear = np.linspace(0, 1, TONES)
    srgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.round(srgb * 255).astype(np.uint8)
