"""Tries one setting of the camera after the other and keeps the one that shows a code best. Pure.

Sights go in, what to ask the camera for comes out. A change shows some frames late, so the first sights
after it do not count.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from device.decode.quality import detail_of
from device.model import Controls

if TYPE_CHECKING:
    from device.aim.measures import Measures
    from device.aim.sight import Sight

FOCUS_DIOPTRES: Final = tuple(half / 2 for half in range(25))
"""From infinity to 8 cm: what a Camera Module 3 can do, in steps of half its depth of field at 20 cm."""

EXPOSURES_US: Final = (500, 1000, 2000, 3000, 5000, 8000, 12_000, 20_000)
"""From what freezes everything to what smears a hand; each about half as much again."""

SETTLE_SIGHTS: Final = 8
"""As in `steering`, and two more: a lens moves for 50 ms."""

COUNTED_SIGHTS: Final = 3
"""The best of them counts: a hand shakes."""

STEADY_US: Final = 5000
"""A moving hand is sharp up to 1/200 s: no longer exposure is chosen while a shorter one reads."""


class Setting(StrEnum):
    """What is tried."""

    FOCUS = "focus"
    EXPOSURE = "exposure"


@dataclass(frozen=True, slots=True)
class Best:
    """What came of it.

    Attributes:
        setting: what was tried.
        value: the best: dioptres or microseconds.
        read: whether a code was read with it.
    """

    setting: Setting
    value: float
    read: bool


class Sweep:
    """Belongs to one thread; nothing blocks.

    Args:
        setting: what is tried.
    """

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self._values: tuple[float, ...] = FOCUS_DIOPTRES if setting is Setting.FOCUS else EXPOSURES_US
        self._at = 0
        self._seen = 0
        self._scores: list[tuple[bool, float]] = [(False, 0.0)] * len(self._values)

    @property
    def progress(self) -> float:
        """From 0 to 1."""
        return self._at / len(self._values)

    def begin(self) -> Controls:
        """What to ask the camera for first."""
        return self._controls(0)

    def take(self, sight: Sight, measures: Measures) -> Controls | Best | None:
        """What to ask the camera for next; the result at the end; None while a setting is looked at."""
        self._seen += 1
        if self._seen <= SETTLE_SIGHTS:
            return None
        score = (measures.read, self._score(sight, measures))
        self._scores[self._at] = max(self._scores[self._at], score)
        if self._seen < SETTLE_SIGHTS + COUNTED_SIGHTS:
            return None
        self._seen = 0
        self._at += 1
        return self._controls(self._at) if self._at < len(self._values) else self._best()

    def controls_for(self, best: Best) -> Controls:
        """What keeps the result."""
        return self._controls(self._values.index(best.value))

    def _controls(self, at: int) -> Controls:
        value = self._values[at]
        if self.setting is Setting.FOCUS:
            return Controls(focus_dioptres=value)
        return Controls(exposure_us=int(value))

    def _score(self, sight: Sight, measures: Measures) -> float:
        if self.setting is Setting.FOCUS:
            return measures.sharpness or detail_of(sight.luma)
        # Bright paper, nothing burnt; and of what reads, the shortest.
        light = min(measures.white, 200) / 200 - 5 * measures.burnt_share
        return light - max(self._values[self._at] / STEADY_US - 1, 0)

    def _best(self) -> Best:
        at = max(range(len(self._values)), key=lambda number: self._scores[number])
        return Best(self.setting, self._values[at], self._scores[at][0])
