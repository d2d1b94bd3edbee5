"""What belongs to the place and not to a person: a poster on the wall behind. Pure.

Nobody holds a code perfectly still for long; a poster never moves. What has not moved for a while is
scenery: it was answered once, and is ignored until it moves or has been gone for long.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from device.model import Corners

STILL_PX = 6.0
"""A hand moves more than this within seconds; a poster does not, and corners are found to a pixel or two."""

SCENERY_AFTER_S = 60.0
"""Nobody holds a card this still for so long."""

SCENERY_FORGOTTEN_AFTER_S = 3600.0
"""A poster that a queue stands in front of is still the same poster."""

Point: TypeAlias = tuple[float, float]


class Stillness:
    """Since when something has not moved.

    Args:
        at: where it is seen first, pixels.
        now: monotonic seconds.
    """

    __slots__ = ("_anchor", "_still_since", "seen_at")

    def __init__(self, at: Point, now: float) -> None:
        self._anchor = at
        self._still_since = self.seen_at = now

    def take(self, at: Point, now: float) -> None:
        """It is seen again."""
        if not self.near(at):
            self._anchor, self._still_since = at, now
        self.seen_at = now

    def near(self, at: Point) -> bool:
        """Whether this is where it has been."""
        return math.dist(at, self._anchor) <= STILL_PX

    @property
    def scenery(self) -> bool:
        """Whether it has been still for so long that it belongs to the place."""
        return self.seen_at - self._still_since >= SCENERY_AFTER_S

    def over(self, now: float, ends_after_s: float) -> bool:
        """Whether it has been gone for long enough to be something new when it comes back."""
        return now - self.seen_at > (SCENERY_FORGOTTEN_AFTER_S if self.scenery else ends_after_s)


def centre_of(corners: Corners) -> Point:
    """The middle of a symbol, pixels."""
    return sum(x for x, _ in corners) / 4, sum(y for _, y in corners) / 4


def side_of(corners: Corners) -> float:
    """The mean length of a symbol's sides, pixels."""
    around = zip(corners, (*corners[1:], corners[0]), strict=True)
    return sum(math.dist(a, b) for a, b in around) / 4
