"""Draws the scene of `story` as numbered JPEG files, as a fixed camera at the gate would see it.

Deterministic: the same pictures on every machine, as far as JPEG encoders agree. Each thing is drawn once
and then only moved, turned and blended, which keeps the whole scene at a few seconds of work.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from device.demo.story import TAIL_S, Showing, story

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from device.demo.story import Look, Pose

    Plane = npt.NDArray[np.uint8]
    Matrix = npt.NDArray[np.float64]

WIDTH, HEIGHT = 1280, 720
RISE_S, FALL_S = 0.55, 0.5
"""A hand comes up and goes down in about half a second."""

FOCAL_PX = 1065.0
"""A 62 degree wide lens at 1280 px, the module's standard lens."""

DISTANCE_PX = 1400.0
"""How far away things are held, in their own pixels: how strongly a tilt converges."""

NOISE_SIGMA = 2.2
"""Grey levels of sensor noise in good light."""

JPEG_QUALITY = 88
SMALL = (96, 54)
"""Width and height of the pictures kept for the terminal, px."""

TILE = (480, 270)
"""Width and height of one picture of the contact sheet, px."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """The drawn scene.

    Attributes:
        folder: holds one JPEG for each frame, in order of name.
        frames: how many.
        frames_per_second: the rate they are meant for.
        showings: what is in them.
        small: each frame again, `SMALL`, for the terminal.
    """

    folder: Path
    frames: int
    frames_per_second: float
    showings: tuple[Showing, ...]
    small: tuple[Plane, ...]

    @property
    def duration_s(self) -> float:
        """How long the scene takes at its own rate."""
        return self.frames / self.frames_per_second


def draw(
    folder: Path, *, frames_per_second: float, progress: Callable[[int, int], None] = lambda _done, _all: None
) -> Scene:
    """Draws every frame into `folder`, which exists and is empty. Takes seconds.

    Args:
        folder: where.
        frames_per_second: how finely time is cut; 12 is smooth and takes seconds to draw.
        progress: told the frames done and all frames, after each.
    """
    showings = story()
    stage = Stage(showings)
    frames = math.ceil((max(leaves_s(s) for s in showings) + TAIL_S) * frames_per_second)
    small = []
    for index in range(frames):
        picture = stage.picture(index / frames_per_second)
        _, data = cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY))
        (folder / f"{index:05d}.jpg").write_bytes(data.tobytes())
        small.append(cv2.resize(picture, SMALL, interpolation=cv2.INTER_AREA))
        progress(index + 1, frames)
    return Scene(folder, frames, frames_per_second, showings, tuple(small))


def contact_sheet(columns: int = 4) -> bytes:
    """One JPEG of the empty gate and each showing at its best moment, for a page of documentation."""
    showings = story()
    stage = Stage(showings)
    moments = [0.0]
    for showing in showings:
        best_s = showing.starts_s + RISE_S + showing.holds_s / 2
        if best_s - moments[-1] > 1:  # people side by side are in one picture
            moments.append(best_s)
    tiles = [cv2.resize(stage.picture(m), TILE, interpolation=cv2.INTER_AREA) for m in moments]
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % columns)
    rows = [np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)]
    _, data = cv2.imencode(".jpg", np.vstack(rows), (cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY))
    return bytes(data)


def leaves_s(showing: Showing) -> float:
    """When the hand of this showing is out of the picture again."""
    return showing.starts_s + RISE_S + showing.holds_s + FALL_S


@dataclass(frozen=True, slots=True, eq=False)
class _Layer:
    """Something to lay over a picture: its light already weighted, and how much shines through."""

    light: Plane
    through: Plane

    def over(self, picture: Plane, x: int, y: int) -> None:
        """Lays the layer over the picture with its top left at (x, y); what sticks out is cut off."""
        height, width = self.light.shape
        left, top, right, bottom = (
            max(0, x),
            max(0, y),
            min(picture.shape[1], x + width),
            min(picture.shape[0], y + height),
        )
        if left >= right or top >= bottom:
            return
        part = (slice(top - y, bottom - y), slice(left - x, right - x))
        under = picture[top:bottom, left:right]
        shining = cv2.multiply(under, self.through[part], scale=1 / 255)
        picture[top:bottom, left:right] = cv2.add(shining, self.light[part])


class Stage:
    """Everything drawn once: the place, the people, the things; `picture` puts a moment together."""

    def __init__(self, showings: Sequence[Showing]) -> None:
        self._showings = tuple(showings)
        self._place = _place()
        self._people = [_person(s.look) for s in showings]
        self._things = [_thing(s) for s in showings]
        rng = np.random.default_rng(1)
        grain = rng.normal(0, NOISE_SIGMA, (HEIGHT + 128, WIDTH + 128))
        self._brighter = np.clip(grain, 0, 255).astype(np.uint8)
        self._darker = np.clip(-grain, 0, 255).astype(np.uint8)

    def picture(self, at_s: float) -> Plane:
        """The camera's picture at a moment, 1280x720."""
        picture = self._place.copy()
        present = [i for i, s in enumerate(self._showings) if s.starts_s - 0.4 < at_s < leaves_s(s) + 0.4]
        for i in present:
            showing = self._showings[i]
            away = 1 - _presence(at_s, showing.starts_s - 0.4, 0.7, leaves_s(showing) - 0.3)
            side = -1 if showing.look.x < WIDTH // 2 else 1
            person = self._people[i]
            left = showing.look.x - person.light.shape[1] // 2 + round(side * away * 1000)
            person.over(picture, left, HEIGHT - person.light.shape[0])
        for i in present:
            self._hold(picture, i, at_s)
        return self._with_grain(picture, at_s)

    def _hold(self, picture: Plane, index: int, at_s: float) -> None:
        showing, thing = self._showings[index], self._things[index]
        since = at_s - showing.starts_s
        lowered = 1 - _presence(at_s, showing.starts_s, RISE_S, leaves_s(showing) - FALL_S)
        sway_x = 5 * math.sin(2.1 * since + index) + 2 * math.sin(7.3 * since)
        sway_y = 4 * math.sin(2.9 * since + 2 * index)
        matrix = _projection(showing.pose, showing.prop.anchor, sway_x, sway_y + lowered * 900)
        matrix, (left, top, width, height) = _cropped(matrix, thing.light.shape)
        if width > 0 and height > 0:
            light = cv2.warpPerspective(thing.light, matrix, (width, height), flags=cv2.INTER_LINEAR)
            through = cv2.warpPerspective(
                thing.through, matrix, (width, height), flags=cv2.INTER_LINEAR, borderValue=255
            )
            _Layer(light, through).over(picture, left, top)

    def _with_grain(self, picture: Plane, at_s: float) -> Plane:
        step = round(at_s * 100)
        y, x = step * 37 % 128, step * 61 % 128
        window = (slice(y, y + HEIGHT), slice(x, x + WIDTH))
        return np.asarray(
            cv2.subtract(cv2.add(picture, self._brighter[window]), self._darker[window]), np.uint8
        )


