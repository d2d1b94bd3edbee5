"""Pictures in which nothing may be read but what is there: noise, textures, print, and codes beyond repair.

Every picture follows from its number alone. Half of the kinds look nothing like a code; the others are made
to be mistaken for one: other symbologies, finder patterns in heaps, symbols that have everything but data,
and real ones that are half drawn, scratched or drowned in noise.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np
import segno
import zxingcpp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy.typing as npt

    Plane: TypeAlias = npt.NDArray[np.float32]
    Dark: TypeAlias = npt.NDArray[np.bool_]
    Rng: TypeAlias = np.random.Generator
    # Grey levels about 128, and the text of the code in it; empty where there is none.
    Scene: TypeAlias = tuple[Plane, str]

WIDTH, HEIGHT = 640, 360
"""A quarter of a frame: what a region of one looks like, at a quarter of the price."""

_FORMATS = zxingcpp.BarcodeFormat
_OTHERS = (
    *((f, "123456789012") for f in (_FORMATS.Code128, _FORMATS.Code39, _FORMATS.ITF, _FORMATS.EAN13)),
    *((f, "gate 17") for f in (_FORMATS.DataMatrix, _FORMATS.Aztec, _FORMATS.PDF417)),
    *((f, "12345") for f in (_FORMATS.MicroQRCode, _FORMATS.RMQRCode)),
)
"""Codes that are not ours."""

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIKLMNOPQRSTUVWXYZ0123456789.,:;|-#    "
_FACES = (cv2.FONT_HERSHEY_PLAIN, cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_TRIPLEX)
_FINDER = np.array([[max(abs(x - 3), abs(y - 3)) != 2 for x in range(7)] for y in range(7)])
"""A finder pattern's dark modules: all but the second ring from outside."""


def _plain(level: float = 128) -> Plane:
    return np.full((HEIGHT, WIDTH), level, np.float32)


# -- without a code -------------------------------------------------------------------------------


def _white(rng: Rng) -> Scene:
    return rng.normal(128, rng.uniform(5, 60), (HEIGHT, WIDTH)).astype(np.float32), ""


def _pink(rng: Rng) -> Scene:
    """As strong at every scale: clouds, marble, dirt."""
    down, across = np.fft.fftfreq(HEIGHT)[:, None], np.fft.rfftfreq(WIDTH)[None, :]
    fall = np.hypot(down, across)
    fall[0, 0] = 1
    waves = np.fft.rfft2(rng.normal(0, 1, (HEIGHT, WIDTH))) / fall ** rng.uniform(0.5, 1.5)
    plane = np.fft.irfft2(waves, (HEIGHT, WIDTH))
    return (128 + plane / plane.std() * rng.uniform(20, 60)).astype(np.float32), ""


