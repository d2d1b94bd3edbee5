"""`gate-scanner watch`: a small consumer at the far end, which shows how the wire contract is to be used.

Every message is stored before it is acknowledged, so the broker may lose its memory and this process its
life at any moment: what one of them forgets, the other or the gate still has. With a key it also confirms
to the gates what is stored, which lets them forget, and asks for what is missing.

One thread does everything: it takes what has arrived, stores it in one commit, acknowledges it, tells it,
and says what is to be said to the gates.
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from device.errors import UplinkError
from device.service.news import Arrived
from device.uplink.health import parse_health
from device.uplink.state import parse_state
from device.uplink.wire import GateAddress, parse_events

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Sequence

    from device.runtime import Clock
    from device.service.news import News
    from device.service.store import Store
    from device.service.wishing import Wishing
    from device.uplink.backoff import Backoff
    from device.uplink.consumer import Delivery
    from device.uplink.health import Explained
    from device.uplink.state import GateState
    from device.uplink.wire import Message, WireEvent

log = logging.getLogger(__name__)

# How soon the wish to stop is noticed, and how often the gates are looked through for wishes.
_SLICE_S: Final = 0.25
# A connection that held this long was a good one: the next failure starts with short delays again.
_STABLE_S: Final = 60.0
# At the end: for the receipts of the last cursors.
_GOODBYE_S: Final = 1.0
# Wishes that wait for room: a cursor for each gate of a large district. More are made again later.
_OUTBOX_MAX: Final = 5000
# A gate's topics are shorter; and so many kinds of nonsense are enough to know.
_TOPIC_SHOWN: Final = 200
_TOLD_MAX: Final = 100
# No journal counts so far, and JSON's and SQLite's numbers end there.
_SEQ_MAX: Final = 2**53 - 1


class Feed(Protocol):
    """One connection to the broker, used once; see `device.uplink.consumer.Subscription`."""

    def open(self) -> None:
        """Connects and subscribes. Blocks. Raises UplinkError."""
        ...

    def take(self, timeout_s: float) -> tuple[Delivery, ...]:
        """What has arrived; waits for the first. Raises UplinkError when the connection has ended."""
        ...

    def acknowledge(self, deliveries: Iterable[Delivery]) -> None:
        """They are stored."""
        ...

    def publish(self, message: Message) -> bool:
        """Whether there was room. Does not wait."""
        ...

    @property
    def outstanding(self) -> int:
        """Our messages without a receipt."""
        ...

    @property
    def refused(self) -> str:
        """Why the broker last refused a message of ours; empty for never."""
        ...

    def close(self) -> None:
        """Leaves. May be called again."""
        ...


@dataclass(slots=True)
class Tally:
    """What one run has seen.

    Attributes:
        messages: that arrived, of any kind.
        events: in them, repeats included.
        new: events that were not here before.
        unreadable: messages that are not what the contract describes; acknowledged and not kept.
        connections: that were accepted.
    """

    messages: int = 0
    events: int = 0
    new: int = 0
    unreadable: int = 0
    connections: int = 0


class Watch:
    """Consumes until told to stop. Used by one thread.

    Args:
        store: where everything goes.
        feed: makes a connection; called once per attempt.
        clock: for delays and quiet.
        backoff: delays between attempts.
        tell: is handed what is new, after it is stored.
        wishing: what to say to the gates; None to say nothing.
    """

    def __init__(
        self,
        *,
        store: Store,
        feed: Callable[[], Feed],
        clock: Clock,
        backoff: Backoff,
        tell: Callable[[News], None],
        wishing: Wishing | None = None,
    ) -> None:
        self.tally = Tally()
        self._store = store
        self._feed = feed
        self._clock = clock
        self._backoff = backoff
        self._tell = tell
        self._wishing = wishing
        self._outbox: deque[Message] = deque()
        self._moved_at = 0.0
        self._refused = ""
        self._trouble = ""
        self._told: set[str] = set()

    def run(self, stop: threading.Event, *, until_quiet_s: float | None = None) -> None:
        """Blocks until `stop` is set, or until nothing has arrived on an open connection for so long.

        Raises:
            JournalError: the store cannot be written. What was not stored was not acknowledged either.
        """
        while not stop.is_set():
            feed = self._feed()
            opened_at: float | None = None
            try:
                feed.open()
                opened_at = self._moved_at = self._clock.monotonic()
                self._note_opened()
                if self._consume(feed, stop, until_quiet_s):
                    self._say_the_last(feed)
                    return
            except UplinkError as error:
                self._note_closed(str(error), was_open=opened_at is not None)
            finally:
                feed.close()
            if opened_at is not None and self._clock.monotonic() - opened_at > _STABLE_S:
                self._backoff.reset()
            stop.wait(self._backoff.delay_s())

    # -- one connection ---------------------------------------------------------------------------

    def _consume(self, feed: Feed, stop: threading.Event, until_quiet_s: float | None) -> bool:
        """Returns True when it is time to go."""
        while not stop.is_set():
            deliveries = feed.take(_SLICE_S)
            now = self._clock.monotonic()
            if deliveries:
                self._moved_at = now
                self._take_in(feed, deliveries)
            elif until_quiet_s is not None and now - self._moved_at >= until_quiet_s:
                return True
            self._say(feed)
        return True

    def _take_in(self, feed: Feed, deliveries: Sequence[Delivery]) -> None:
        events: list[WireEvent] = []
        states: list[tuple[str, GateState]] = []
        healths: list[tuple[str, Explained]] = []
        for delivery in deliveries:
            try:
                self._read(delivery, events, states, healths)
            except ValueError as error:
                self.tally.unreadable += 1
                self._tell_once(f"a message on {delivery.topic[:_TOPIC_SHOWN] or '?'} is not kept: {error}")
        news = self._store.take(events, states, healths)
        feed.acknowledge(deliveries)
        self.tally.messages += len(deliveries)
        self.tally.events += len(events)
        for item in news:
            self.tally.new += isinstance(item, Arrived)
            self._tell(item)

    def _tell_once(self, text: str) -> None:
        """A gate that talks nonsense does so often; the summary counts it."""
        if text not in self._told and len(self._told) < _TOLD_MAX:
            self._told.add(text)
            log.warning("%s", text)

    def _read(
        self,
        delivery: Delivery,
        events: list[WireEvent],
        states: list[tuple[str, GateState]],
        healths: list[tuple[str, Explained]],
    ) -> None:
        path, _, kind = delivery.topic.rpartition("/")
        match kind:
            case "state":
                if delivery.payload:  # an empty one says that the gate was taken away for good
                    states.append((GateAddress.of(path).path, parse_state(delivery.payload)))
            case "health":
                if delivery.payload:
                    healths.append((GateAddress.of(path).path, parse_health(delivery.payload)))
            case "event":
                found = parse_events(delivery.payload)
                if any(event.source != path for event in found):
                    raise ValueError("it speaks for another gate")
                if any(event.seq > _SEQ_MAX for event in found):
                    raise ValueError("a number beyond any journal's")
                events += found
            case _:
                raise ValueError("neither events nor a state nor a health")

    # -- to the gates -----------------------------------------------------------------------------

    def _say(self, feed: Feed) -> None:
        if self._wishing is None:
            return
        if not self._outbox:
            for message in self._wishing.due(self._store.current, self._clock.monotonic()):
                self._outbox.append(message)
                if len(self._outbox) >= _OUTBOX_MAX:
                    break
        while self._outbox and feed.publish(self._outbox[0]):
            self._outbox.popleft()
        if feed.refused != self._refused:
            self._refused = feed.refused
            log.warning("the broker refuses what is said to the gates: %s", self._refused)

    def _say_the_last(self, feed: Feed) -> None:
        if self._wishing is None:
            return
        self._outbox.extend(self._wishing.last(self._store.current))
        until = self._clock.monotonic() + _GOODBYE_S
        while (self._outbox or feed.outstanding) and self._clock.monotonic() < until:
            while self._outbox and feed.publish(self._outbox[0]):
                self._outbox.popleft()
            # What arrives now is not acknowledged: it comes again next time.
            feed.take(_SLICE_S / 5)

    # -- what is said about it --------------------------------------------------------------------

    def _note_opened(self) -> None:
        self.tally.connections += 1
        log.info("connected to the broker" if self.tally.connections == 1 else "broker back")
        self._trouble = ""
        self._outbox.clear()
        if self._wishing is not None:
            self._wishing.forget()

    def _note_closed(self, why: str, *, was_open: bool) -> None:
        if was_open:
            log.warning("broker lost: %s", why)
        elif why != self._trouble:
            log.warning("no broker: %s", why)
        self._trouble = why
