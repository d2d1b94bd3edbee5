"""The pump: keeps the window full, honours receipts, moves the cursor.

The acknowledged cursor is the only thing relied on: whenever something is unclear (a new connection, a
receipt that says "later", a refused batch) everything in flight is forgotten and read again from there. That
may send an event twice, never lose one.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from device.errors import UplinkError
from device.uplink.flight import Flight
from device.uplink.outgoing import Outgoing
from device.uplink.ports import Closed, Incoming, Opened, Receipt
from device.uplink.reasons import QUOTA_EXCEEDED, UNHEARD, Fate, Loss, fate, words

if TYPE_CHECKING:
    from device.model import StoredEvent
    from device.runtime import Clock
    from device.uplink.backoff import Backoff
    from device.uplink.inbox import Inbox
    from device.uplink.ports import Backlog, Report, Session
    from device.uplink.wire import GateAddress, Message

log = logging.getLogger(__name__)

# With receipts outstanding, how soon a new event is noticed.
_IN_FLIGHT_WAIT_S = 0.1
# With nothing to do, how soon a lost connection or the wish to stop is noticed.
_IDLE_WAIT_S = 0.25
# More than a full window's receipts; whatever the broker sends, a step ends.
_REPORTS_A_STEP = 256
# A broker that trips over one event this often, though sent alone, will always do so.
_TRIES_MAX = 4
# Answers that say nothing about the event: they are never held against it.
_OF_THE_MOMENT = frozenset({UNHEARD, QUOTA_EXCEEDED})


@dataclass(slots=True)
class Tally:
    """Counters that live as long as the process. Written by the forwarder's thread, read by any."""

    published: int = 0
    confirmed: int = 0
    set_aside: int = 0


