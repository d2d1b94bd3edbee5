"""What the broker has refused is offered again: its rights, limits and rules get mended by people.

On every new connection and once a day, when nothing else waits: one event at a time, from the oldest. A
round ends after a few refusals; the next one begins behind them, so that each has its turn. Used from the
forwarder's thread only.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from device.uplink.outgoing import packet_room
from device.uplink.reasons import Fate, fate
from device.uplink.wire import envelope, event_message

if TYPE_CHECKING:
    from device.runtime import Clock
    from device.uplink.ports import Backlog, Opened
    from device.uplink.wire import GateAddress, Message

log = logging.getLogger(__name__)

# Whoever mends a broker does not restart it for us.
_EVERY_S = 86_400.0
# What a round may cost on a mobile link when nothing has changed: about 12 KB.
_REFUSED_MAX = 20


class Reoffer:
    """Takes set-aside events up again. Implements `device.uplink.extras.Extra`.

    Args:
        backlog: which knows them.
        address: of this gate.
        clock: for the day, and the events' times.
        subscriber_required: whether an event nobody subscribes to stays set aside.
    """

    vital = False

    def __init__(
        self, *, backlog: Backlog, address: GateAddress, clock: Clock, subscriber_required: bool
    ) -> None:
        self._backlog = backlog
        self._address = address
        self._clock = clock
        self._subscriber_required = subscriber_required
        self._after = 0
        self._left = 0
        self._next_at = self._quiet_until = 0.0
        self._delivered = 0
        self._under_way: tuple[int, int] | None = None  # token and seq

    def begin(self) -> None:
        """A new connection: a round is due."""
        self._next_at = max(self._clock.monotonic(), self._quiet_until)

    def next_message(self, opened: Opened) -> Message | None:
        """The next event to be offered again; None for none now.

        Raises:
            JournalError: it cannot be read.
        """
        stats = self._backlog.stats()
        if self._under_way is not None or not stats.set_aside:
            return None
        now = self._clock.monotonic()
        if not self._left:
            if now < self._next_at:
                return None
            self._left, self._next_at = _REFUSED_MAX, now + _EVERY_S
        found = self._next_that_fits(stats.acknowledged_through, opened)
        if found is None:
            self._after = 0
            self._end_round()
            return None
        seq, part = found
        self._under_way = (0, seq)
        return event_message(self._address, part)

    def _next_that_fits(self, through: int, opened: Opened) -> tuple[int, bytes] | None:
        """The next event up to `through` that one of the broker's packets can hold."""
        while page := self._backlog.refused(_REFUSED_MAX, after_seq=self._after):
            for event, _ in page:
                if event.seq > through:
                    return None
                self._after = event.seq
                part = envelope(self._address, event, self._clock.reading())
                if len(part) <= packet_room(opened):
                    return event.seq, part
        return None

    def sent(self, token: int) -> None:
        if self._under_way is not None:
            self._under_way = (token, self._under_way[1])

    def receipt(self, token: int, code: int) -> bool:
        if self._under_way is None or self._under_way[0] != token:
            return False
        _, seq = self._under_way
        self._under_way = None
        match fate(code, subscriber_required=self._subscriber_required):
            case Fate.DELIVERED:
                self._backlog.take_back((seq,))
                self._delivered += 1
            case Fate.LATER:
                self._after = seq - 1
                self._end_round()
            case _:
                self._left -= 1
                if not self._left:
                    self._end_round()
        return True

    def hung_up(self) -> bool:
        if self._under_way is None:
            return False
        # An event that ends connections must not end each of them: tomorrow, from the one behind it on.
        self._under_way = None
        self._end_round()
        self._quiet_until = self._clock.monotonic() + _EVERY_S
        return True

    def forget(self) -> None:
        if self._under_way is not None:
            self._after, self._under_way = self._under_way[1] - 1, None

    def _end_round(self) -> None:
        self._left = 0
        if self._delivered:
            log.info("the broker has taken %d events it had refused", self._delivered)
        self._delivered = 0