def _presence(at_s: float, begins_s: float, takes_s: float, ends_s: float) -> float:
    """0 away, 1 there; eased, coming within `takes_s` of `begins_s` and going within FALL_S of `ends_s`."""
    coming = min(1.0, max(0.0, (at_s - begins_s) / takes_s))
    going = min(1.0, max(0.0, (at_s - ends_s) / FALL_S))
    part = min(coming, 1 - going)
    return part * part * (3 - 2 * part)


def _projection(pose: Pose, anchor: tuple[int, int], dx: float, dy: float) -> Matrix:
    """The homography from the thing's own pixels to the picture, for a pinhole camera."""
    yaw, pitch, roll = (math.radians(a) for a in (pose.yaw, pose.pitch, pose.roll))
    about_y = np.array([[math.cos(yaw), 0, math.sin(yaw)], [0, 1, 0], [-math.sin(yaw), 0, math.cos(yaw)]])
    about_x = np.array(
        [[1, 0, 0], [0, math.cos(pitch), -math.sin(pitch)], [0, math.sin(pitch), math.cos(pitch)]]
    )
    about_z = np.array([[math.cos(roll), -math.sin(roll), 0], [math.sin(roll), math.cos(roll), 0], [0, 0, 1]])
    turn = about_z @ about_x @ about_y
    depth = DISTANCE_PX
    plane = np.column_stack([turn[:, 0], turn[:, 1], (0, 0, depth)])
    zoom = pose.scale * depth
    camera = np.array([[zoom, 0, pose.x + dx], [0, zoom, pose.y + dy], [0, 0, 1.0]])
    to_anchor = np.array([[1, 0, -anchor[0]], [0, 1, -anchor[1]], [0, 0, 1.0]])
    return np.asarray(camera @ plane @ to_anchor)