class Drain:
    """Moves events from the backlog to a session. Used from one thread; lives over connections.

    Args:
        backlog: where events come from.
        inbox: takes what comes in, and has what is to be replayed.
        address: of this gate.
        clock: for deadlines and the events' times.
        backoff: how long to hold after a receipt that says "later".
        batch_events: most events in one message; 1 sends each alone.
        receipt_within_s: with messages in flight, the longest silence before the link counts as dead.
        subscriber_required: whether events nobody subscribes to are kept and sent again; some brokers
            process messages by rules, without a subscriber.
    """

    def __init__(
        self,
        *,
        backlog: Backlog,
        inbox: Inbox,
        address: GateAddress,
        clock: Clock,
        backoff: Backoff,
        batch_events: int,
        receipt_within_s: float,
        subscriber_required: bool,
    ) -> None:
        self.tally = Tally()
        self._backlog = backlog
        self._inbox = inbox
        self._outgoing = Outgoing(backlog=backlog, address=address, clock=clock, batch_events=batch_events)
        self._clock = clock
        self._backoff = backoff
        self._receipt_within_s = receipt_within_s
        self._subscriber_required = subscriber_required
        self._session: Session | None = None
        self._opened = Opened(1, 0)
        self._flight = Flight()
        self._woken = False
        self._again = False
        self._hold_until = 0.0
        self._moved_at = 0.0
        # The broker has said "later": one event at a time, until it takes one.
        self._held = False
        # Up to this seq one event at a time: one of them made the broker refuse a batch or hang up.
        self._careful_through = 0
        self._tries = (0, 0)

    def begin(self, session: Session, opened: Opened, birth: Message) -> None:
        """Starts anew on a fresh session: what was in flight is forgotten, the birth message goes first.

        Raises:
            UplinkError: the session has ended already.
        """
        self._session = session
        self._opened = opened
        self._forget()
        self._moved_at = self._clock.monotonic()
        for topic in self._inbox.topics:
            session.subscribe(topic)
        self._flight.sent(session.publish(birth))

    def step(self) -> Closed | None:
        """Sends what may be sent, waits for something to happen, and takes it in.

        Blocks for a quarter of a second at most, unless the backlog blocks for longer.

        Returns:
            The end of the session, when that has come.

        Raises:
            JournalError: the backlog cannot be read or written; `begin` anew on another session.
        """
        self._fill()
        report = self._await()
        through: int | None = None
        closed: Closed | None = None
        for _ in range(_REPORTS_A_STEP):
            match report:
                case Receipt():
                    through = self._take_in(report) or through
                case Incoming():
                    self._inbox.take(report)
                case Closed():
                    closed = report
                case Opened():
                    pass
                case None:
                    break
            report = self._now().next_report(0)
        if through is not None:
            self._backlog.acknowledge(through)
        if closed is not None and closed.loss is Loss.CONTENT:
            self._blame(closed)
        if self._again and not self._flight:
            self._forget()
        return closed or self._silence()

    def finish(self, goodbye: Message, *, last_events_s: float, receipts_s: float, goodbye_s: float) -> bool:
        """Sends what is left, if that is little, then says goodbye; whether the broker has confirmed it.

        Blocks no longer than its three arguments together: for the last events, for the receipts of what
        is in flight then, for the goodbye's own.

        Raises:
            JournalError: see `step`.
        """
        until = self._clock.monotonic() + last_events_s
        while self._clock.monotonic() < until and not self._done():
            if self.step() is not None:
                return False
        self._hold_until = math.inf
        if not self._settled_within(receipts_s):
            return False
        try:
            self._flight.sent(self._now().publish(goodbye))
        except UplinkError:
            return False
        return self._settled_within(goodbye_s)

    def pending(self, limit: int) -> int:
        """How many events wait, counted up to `limit`."""
        return len(self._backlog.pending(limit))

    # -- sending ----------------------------------------------------------------------------------

    def _fill(self) -> None:
        if self._again or self._clock.monotonic() < self._hold_until:
            return
        while len(self._flight) < self._opened.window:
            events, message = self._next_message()
            if message is None:
                return
            if not self._flight:
                self._moved_at = self._clock.monotonic()
            try:
                token = self._now().publish(message)
            except UplinkError:
                self._again = True  # its `Closed` is on the way
                return
            self._flight.sent(token, events)
            self.tally.published += len(events)
            if not events:
                self._inbox.replayed(token)

    def _careful(self, event: StoredEvent) -> bool:
        return self._held or event.seq <= self._careful_through

    def _next_message(self) -> tuple[tuple[StoredEvent, ...], Message | None]:
        head = self._outgoing.head()
        if head is not None:
            self._woken = False
            if self._flight and self._careful(head):
                return (), None
        composed = self._outgoing.compose(self._opened, self._careful)
        for event in composed.too_large:
            self._set_aside(event, "larger than the packets the broker takes")
        return composed.events, composed.message or self._inbox.next_message(self._opened)

    # -- taking in --------------------------------------------------------------------------------

    def _await(self) -> Report | None:
        session = self._now()
        if self._flight:
            return session.next_report(_IN_FLIGHT_WAIT_S)
        held_s = self._hold_until - self._clock.monotonic()
        if held_s > 0:
            return session.next_report(min(held_s, _IDLE_WAIT_S))
        if self._woken:
            # Woken, yet nothing was there to read: what the backlog speaks of is settled already.
            self._woken = False
            return session.next_report(_IDLE_WAIT_S)
        self._woken = self._backlog.wait_for_append(self._outgoing.read_through, _IDLE_WAIT_S)
        return session.next_report(0)

    def _take_in(self, receipt: Receipt) -> int | None:
        events = self._flight.carried(receipt.token)
        if events is None:
            return None
        self._moved_at = self._clock.monotonic()
        if not events:
            # Nobody needs to listen to the state: it is retained.
            replayed = self._inbox.receipt(receipt.token, receipt.code)
            if not replayed and fate(receipt.code, subscriber_required=False) is not Fate.DELIVERED:
                log.warning("broker refuses our state message: %s", words(receipt.code))
            return self._flight.settle(receipt.token)
        match fate(receipt.code, subscriber_required=self._subscriber_required):
            case Fate.DELIVERED:
                self._flowing(len(events))
            case Fate.LATER if not self._hopeless(events, receipt.code):
                self._hold(receipt.code)
                self._send_again(receipt.token, events, suspect=receipt.code not in _OF_THE_MOMENT)
                return None
            case _ if len(events) > 1:
                self._send_again(receipt.token, events, suspect=True)
                return None
            case _:
                self._set_aside(events[0], words(receipt.code))
        return self._flight.settle(receipt.token)

    def _flowing(self, count: int) -> None:
        self.tally.confirmed += count
        self._backoff.reset()
        if self._held:
            self._held = False
            log.info("broker takes events again")

    def _hold(self, code: int) -> None:
        if not self._held:
            self._held = True
            log.warning("broker does not take events now: %s", words(code))
        self._hold_until = max(self._hold_until, self._clock.monotonic() + self._backoff.delay_s())

    def _send_again(self, token: int, events: tuple[StoredEvent, ...], *, suspect: bool) -> None:
        self._flight.give_up(token)
        self._again = True
        if suspect:
            self._careful_through = max(self._careful_through, events[-1].seq)

    def _hopeless(self, events: tuple[StoredEvent, ...], code: int) -> bool:
        if len(events) > 1 or code in _OF_THE_MOMENT:
            return False
        seq, tries = self._tries
        self._tries = (events[0].seq, tries + 1 if seq == events[0].seq else 1)
        return self._tries[1] >= _TRIES_MAX

    def _blame(self, closed: Closed) -> None:
        """The broker hung up because of a packet: find out which, and do not offer it for ever."""
        suspects = self._flight.events
        if not suspects:
            self._inbox.give_up()
            return
        self._careful_through = max(self._careful_through, suspects[-1].seq)
        if len(suspects) == 1 and self._hopeless(suspects, 0):
            self._set_aside(suspects[0], closed.detail or closed.loss.value)

    def _set_aside(self, event: StoredEvent, why: str) -> None:
        self._backlog.set_aside(event.seq, why)
        self.tally.set_aside += 1
        log.warning("broker refuses event %s: %s", event.id, why)

    def _silence(self) -> Closed | None:
        silent_s = self._clock.monotonic() - self._moved_at
        return Closed(Loss.NO_RECEIPT) if self._flight and silent_s > self._receipt_within_s else None

    def _done(self) -> bool:
        return not self._flight and not self._again and self._outgoing.head() is None

    def _settled_within(self, seconds: float) -> bool:
        until = self._clock.monotonic() + seconds
        while self._flight:
            if self._clock.monotonic() >= until or self.step() is not None:
                return False
        return True

    def _forget(self) -> None:
        self._flight = Flight()
        self._outgoing.forget()
        self._inbox.forget()
        self._woken = False
        self._again = False

    def _now(self) -> Session:
        if self._session is None:
            raise UplinkError("not connected")
        return self._session
