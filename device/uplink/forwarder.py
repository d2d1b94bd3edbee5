"""The forwarder thread: keeps a connection to the broker and the events flowing through it.

The journal is the only memory. A connection that ends, however it ends, is followed by a delay with full
jitter and a session of its own, on which everything beyond the acknowledged cursor is sent (again).
Nothing here can stop a gate: the network is retried for ever, and so is a journal that cannot be read.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from device.errors import JournalError, JournalUnusable, UplinkError
from device.uplink.backoff import Backoff
from device.uplink.caution import Caution
from device.uplink.drain import Drain
from device.uplink.extras import Extras
from device.uplink.inbox import Inbox
from device.uplink.outgoing import Outgoing
from device.uplink.portrait import Connections, Portrait
from device.uplink.ports import Closed, Opened
from device.uplink.pulse import Pulse
from device.uplink.reasons import Loss
from device.uplink.reoffer import Reoffer
from device.uplink.replays import Replays
from device.uplink.state import Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from device.runtime import Clock, Worker
    from device.uplink.budget import Budget, Pace
    from device.uplink.health import ListHealth
    from device.uplink.ports import Backlog, Certificate, Session
    from device.uplink.wire import GateAddress, Message
    from device.uplink.wishes import Verify

log = logging.getLogger(__name__)

# How soon the wish to stop is noticed in any wait; also the longest time between two beats.
_SLICE_S = 0.25
# Stopping takes the sum of these at most, and one step's quarter of a second; it must stay below 2 s.
_STOP_LAST_EVENTS_S = 0.4
_STOP_RECEIPTS_S = 0.4
_STOP_GOODBYE_S = 0.4
_STOP_CLOSE_S = 0.3
# A connection that held this long was a good one: the next failure starts with short delays again.
_STABLE_S = 60.0
# Name look-ups that hang end within a minute; a network thread still there then is left behind.
_STRANDED_S = 60.0
# Renewing takes somebody's time at a desk and, at worst, a visit to the gate.
_RENEW_DAYS = 28
# Enough to tell "a few" from "an outage's worth" in one short read.
_PENDING_SHOWN_MAX = 1000


@dataclass(frozen=True, slots=True)
class UplinkStats:
    """How the uplink is. Counters since the start of the process.

    Attributes:
        connected: whether the broker has accepted us and has not left.
        published: events handed to a session, repeats included.
        confirmed: events whose receipt came.
        set_aside: events the broker refuses.
        refusing: while the broker takes no events: its reason; empty otherwise.
        pace: what the daily data budget allows.
        twin: whether another device has said that it is this gate.
        reconnects: connections after the first.
        last_error: why the last connection ended or could not be made; fixed words; empty for never.
        since: `Clock.monotonic()` seconds when `connected` last changed.
    """

    connected: bool
    published: int
    confirmed: int
    set_aside: int
    refusing: str
    pace: Pace
    twin: bool
    reconnects: int
    last_error: str
    since: float


class Forwarder:
    """Body of the worker that drains the journal to the broker.

    Args:
        backlog: the journal.
        session_factory: makes a session with the given last will; called once per connection attempt.
        address: of this gate.
        clock: for delays, deadlines, and times on the wire.
        version: of the software, for the state message.
        random: uniform numbers in [0, 1), for jitter.
        budget: of a day's data.
        backoff_min_s: bound of the first delay after a failure.
        backoff_max_s: bound of every delay.
        batch_events: most events in one message when more than a few wait; 1 for each alone.
        receipt_within_s: with messages in flight, the longest silence before the link counts as dead.
        subscriber_required: whether events wait while the broker says that nobody subscribes to them.
            It would throw them away. False for brokers that process messages by rules of their own.
        verify: whether a signature over a message is the district's; without it no wish is taken.
        temperature_c: of the processor, for the health message.
        lists: how those the gate goes by stand, likewise.
    """

    def __init__(
        self,
        *,
        backlog: Backlog,
        session_factory: Callable[[Message], Session],
        address: GateAddress,
        clock: Clock,
        version: str,
        random: Callable[[], float],
        budget: Budget,
        backoff_min_s: float = 1.0,
        backoff_max_s: float = 60.0,
        batch_events: int = 50,
        receipt_within_s: float = 20.0,
        subscriber_required: bool = True,
        verify: Verify | None = None,
        temperature_c: Callable[[], int | None] = lambda: None,
        lists: Callable[[], tuple[ListHealth, ...]] = lambda: (),
    ) -> None:
        self._session_factory = session_factory
        self._clock = clock
        self._budget = budget
        self._backoff = Backoff(min_s=backoff_min_s, max_s=backoff_max_s, random=random)
        self._caution = Caution(
            clock=clock,
            backoff=Backoff(min_s=backoff_min_s, max_s=backoff_max_s, random=random),
            subscriber_required=subscriber_required,
        )
        self._connections = Connections()
        self._portrait = portrait = Portrait(
            backlog=backlog,
            address=address,
            clock=clock,
            version=version,
            budget=budget,
            caution=self._caution,
            connections=self._connections,
            temperature_c=temperature_c,
            lists=lists,
        )
        self._pulse = Pulse(address=address, clock=clock, health=portrait.health, budget=budget)
        self._reoffer = Reoffer(
            backlog=backlog, address=address, clock=clock, subscriber_required=subscriber_required
        )
        replays = Replays(
            backlog=backlog, address=address, clock=clock, state=lambda: portrait.state(Status.ONLINE)
        )
        self._inbox = Inbox(backlog=backlog, replays=replays, address=address, clock=clock, verify=verify)
        self._drain = Drain(
            backlog=backlog,
            outgoing=Outgoing(backlog=backlog, address=address, clock=clock, batch_events=batch_events),
            inbox=self._inbox,
            extras=Extras(self._pulse, replays, self._reoffer),
            caution=self._caution,
            budget=budget,
            clock=clock,
            receipt_within_s=receipt_within_s,
        )
        self._connected = False
        self._ending: set[Certificate] = set()
        self._since = clock.monotonic()

    def stats(self) -> UplinkStats:
        """How the uplink is. Safe from any thread; never blocks."""
        tally = self._drain.tally
        return UplinkStats(
            connected=self._connected,
            published=tally.published,
            confirmed=tally.confirmed,
            set_aside=tally.set_aside,
            refusing=self._caution.why,
            pace=self._budget.pace,
            twin=self._connections.twin or self._inbox.twin,
            reconnects=self._connections.again,
            last_error=self._connections.last_error,
            since=self._since,
        )

    def body(self, worker: Worker) -> None:
        """Runs until the worker is asked to stop, and returns within 2 s then. For `Worker`.

        Beats at least every quarter of a second, unless the journal itself blocks for longer.

        Raises:
            JournalUnusable: the journal must be begun anew, which takes a new process.
        """
        while not worker.stopping.is_set():
            session = self._session_factory(self._portrait.state(Status.LOST))
            try:
                closed = self._connection(session, worker)
            except JournalUnusable:
                # The district has events that this journal lost: only a new start mends that.
                raise
            except JournalError as error:
                closed = Closed(Loss.JOURNAL, type(error).__name__)
            if closed.loss is Loss.TAKEN_OVER or self._inbox.twin:
                self._connections.twin = True
                # Two devices with one name throw each other out: the faster they come back, the worse.
                self._backoff.longest()
            elif self._connected and self._clock.monotonic() - self._since > _STABLE_S:
                self._backoff.reset()
            self._note_closed(closed)
            if not session.close(with_will=True, timeout_s=_SLICE_S):
                self._await_end(session, worker)
            self._pause(self._backoff.delay_s(), worker)

    # -- one connection ---------------------------------------------------------------------------

    def _connection(self, session: Session, worker: Worker) -> Closed:
        # Before anything goes out: a journal that cannot be read makes a connection pointless.
        self._drain.pending(1)
        session.open()
        first = None
        while first is None and not worker.stopping.is_set():
            worker.beat()
            first = session.next_report(_SLICE_S)
        if not isinstance(first, Opened):
            return first if isinstance(first, Closed) else Closed(Loss.ASKED)
        try:
            self._pulse.begin()
            self._reoffer.begin()
            self._drain.begin(session, first, self._portrait.state(Status.ONLINE))
        except UplinkError:
            return Closed(Loss.CONNECTION_LOST)
        self._note_opened(first)
        while not worker.stopping.is_set():
            worker.beat()
            if (closed := self._drain.step()) is not None:
                return closed
        self._goodbye(session)
        return Closed(Loss.ASKED)

    def _goodbye(self, session: Session) -> None:
        offline = self._portrait.state(Status.OFFLINE)
        said = self._drain.finish(
            offline,
            last_events_s=_STOP_LAST_EVENTS_S,
            receipts_s=_STOP_RECEIPTS_S,
            goodbye_s=_STOP_GOODBYE_S,
        )
        session.close(with_will=not said, timeout_s=_STOP_CLOSE_S)
        self._budget.save()

    # -- between connections ----------------------------------------------------------------------

    def _await_end(self, session: Session, worker: Worker) -> None:
        """Only one network thread at a time, unless one hangs in the operating system for too long."""
        until = self._clock.monotonic() + _STRANDED_S
        while not worker.stopping.is_set() and self._clock.monotonic() < until:
            worker.beat()
            if session.close(with_will=True, timeout_s=_SLICE_S):
                return
        if not worker.stopping.is_set():
            log.warning("a connection attempt hangs; another one is made beside it")

    def _pause(self, seconds: float, worker: Worker) -> None:
        until = self._clock.monotonic() + seconds
        while (left := until - self._clock.monotonic()) > 0:
            worker.beat()
            if worker.stopping.wait(min(left, _SLICE_S)):
                return

    # -- what is said about it --------------------------------------------------------------------

    def _note_opened(self, opened: Opened) -> None:
        now = self._clock.monotonic()
        count = self._drain.pending(_PENDING_SHOWN_MAX)
        pending = f"{count} pending" if count < _PENDING_SHOWN_MAX else f"{count} or more pending"
        fields = {"fields": {"pending": count, "away_s": round(now - self._since, 1)}}
        if self._connections.made:
            log.info("broker back after %s, %s", _roughly(now - self._since), pending, extra=fields)
        else:
            log.info("connected to the broker, %s", pending, extra=fields)
        for certificate in opened.certificates:
            self._note_certificate(certificate)
        self._connections.made += 1
        self._connected, self._since = True, now

    def _note_certificate(self, certificate: Certificate) -> None:
        days = (certificate.ends - self._clock.utc()).days
        if days < _RENEW_DAYS and self._clock.trusted() and certificate not in self._ending:
            self._ending.add(certificate)
            log.warning("a certificate ends in %d days: %s", days, certificate.whose)

    def _note_closed(self, closed: Closed) -> None:
        if closed.loss is not Loss.ASKED:
            if self._connected:
                log.warning("broker lost: %s", closed)
            elif str(closed) != self._connections.last_error:
                log.warning("no broker: %s", closed)
            self._connections.last_error = str(closed)
        if self._connected:
            self._connected, self._since = False, self._clock.monotonic()


def _roughly(seconds: float) -> str:
    """A duration for people: `40 s`, `4 min`, `2 h 5 min`."""
    minutes = int(seconds) // 60
    if minutes < 1:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"  # noqa: PLR2004 - an hour
