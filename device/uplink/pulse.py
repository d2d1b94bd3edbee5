"""Says now and then how the gate fares, soon when that has changed. Used from the forwarder's thread only."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from device.uplink.budget import Pace
from device.uplink.health import health_message
from device.uplink.outgoing import packet_room
from device.uplink.reasons import Fate, fate, words

if TYPE_CHECKING:
    from collections.abc import Callable

    from device.runtime import Clock
    from device.uplink.budget import Budget
    from device.uplink.health import Health
    from device.uplink.ports import Opened
    from device.uplink.wire import GateAddress, Message

log = logging.getLogger(__name__)

# 300 bytes each: 0.1 MB a day.
_EVERY_S = 300.0
# While a daily budget runs short.
_SPARINGLY_S = 3600.0
# However often something changes.
_SOONEST_S = 10.0


class Pulse:
    """The health message, at its rate. Implements `device.uplink.extras.Extra`.

    Args:
        address: of this gate.
        clock: for the rate.
        health: how the gate fares now.
        budget: of a day's data.
    """

    vital = True

    def __init__(
        self, *, address: GateAddress, clock: Clock, health: Callable[[], Health], budget: Budget
    ) -> None:
        self._address = address
        self._clock = clock
        self._health = health
        self._budget = budget
        self._said: tuple[object, ...] = ()
        self._said_at = 0.0
        self._token = 0
        self._refused = False
        self._due_now = True

    def begin(self) -> None:
        """A new connection: the broker may have forgotten what we said."""
        self._due_now = True

    def next_message(self, opened: Opened) -> Message | None:
        """The message when it is due.

        Raises:
            JournalError: the journal cannot be read.
        """
        now = self._clock.monotonic()
        age = now - self._said_at
        if self._token or not (self._due_now or age >= _SOONEST_S):
            return None
        every_s = _EVERY_S if self._budget.pace is Pace.FREE else _SPARINGLY_S
        health = self._health()
        if not (self._due_now or age >= every_s or self._edges(health) != self._said):
            return None
        self._due_now = False
        self._said, self._said_at = self._edges(health), now
        message = health_message(self._address, health)
        return message if len(message.payload) <= packet_room(opened) else None

    def sent(self, token: int) -> None:
        self._token = token

    def receipt(self, token: int, code: int) -> bool:
        if not self._token or token != self._token:
            return False
        self._token = 0
        refused = fate(code, subscriber_required=False) is not Fate.DELIVERED
        if refused and not self._refused:
            log.warning("broker refuses our health message: %s", words(code))
        self._refused = refused
        return True

    def hung_up(self) -> bool:
        # It is said with every connection: taking the blame, it would hide the event whose it is.
        self._token = 0
        return False

    def forget(self) -> None:
        self._token = 0

    @staticmethod
    def _edges(health: Health) -> tuple[object, ...]:
        """What somebody waits to hear of; the rest has time."""
        return health.refused, health.refusing, health.set_aside, health.pace
