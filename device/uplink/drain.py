"""The pump: keeps the window full, honours receipts, moves the cursor.

The acknowledged cursor is the only thing relied on: whenever something is unclear (a new connection, a
receipt that says "later", a refused batch) everything in flight is forgotten and read again from there. That
may send an event twice, never lose one.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from device.errors import UplinkError
from device.uplink.budget import TOGETHER_EVERY_S, Pace
from device.uplink.caution import Judged
from device.uplink.flight import Flight
from device.uplink.ports import Closed, Incoming, Opened, Receipt
from device.uplink.reasons import Fate, Loss, fate, words

if TYPE_CHECKING:
    from device.model import StoredEvent
    from device.runtime import Clock
    from device.uplink.budget import Budget
    from device.uplink.caution import Caution
    from device.uplink.extras import Extras
    from device.uplink.inbox import Inbox
    from device.uplink.outgoing import Outgoing
    from device.uplink.ports import Backlog, Report, Session
    from device.uplink.wire import Message

log = logging.getLogger(__name__)

# With receipts outstanding, how soon a new event is noticed.
_IN_FLIGHT_WAIT_S = 0.1
# With nothing to do, how soon a lost connection or the wish to stop is noticed.
_IDLE_WAIT_S = 0.25
# More than a full window's receipts; whatever the broker sends, a step ends.
_REPORTS_A_STEP = 256


@dataclass(slots=True)
class Tally:
    """Counters that live as long as the process. Written by the forwarder's thread, read by any."""

    published: int = 0
    confirmed: int = 0
    set_aside: int = 0