def _blocks(rng: Rng) -> Scene:
    """Random modules without any pattern, of a few pixels each."""
    size = int(rng.integers(2, 13))
    cells = rng.random((HEIGHT // size + 1, WIDTH // size + 1))
    if rng.random() < 0.7:
        cells = np.where(cells > rng.uniform(0.3, 0.7), 1.0, 0.0)
    grown = np.kron(cells, np.ones((size, size)))[:HEIGHT, :WIDTH]
    return (128 + (grown - 0.5) * rng.uniform(60, 250)).astype(np.float32), ""


def _bricks(rng: Rng) -> Scene:
    plane, high = _plain(200), int(rng.integers(8, 40))
    wide, joint = int(high * rng.uniform(1, 3)), max(1, high // 8)
    for row, top in enumerate(range(0, HEIGHT, high)):
        for left in range(-wide if row % 2 == 0 else -wide // 2, WIDTH, wide):
            brick = (max(left, 0), top), (left + wide - joint, top + high - joint)
            cv2.rectangle(plane, *brick, float(rng.normal(90, 25)), -1)
    return plane, ""


def _cloth(rng: Rng) -> Scene:
    """Threads over and under: small squares that alternate, like modules."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    turn, pitch = rng.uniform(0, np.pi), rng.uniform(4, 24)
    u, v = (x * np.cos(turn) + y * np.sin(turn)) / pitch, (y * np.cos(turn) - x * np.sin(turn)) / pitch
    weave = np.sin(u * np.pi) * np.sin(v * np.pi * rng.uniform(0.8, 1.2))
    weave = np.sign(weave) * np.abs(weave) ** rng.uniform(0.1, 1)
    checks = rng.normal(0, 25, (HEIGHT // 30 + 1, WIDTH // 30 + 1)).repeat(30, 0).repeat(30, 1)
    return (128 + weave * rng.uniform(20, 90) + checks[:HEIGHT, :WIDTH]).astype(np.float32), ""


def _foliage(rng: Rng) -> Scene:
    """Leaves before leaves, down to gravel."""
    plane, largest = _plain(60), rng.uniform(4, 40)
    for _ in range(900):
        centre = (int(rng.integers(0, WIDTH)), int(rng.integers(0, HEIGHT)))
        axes = (max(1, int(largest * rng.uniform(0.2, 1))), max(1, int(largest * rng.uniform(0.1, 0.6))))
        cv2.ellipse(plane, centre, axes, float(rng.uniform(0, 180)), 0, 360, float(rng.uniform(10, 240)), -1)
    return plane, ""


def _print(rng: Rng) -> Scene:
    """Lines of letters: newspapers, forms, number plates."""
    plane, scale = _plain(230), float(rng.uniform(0.4, 2.5))
    thick, face = max(1, round(scale * rng.uniform(0.8, 2))), int(rng.choice(_FACES))
    pitch = int(cv2.getTextSize("Hg", face, scale, thick)[0][1] * rng.uniform(1.2, 2)) + 2
    for bottom in range(pitch, HEIGHT + pitch, pitch):
        line = "".join(rng.choice(list(_LETTERS), 70))
        cv2.putText(plane, line, (0, bottom), face, scale, 30.0, thick, cv2.LINE_AA)
    return plane, ""


# -- almost a code --------------------------------------------------------------------------------


def _barcodes(rng: Rng) -> Scene:
    plane = _plain(float(rng.uniform(150, 250)))
    for _ in range(int(rng.integers(1, 4))):
        form, text = _OTHERS[int(rng.integers(len(_OTHERS)))]
        drawn = zxingcpp.write_barcode_to_image(zxingcpp.create_barcode(text, form))
        picture = cv2.resize(np.array(drawn), None, fx=rng.uniform(1, 4), fy=rng.uniform(1, 4))
        _put(plane, picture.astype(np.float32), rng)
    return plane, ""


def _finders(rng: Rng) -> Scene:
    """Finder patterns in heaps, on random modules or on paper."""
    plane = _blocks(rng)[0] if rng.random() < 0.5 else _plain(220)
    size = int(rng.integers(2, 8))
    ringed = np.pad(_FINDER, 1, constant_values=False)
    for _ in range(int(rng.integers(3, 60))):
        _put(plane, _drawn(ringed, size + int(rng.integers(0, 2)), 0), rng)
    return plane, ""


def _hollow(rng: Rng) -> Scene:
    """All that makes a QR code but random words for data: nothing can be read there."""
    dark, _ = _symbol(rng)
    side = dark.shape[0]
    inside = np.ones_like(dark)
    inside[:9, :9] = inside[:9, -8:] = inside[-8:, :9] = False
    inside[6, :] = inside[:, 6] = False
    if side > 21:
        inside[-9:-4, -9:-4] = False
    random = rng.random((side, side)) < rng.uniform(0.4, 0.6)
    return _shown(np.where(inside, random, dark), rng), ""


def _symbol(rng: Rng) -> tuple[Dark, str]:
    """A real code: digits as short as a till's, or a text as long as a pass."""
    digits = rng.random() < 0.6
    length = int(rng.integers(1, 14)) if digits else int(rng.integers(4, 120))
    text = "".join(rng.choice(list("0123456789" if digits else _LETTERS.rstrip()), length)) or "0"
    made = segno.make_qr(text, error=str(rng.choice(list("lmqh"))), boost_error=False)
    return np.array(made.matrix, dtype=bool), text


def _drawn(dark: Dark, module_px: float, margin: int = 4) -> Plane:
    light = np.where(np.pad(dark, margin), np.float32(20), np.float32(225))
    size = max(4, round(light.shape[0] * module_px))
    method = cv2.INTER_AREA if module_px < 2 else cv2.INTER_NEAREST
    big = cv2.resize(np.kron(light, np.ones((4, 4), np.float32)), (size, size), interpolation=method)
    return np.asarray(big, np.float32)


def _put(plane: Plane, picture: Plane, rng: Rng) -> None:
    """Lays the picture somewhere on the plane, cut off where it does not fit."""
    picture = picture[:HEIGHT, :WIDTH]
    top, left = (int(rng.integers(0, room + 1)) for room in np.subtract(plane.shape, picture.shape))
    plane[top : top + picture.shape[0], left : left + picture.shape[1]] = picture


def _shown(dark: Dark, rng: Rng) -> Plane:
    """A symbol somewhere in the picture, as large as fits or a third of it."""
    plane = _plain(float(rng.uniform(80, 225)))
    most = (HEIGHT - 1) / (dark.shape[0] + 8)
    _put(plane, _drawn(dark, float(rng.uniform(min(1.2, most), min(8.0, most)))), rng)
    return plane


def _half(rng: Rng) -> Scene:
    """A code of which a part was never drawn, or is covered."""
    dark, text = _symbol(rng)
    side, share = dark.shape[0], rng.uniform(0.02, 0.6)
    hidden = np.zeros_like(dark)
    if rng.random() < 0.5:
        hidden[: int(side * share)] = True
        hidden = np.rot90(hidden, int(rng.integers(4)))
    else:  # the corner without a finder
        hidden[side - int(side * share) :, side - int(side * share) :] = True
    cover = rng.random(dark.shape) < 0.5 if rng.random() < 0.5 else np.full(dark.shape, rng.random() < 0.5)
    return _shown(np.where(hidden, cover, dark), rng), text


def _scratched(rng: Rng) -> Scene:
    """A code with random modules of the wrong colour, from what is corrected to what is lost."""
    dark, text = _symbol(rng)
    wrong = rng.random(dark.shape) < rng.uniform(0.01, 0.25)
    wrong[:9, :9] = wrong[:9, -8:] = wrong[-8:, :9] = False  # or it would not be seen at all
    return _shown(dark ^ wrong, rng), text


def _drowned(rng: Rng) -> Scene:
    """A code in more and more noise."""
    dark, text = _symbol(rng)
    faint = (_shown(dark, rng) - 128) * rng.uniform(0.05, 1) + 128
    return (faint + rng.normal(0, rng.uniform(5, 90), faint.shape)).astype(np.float32), text


_KINDS: Mapping[str, Callable[[Rng], Scene]] = {
    "white noise": _white,
    "pink noise": _pink,
    "block noise": _blocks,
    "bricks": _bricks,
    "cloth": _cloth,
    "foliage": _foliage,
    "print": _print,
    "other barcodes": _barcodes,
    "finder patterns": _finders,
    "hollow symbols": _hollow,
    "half symbols": _half,
    "scratched symbols": _scratched,
    "drowned symbols": _drowned,
}


def _seen(plane: Plane, rng: Rng) -> npt.NDArray[np.uint8]:
    """As a camera sees it, now and then aslant, soft or faint; never without noise."""
    if rng.random() < 0.5:
        corners = np.array([(0, 0), (WIDTH, 0), (WIDTH, HEIGHT), (0, HEIGHT)], np.float32)
        moved = corners + rng.uniform(-0.12, 0.12, (4, 2)).astype(np.float32) * (WIDTH, HEIGHT)
        warp = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
        mirror = cv2.BORDER_REFLECT
        plane = np.asarray(cv2.warpPerspective(plane, warp, (WIDTH, HEIGHT), borderMode=mirror), np.float32)
    if rng.random() < 0.4:
        plane = np.asarray(cv2.GaussianBlur(plane, (0, 0), rng.uniform(0.4, 3)), np.float32)
    plane = (plane - 128) * rng.uniform(0.15, 1) + rng.uniform(60, 190)
    noise = rng.normal(0, rng.uniform(0.5, 12), plane.shape)
    return np.clip(plane + noise, 0, 255).astype(np.uint8)


@functools.cache
def kinds() -> tuple[str, ...]:
    """What there is, in the order in which the numbers go round."""
    return tuple(_KINDS)


def clutter(number: int) -> tuple[str, str, npt.NDArray[np.uint8]]:
    """The picture of this number: its kind, the text of the code in it or nothing, and what is seen."""
    rng = np.random.default_rng(number)
    kind = kinds()[number % len(kinds())]
    plane, text = _KINDS[kind](rng)
    return kind, text, _seen(plane, rng)