def _cropped(matrix: Matrix, shape: tuple[int, ...]) -> tuple[Matrix, tuple[int, int, int, int]]:
    """The homography moved to the smallest window of the picture that holds the thing, and the window."""
    height, width = shape[0], shape[1]
    corners = np.array([[[0, 0], [width, 0], [width, height], [0, height]]], np.float64)
    seen = cv2.perspectiveTransform(corners, matrix)[0]
    left, top = (max(0, math.floor(v)) for v in seen.min(axis=0))
    right, bottom = (math.ceil(v) for v in seen.max(axis=0))
    window = (left, top, min(right, WIDTH) - left, min(bottom, HEIGHT) - top)
    return np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1.0]]) @ matrix, window


def _thing(showing: Showing) -> _Layer:
    luma, alpha = showing.prop.luma, showing.prop.alpha
    if showing.blur_px:
        luma = cv2.GaussianBlur(luma, (0, 0), showing.blur_px)
    return _Layer(cv2.multiply(luma, alpha, scale=1 / 255), cv2.bitwise_not(alpha))


def _person(look: Look) -> _Layer:
    """Head and shoulders, far out of focus behind what is held up."""
    height, width = round(660 * look.height), 760
    luma, alpha = np.full((height, width), look.coat, np.uint8), np.zeros((height, width), np.uint8)
    middle, chin = width // 2, round(height * 0.46)
    for plane, coat, hair, skin in ((luma, look.coat, look.hair, 162), (alpha, 255, 255, 255)):
        cv2.ellipse(
            plane, (middle, height + 60), (290, height - chin + 20), 0, 180, 360, coat, -1, cv2.LINE_AA
        )
        cv2.rectangle(plane, (middle - 46, chin - 60), (middle + 46, chin + 60), skin, -1)
        cv2.ellipse(plane, (middle, chin - 130), (112, 142), 0, 0, 360, hair, -1, cv2.LINE_AA)
        cv2.ellipse(plane, (middle, chin - 100), (88, 116), 0, 0, 360, skin, -1, cv2.LINE_AA)
    luma, alpha = (cv2.GaussianBlur(plane, (0, 0), 11) for plane in (luma, alpha))
    return _Layer(cv2.multiply(luma, alpha, scale=1 / 255), cv2.bitwise_not(alpha))


def _place() -> Plane:
    """A forecourt in daylight with a gate in it, out of focus."""
    picture = np.empty((HEIGHT, WIDTH), np.uint8)
    picture[:] = np.linspace(198, 150, HEIGHT)[:, np.newaxis]
    cv2.rectangle(picture, (0, 250), (WIDTH, 520), 128, -1)
    for x in range(30, WIDTH, 86):
        cv2.rectangle(picture, (x, 130), (x + 16, 520), 84, -1)
    cv2.rectangle(picture, (0, 120), (WIDTH, 146), 76, -1)
    cv2.rectangle(picture, (0, 520), (WIDTH, HEIGHT), 112, -1)
    cv2.rectangle(picture, (1030, 60), (1190, 560), 206, -1)
    cv2.rectangle(picture, (1056, 90), (1164, 300), 232, -1)
    picture = cv2.GaussianBlur(picture, (0, 0), 12)
    ys, xs = np.mgrid[-1 : 1 : HEIGHT * 1j, -1 : 1 : WIDTH * 1j]
    shade = 1 - 0.22 * (xs**2 + ys**2)
    return np.asarray(picture * shade, np.uint8)