class Drain:
    """Moves events from the backlog to a session. Used from one thread; lives over connections.

    Args:
        backlog: whose cursor is moved.
        outgoing: reads ahead of it.
        inbox: takes what comes in.
        extras: what there is to say besides events.
        caution: judges refusals.
        budget: bounds a day's data.
        clock: for deadlines.
        receipt_within_s: with messages in flight, the longest silence before the link counts as dead.
    """

    def __init__(
        self,
        *,
        backlog: Backlog,
        outgoing: Outgoing,
        inbox: Inbox,
        extras: Extras,
        caution: Caution,
        budget: Budget,
        clock: Clock,
        receipt_within_s: float,
    ) -> None:
        self.tally = Tally()
        self._backlog = backlog
        self._outgoing = outgoing
        self._inbox = inbox
        self._extras = extras
        self._caution = caution
        self._budget = budget
        self._clock = clock
        self._receipt_within_s = receipt_within_s
        self._session: Session | None = None
        self._opened = Opened(1, 0)
        self._flight = Flight()
        self._woken = False
        self._again = False
        self._stopping = False
        self._moved_at = 0.0
        # A later event offered in the head's place: its token, and the head.
        self._probe: tuple[int, StoredEvent] | None = None
        # While the budget is short: when events go again; 0 while they go.
        self._together_at = 0.0

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
        self._flight.sent(self._publish(birth))

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
        self._stopping = True
        if not self._settled_within(receipts_s):
            return False
        try:
            self._flight.sent(self._publish(goodbye))
        except UplinkError:
            return False
        return self._settled_within(goodbye_s)

    def pending(self, limit: int) -> int:
        """How many events wait, counted up to `limit`."""
        return len(self._backlog.pending(limit))

    # -- sending ----------------------------------------------------------------------------------

    def _fill(self) -> None:
        if self._again or self._stopping:
            return
        while len(self._flight) < self._opened.window:
            if not (self._send_extra(vital=True) or self._send_events() or self._send_extra(vital=False)):
                return

    def _send_events(self) -> bool:
        """Whether a message went out."""
        if self._caution.wait_s() > 0 or not self._events_may_go() or (head := self._outgoing.head()) is None:
            return False
        self._woken = False
        if self._caution.careful(head):
            if self._flight:
                return False
            if self._send_probe(head):
                return True
        together = self._budget.pace is Pace.SPARING
        composed = self._outgoing.compose(self._opened, self._caution.careful, together=together)
        for event in composed.too_large:
            self._set_aside(event, "larger than the packets the broker takes")
        if composed.message is None or (token := self._try_to_publish(composed.message)) is None:
            return False
        self._flight.sent(token, composed.events)
        self.tally.published += len(composed.events)
        return True

    def _send_probe(self, head: StoredEvent) -> bool:
        behind = self._caution.probe_behind(head)
        if not behind:
            return False
        message = self._outgoing.probe(head, behind)
        if message is None or (token := self._try_to_publish(message)) is None:
            self._caution.no_probe(head)
            return False
        self._flight.sent(token)
        self._probe = (token, head)
        return True

    def _send_extra(self, *, vital: bool) -> bool:
        if not vital and (self._caution.why or self._budget.pace is not Pace.FREE):
            return False
        found = self._extras.next_message(self._opened, vital=vital)
        if found is None or (token := self._try_to_publish(found[1])) is None:
            return False
        self._flight.sent(token)
        found[0].sent(token)
        return True

    def _try_to_publish(self, message: Message) -> int | None:
        """The token; None when the connection has ended: its `Closed` is on the way."""
        if not self._flight:
            self._moved_at = self._clock.monotonic()
        try:
            return self._publish(message)
        except UplinkError:
            self._again = True
            return None

    def _publish(self, message: Message) -> int:
        token = self._now().publish(message)
        self._budget.spend(message)
        return token

    def _events_may_go(self) -> bool:
        """By the daily budget. While it is short, everything goes, then nothing for a quarter of an hour."""
        match self._budget.look():
            case Pace.FREE:
                self._together_at = 0.0
                return True
            case Pace.SPENT:
                return False
            case Pace.SPARING:
                now = self._clock.monotonic()
                if now < self._together_at:
                    return False
                if self._outgoing.head() is None:
                    self._together_at = now + TOGETHER_EVERY_S
                return True

    # -- taking in --------------------------------------------------------------------------------

    def _await(self) -> Report | None:
        session = self._now()
        if self._flight:
            return session.next_report(_IN_FLIGHT_WAIT_S)
        if (held_s := self._caution.wait_s()) > 0:
            return session.next_report(min(held_s, _IDLE_WAIT_S))
        if self._woken or self._budget.pace is not Pace.FREE:
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
            self._take_in_other(receipt)
            return self._flight.settle(receipt.token)
        before = self._caution.why
        judged = self._caution.judge(events, receipt.code)
        self._tell_edge(before)
        match judged:
            case Judged.DELIVERED:
                self.tally.confirmed += len(events)
            case Judged.SET_ASIDE:
                self._set_aside(events[0], words(receipt.code))
            case Judged.AGAIN:
                self._flight.give_up(receipt.token)
                self._again = True
                return None
        return self._flight.settle(receipt.token)

    def _take_in_other(self, receipt: Receipt) -> None:
        if self._probe is not None and self._probe[0] == receipt.token:
            head, self._probe, before = self._probe[1], None, self._caution.why
            self._caution.probed(head, receipt.code)
            self._again = True
            self._tell_edge(before)
            return
        if self._extras.receipt(receipt.token, receipt.code):
            return
        # Nobody needs to listen to the state: it is retained.
        if fate(receipt.code, subscriber_required=False) is not Fate.DELIVERED:
            log.warning("broker refuses our state message: %s", words(receipt.code))

    def _tell_edge(self, before: str) -> None:
        why = self._caution.why
        if why and why != before:
            log.warning("broker does not take events now: %s", why)
        elif before and not why:
            log.info("broker takes events again")

    def _blame(self, closed: Closed) -> None:
        """The broker hung up because of a packet: find out which, and do not offer it for ever."""
        if self._extras.hung_up():
            return
        suspects = self._flight.events
        if suspects and self._caution.hung_up(suspects):
            self._set_aside(suspects[0], closed.detail or closed.loss.value)

    def _set_aside(self, event: StoredEvent, why: str) -> None:
        self._backlog.set_aside(event.seq, why)
        self.tally.set_aside += 1
        log.warning("broker refuses event %s: %s", event.id, why)

    def _silence(self) -> Closed | None:
        silent_s = self._clock.monotonic() - self._moved_at
        return Closed(Loss.NO_RECEIPT) if self._flight and silent_s > self._receipt_within_s else None

    def _done(self) -> bool:
        waits = self._caution.wait_s() > 0 or not self._events_may_go()
        return not self._flight and not self._again and (waits or self._outgoing.head() is None)

    def _settled_within(self, seconds: float) -> bool:
        until = self._clock.monotonic() + seconds
        while self._flight:
            if self._clock.monotonic() >= until or self.step() is not None:
                return False
        return True

    def _forget(self) -> None:
        self._flight = Flight()
        self._outgoing.forget()
        self._extras.forget()
        self._probe = None
        self._woken = False
        self._again = False

    def _now(self) -> Session:
        if self._session is None:
            raise UplinkError("not connected")
        return self._session
