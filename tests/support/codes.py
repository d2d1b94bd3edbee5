"""Pictures of codes for tests: drawn by segno, put into a scene and spoilt by OpenCV.

Everything is deterministic: the same arguments give the same picture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import segno

if TYPE_CHECKING:
    import numpy.typing as npt

    Luma = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Held:
    """How a code is held up.

    Attributes:
        module_px: size of a module at the middle of the code.
        turn_deg: rotation in the picture's plane.
        tilt_deg: how far the card leans away from the camera.
        blur_px: sigma of a Gaussian blur.
        light: 1 is well lit; 0.1 a tenth of it.
        noise: standard deviation of sensor noise, grey levels.
        inverted: light modules on a dark ground, as phones in dark mode show them.
        seed: of the noise.
    """

    module_px: float = 4.0
    turn_deg: float = 0.0
    tilt_deg: float = 0.0
    blur_px: float = 0.0
    light: float = 1.0
    noise: float = 0.0
    inverted: bool = False
    seed: int = 1


def code(content: str | bytes, *, error: str = "m", scale: int = 4, border: int = 4) -> Luma:
    """The plain symbol, black on white, `scale` pixels a module, `border` modules of margin."""
    mode = "byte" if isinstance(content, bytes) else None  # left to itself, segno takes some bytes for kanji
    return _draw(segno.make_qr(content, error=error, boost_error=False, mode=mode), scale, border)


def micro_code(content: str, *, scale: int = 4) -> Luma:
    """A Micro QR symbol: not a code this project takes."""
    return _draw(segno.make_micro(content), scale, 4)


def structured_append(content: str, parts: int, *, scale: int = 4) -> list[Luma]:
    """One text spread over several symbols: no part is a code by itself."""
    return [_draw(q, scale, 4) for q in segno.make_sequence(content, symbol_count=parts)]


def scene(
    *symbols: tuple[Luma, tuple[int, int], Held],
    width: int = 1280,
    height: int = 720,
    background: int = 110,
) -> Luma:
    """A frame with cards that carry symbols, as `code` draws them at its default scale, centred as given."""
    frame = np.full((height, width), background, np.float32)
    noise = 0.0
    seed = 1
    light = 1.0
    for symbol, centre, held in symbols:
        frame = _paste(frame, symbol, centre, held)
        noise, light, seed = max(noise, held.noise), min(light, held.light), held.seed
    frame *= light
    if noise:
        frame += np.random.default_rng(seed).normal(0, noise, frame.shape).astype(np.float32)
    return np.ascontiguousarray(np.clip(frame + 0.5, 0, 255).astype(np.uint8))


def shown(content: str | bytes, held: Held | None = None, **kwargs: int) -> Luma:
    """A frame with one code in its middle."""
    width, height = kwargs.get("width", 1280), kwargs.get("height", 720)
    return scene((code(content), (width // 2, height // 2), held or Held()), width=width, height=height)


def empty(*, width: int = 1280, height: int = 720, noise: float = 2.0, seed: int = 1) -> Luma:
    """A frame without any code: soft shapes and a little noise."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(40, 200, (height // 60 + 2, width // 60 + 2)).astype(np.float32)
    frame = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    frame += rng.normal(0, noise, frame.shape).astype(np.float32)
    return np.ascontiguousarray(np.clip(frame, 0, 255).astype(np.uint8))


def _draw(symbol: segno.QRCode, scale: int, border: int) -> Luma:
    modules = np.array([[0 if dark else 255 for dark in row] for row in symbol.matrix], np.uint8)
    big = np.kron(modules, np.ones((scale, scale), np.uint8))
    return np.pad(big, border * scale, constant_values=255)


def _paste(
    frame: npt.NDArray[np.float32], symbol: Luma, centre: tuple[int, int], held: Held
) -> npt.NDArray[np.float32]:
    card = (255 - symbol if held.inverted else symbol).astype(np.float32)
    card = card * (200 / 255) + 20  # print is neither black nor white
    side = card.shape[0]
    half = side / 2 * held.module_px / 4  # `code` draws four pixels a module
    turn, tilt = math.radians(held.turn_deg), math.radians(held.tilt_deg)
    eye = half * 6  # distance of the camera in half-sides: a mild perspective
    corners = []
    for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        across = (x * math.cos(turn) - y * math.sin(turn)) * half
        down = (x * math.sin(turn) + y * math.cos(turn)) * half
        away = eye / (eye + down * math.sin(tilt))
        corners.append((centre[0] + across * away, centre[1] + down * math.cos(tilt) * away))
    source = np.array([(0, 0), (side, 0), (side, side), (0, side)], np.float32)
    warp = cv2.getPerspectiveTransform(source, np.array(corners, np.float32))
    size = (frame.shape[1], frame.shape[0])
    flags = cv2.INTER_AREA if held.module_px < 4 else cv2.INTER_LINEAR
    body = cv2.warpPerspective(card, warp, size, flags=flags)
    mask = cv2.warpPerspective(np.ones_like(card), warp, size, flags=cv2.INTER_LINEAR)
    if held.blur_px:
        body = cv2.GaussianBlur(body, (0, 0), held.blur_px)
        mask = cv2.GaussianBlur(mask, (0, 0), held.blur_px)
    pasted: npt.NDArray[np.float32] = frame * (1 - mask) + body
    return pasted
