"""What the last climb read, told together with the glances that follow it. Pure but for what it remembers.

A climb takes as long as several glances, and what it read the next glance again only sees. Were that told
as it is, a code would be read and unread in turn, and its owner, who was just let in, asked to hold it still.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from device.decode.finding import Look
from device.scenery import centre_of, side_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from device.model import Corners, Symbol


class Recall:
    """What a climb has read stands for what glances see at its place, until the next climb has ended."""

    def __init__(self) -> None:
        self._symbols: tuple[Symbol, ...] = ()

    def joined(self, glanced: Look, climbed: Look | None = None) -> Look:
        """One look out of a glance and, when one has ended since the last glance, a climb.

        Args:
            glanced: at the newest frame.
            climbed: at that frame or an earlier one; its `behind_s` says how much earlier.
        """
        if climbed is not None:
            self._symbols = climbed.symbols
        known = {symbol.content for symbol in glanced.symbols}
        more = tuple(s for s in self._symbols if s.content not in known)
        if climbed is None:
            more = tuple(s for s in more if _near(s.corners, glanced.unread))
        symbols = glanced.symbols + more
        unread = _not_near(glanced.unread, [s.corners for s in self._symbols])
        if climbed is not None:
            read = [symbol.corners for symbol in symbols]
            unread += _not_near(climbed.unread, [*read, *glanced.unread])
        return Look(
            symbols=symbols,
            unread=unread,
            failures=glanced.failures,
            spent_ms=glanced.spent_ms,
            behind_s=climbed.behind_s if climbed is not None and more else 0.0,
        )


def _near(corners: Corners, others: Iterable[Corners]) -> bool:
    """Whether one of the others is the same code, moved as far as a hand does within a climb."""
    centre, side_px = centre_of(corners), side_of(corners)
    return any(math.dist(centre, centre_of(o)) < max(side_px, side_of(o)) for o in others)


def _not_near(places: Iterable[Corners], others: Iterable[Corners]) -> tuple[Corners, ...]:
    others = tuple(others)
    return tuple(place for place in places if not _near(place, others))
