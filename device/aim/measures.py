"""How good a picture is for reading codes, and what a person can do about it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from device.decode.cause import SMALLEST_MODULE_PX, SOFT_EDGE
from device.decode.quality import exposure_of, modules_of, sharpness_of
from device.model import Cause
from device.scenery import side_of

if TYPE_CHECKING:
    from device.aim.sight import SeenCode, Sight

GOOD_MODULE_PX: Final = 3.0
"""At three pixels a module nine of ten codes read at once (measured on rendered frames); at two, half do."""

LARGE_SHARE: Final = 0.8
"""Of the picture's height: a code that fills more is cut off by the slightest movement."""


class Advice(StrEnum):
    """What to do next; the page has the sentences."""

    HOLD_UP = "hold_up"  # nothing that is a code is in view
    CLOSER = "closer"
    FARTHER = "farther"
    FOCUS = "focus"
    STILL = "still"
    MORE_LIGHT = "more_light"
    LESS_LIGHT = "less_light"
    TURN_LAMP = "turn_lamp"
    WHOLE = "whole"
    OTHER_CODE = "other_code"
    GOOD = "good"


@dataclass(frozen=True, slots=True)
class Measures:
    """Of one sight.

    Attributes:
        white: grey level of the lightest parts, 0 to 255.
        burnt_share: of the picture.
        side_px: how wide the most prominent code is; 0 where there is none.
        module_px: how wide its modules are; 0 where there is none.
        sharpness: its, 0 to 1; below `SOFT_EDGE` it counts as blurred.
        read: whether it was read.
        advice: the most useful first.
    """

    white: int
    burnt_share: float
    side_px: int
    module_px: float
    sharpness: float
    read: bool
    advice: tuple[Advice, ...]


def measure(sight: Sight) -> Measures:
    """Blocks for a millisecond."""
    exposure = exposure_of(sight.luma)
    code = max(sight.codes, key=lambda c: side_of(c.corners), default=None)
    side_px, module_px, sharpness = 0.0, 0.0, 0.0
    if code is not None:
        side_px = side_of(code.corners)
        module_px = side_px / modules_of(sight.luma, code.corners)
        sharpness = sharpness_of(sight.luma, code.corners)
    advice = [Advice.MORE_LIGHT] * exposure.too_dark + [Advice.LESS_LIGHT] * exposure.too_light
    height = sight.luma.shape[0]
    advice += _about(code, side_px=side_px, module_px=module_px, sharpness=sharpness, height=height)
    return Measures(
        white=exposure.white,
        burnt_share=exposure.burnt_share,
        side_px=round(side_px),
        module_px=round(module_px, 1),
        sharpness=round(sharpness, 2),
        read=code is not None and bool(code.kind),
        advice=tuple(dict.fromkeys(advice)) or (Advice.GOOD,),
    )


_CAUSES: Final = {
    Cause.CUT_OFF: Advice.WHOLE,
    Cause.DARK: Advice.MORE_LIGHT,
    Cause.TOO_SMALL: Advice.CLOSER,
    Cause.GLARE: Advice.TURN_LAMP,
    Cause.BLURRED: Advice.FOCUS,
    Cause.DAMAGED: Advice.OTHER_CODE,
}


def _about(
    code: SeenCode | None, *, side_px: float, module_px: float, sharpness: float, height: int
) -> list[Advice]:
    if code is None:
        return [Advice.HOLD_UP]
    advice = [] if code.kind else [_CAUSES[Cause(code.reason)]]
    if module_px < SMALLEST_MODULE_PX or (module_px < GOOD_MODULE_PX and not code.kind):
        advice.append(Advice.CLOSER)
    if side_px > height * LARGE_SHARE:
        advice.append(Advice.FARTHER)
    if sharpness < SOFT_EDGE:
        advice += [Advice.FOCUS, Advice.STILL]
    return advice
