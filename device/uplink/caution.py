"""What refusals are taken for: this event is bad, or we are not allowed now. Pure but for the clock.

A broker whose rights are broken refuses every event with the same word it has for one bad event ("not
authorized"). Setting events aside on its word alone would empty the whole journal past it. So:

* what is about the packet itself (too large, payload format) is set aside at once; slowly, if many in a row;
* "later" (quota, busy, nobody subscribed) is waited for, however long;
* anything else holds the line. Now and then a later event is offered as a probe: only when one is taken and
  the first still is not, it is set aside. Until then nothing is passed by.

While it holds, one event at a time is offered, with growing delays.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from device.uplink.reasons import Fate, fate, words

if TYPE_CHECKING:
    from device.model import StoredEvent
    from device.runtime import Clock
    from device.uplink.backoff import Backoff

# So often an event is offered alone before a later one is tried in its place, or it takes the blame.
_TRIES_MAX = 4
# So many events refused for their own sake, none taken in between: it is hardly the events.
_IN_A_ROW_MAX = 20
# The probe is taken from ever further behind: neighbours may share what the broker dislikes.
_PROBE_DOUBLINGS_MAX = 9


class Judged(Enum):
    """What to do with the events of a receipt."""

    DELIVERED = auto()
    AGAIN = auto()
    SET_ASIDE = auto()


class Caution:
    """Judges receipts, says how carefully to go on. Used from the forwarder's thread; lives over connections.

    Args:
        clock: for the delays.
        backoff: draws them.
        subscriber_required: whether an event nobody subscribes to waits for somebody who does.

    Attributes:
        why: while the broker takes no events: its words; empty otherwise. May be read from any thread.
    """

    def __init__(self, *, clock: Clock, backoff: Backoff, subscriber_required: bool) -> None:
        self.why = ""
        self._clock = clock
        self._backoff = backoff
        self._subscriber_required = subscriber_required
        self._until = 0.0
        # Up to this seq one event at a time: one of them made the broker refuse a batch or hang up.
        self._careful_through = 0
        # The event that was refused alone last, and how often; whether a later one was taken since.
        self._tries = (0, 0)
        self._others_taken = False
        self._in_a_row = 0

    def careful(self, event: StoredEvent) -> bool:
        """Whether this event goes alone, with nothing else under way."""
        return bool(self.why) or event.seq <= self._careful_through

    def wait_s(self) -> float:
        """How long nothing is to be sent, seconds; 0 or less for not at all."""
        return self._until - self._clock.monotonic()

    def judge(self, events: tuple[StoredEvent, ...], code: int) -> Judged:
        """What becomes of a message's events, by its receipt."""
        match fate(code, subscriber_required=self._subscriber_required):
            case Fate.DELIVERED:
                self._flowing(events[-1].seq)
                return Judged.DELIVERED
            case Fate.LATER:
                self._hold(code)
            case _ if len(events) > 1:
                self.suspect(events)
            case Fate.REFUSED:
                return self._refused(code)
            case Fate.DOUBTFUL:
                self.suspect(events)
                if self._tried(events[0]) >= _TRIES_MAX and self._others_taken:
                    return Judged.SET_ASIDE
                self._hold(code, silently=self._others_taken)
        return Judged.AGAIN

    def _refused(self, code: int) -> Judged:
        self._in_a_row += 1
        if self._in_a_row >= _IN_A_ROW_MAX:
            self._hold(code)
        return Judged.SET_ASIDE

    def hung_up(self, events: tuple[StoredEvent, ...]) -> bool:
        """The broker ended the connection because of one of these; whether it is known which, for good."""
        self.suspect(events)
        return len(events) == 1 and self._tried(events[0]) >= _TRIES_MAX

    def suspect(self, events: tuple[StoredEvent, ...]) -> None:
        """Each of these goes alone from now on."""
        self._careful_through = max(self._careful_through, events[-1].seq)

    def probe_behind(self, head: StoredEvent) -> int:
        """How far behind the next event a probe is to be taken now; 0 for no probe."""
        seq, tries = self._tries
        if not self.why or seq != head.seq or not tries or tries % _TRIES_MAX:
            return 0
        return 1 << min(tries // _TRIES_MAX - 1, _PROBE_DOUBLINGS_MAX)

    def probed(self, head: StoredEvent, code: int) -> None:
        """The receipt of a probe from behind the head."""
        if fate(code, subscriber_required=self._subscriber_required) is Fate.DELIVERED:
            self._flowing(head.seq + 1)
        else:
            self._tried(head)
            self._hold(code)

    def no_probe(self, head: StoredEvent) -> None:
        """There was nothing behind it; it is tried itself."""
        self._tried(head)

    def _tried(self, event: StoredEvent) -> int:
        seq, tries = self._tries
        if seq != event.seq:
            tries, self._others_taken = 0, False
        self._tries = (event.seq, tries + 1)
        return tries + 1

    def _flowing(self, seq: int) -> None:
        self._in_a_row = 0
        self.why = ""
        self._backoff.reset()
        if seq > self._tries[0]:
            self._others_taken = True

    def _hold(self, code: int, *, silently: bool = False) -> None:
        if not silently:
            self.why = words(code)
        if self.wait_s() <= 0:  # a full window's receipts are one answer, not twenty
            self._until = self._clock.monotonic() + self._backoff.delay_s()
