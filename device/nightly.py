"""When the gate looks itself over: once a night, or once a day while the clock is not set. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import date
    from zoneinfo import ZoneInfo

    from device.runtime import Clock

HOUR: Final = 3
"""Local time, when the fewest people come."""

_DAY_S: Final = 86_400.0


class Nightly:
    """Belongs to one thread; nothing blocks.

    Args:
        clock: of the gate.
        timezone: in which the night is meant.
    """

    def __init__(self, *, clock: Clock, timezone: ZoneInfo) -> None:
        self._clock = clock
        self._timezone = timezone
        self._done_at = clock.monotonic()
        self._done_on: date | None = None

    def due(self) -> bool:
        """Whether it is time; once each."""
        now = self._clock.monotonic()
        if self._clock.trusted():
            local = self._clock.utc().astimezone(self._timezone)
            due = local.hour == HOUR and local.date() != self._done_on
            self._done_on = local.date() if due else self._done_on
        else:
            due = now - self._done_at >= _DAY_S
        if due:
            self._done_at = now
        return due
