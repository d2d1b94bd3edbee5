"""Who goes through: interruptions of a light barrier become persons, and persons are matched with grants.

A missing scan has to be explained. Where a barrier stands behind the gate, "somebody went through and had
shown nothing" is known, and so is the share of people passing who were scanned. Pure; times are seconds of
one monotonic clock and never go back.
"""

from __future__ import annotations

from collections import deque

SAME_PERSON_S = 0.5
"""An arm, a bag and a stride interrupt a barrier several times; whoever walks behind is later than this."""

BLOCKED_S = 10.0
"""Nobody stands in a door for so long: the barrier is covered or out of line."""

MAX_OUTSTANDING = 64
"""Grants that wait for their person: a group, generously."""


class Barrier:
    """Makes persons out of interruptions. Belongs to one thread; nothing blocks."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._clear_at = float("-inf")
        self._told_blocked = False

    def change(self, now: float, *, interrupted: bool) -> bool:
        """The barrier has changed; whether a person has just stepped into it."""
        if interrupted:
            self._since = now
            return now - self._clear_at >= SAME_PERSON_S
        self._since = None
        self._clear_at = now
        return False

    def blocked(self, now: float) -> bool | None:
        """True once when it has been interrupted too long, False once when it is clear again; else None."""
        blocked = self._since is not None and now - self._since >= BLOCKED_S
        if blocked is self._told_blocked:
            return None
        self._told_blocked = blocked
        return blocked


class Passages:
    """Matches persons with grants: each grant is good for one. Belongs to one thread; nothing blocks.

    Args:
        pass_within_s: how long a grant waits for its person.
    """

    def __init__(self, *, pass_within_s: float) -> None:
        self._pass_within_s = pass_within_s
        self._outstanding: deque[float] = deque(maxlen=MAX_OUTSTANDING)

    def granted(self, now: float, *, again: bool = False) -> None:
        """Somebody may pass; `again`: they were let through a moment ago, and may be waiting still."""
        self._expire(now)
        if not (again and self._outstanding):
            self._outstanding.append(now)

    def passed(self, now: float) -> bool:
        """Somebody went through; whether a grant was waiting for them."""
        self._expire(now)
        if not self._outstanding:
            return False
        self._outstanding.popleft()
        return True

    def _expire(self, now: float) -> None:
        while self._outstanding and now - self._outstanding[0] > self._pass_within_s:
            self._outstanding.popleft()
