"""What comes in: the district's wishes, and signs of a second device that says it is this gate.

Nothing here is believed unsigned but one thing: somebody else's "online" under our name, which costs
nothing to mistrust. Used from the forwarder's thread only.
"""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING

from device.uplink.outgoing import batch_room, packet_room
from device.uplink.reasons import Fate, fate
from device.uplink.state import Status, parse_state
from device.uplink.wire import batch_message, envelope
from device.uplink.wishes import Replay, cursor_topic, parse_cursor, parse_replay

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from device.model import StoredEvent
    from device.runtime import Clock
    from device.uplink.ports import Backlog, Incoming, Opened
    from device.uplink.wire import GateAddress, Message
    from device.uplink.wishes import Verify

log = logging.getLogger(__name__)

# A consumer asks for one hole at a time; one that asks for more is asked back by nobody.
_REPLAYS_MAX = 8
# One replayed batch at a time is in flight, so that live events always find room.
_REPLAY_EVENTS = 50
# Our own words for what is wrong are fewer; signed wishes for journals we do not know end here.
_KINDS_TOLD_MAX = 32


class Inbox:
    """Takes in messages for the gate and keeps the replays that are asked for.

    Args:
        backlog: whose cursor is confirmed, and where replayed events come from.
        address: of this gate.
        clock: for the replayed events' times.
        state: makes the message that says how the gate is, and what it keeps: the answer to a wish for
            something that is not kept.
        verify: whether a signature is the district's; None while no district is known, and then no wish
            is taken.

    Attributes:
        twin: whether another device has said that it is this gate.
    """

    def __init__(
        self,
        *,
        backlog: Backlog,
        address: GateAddress,
        clock: Clock,
        state: Callable[[], Message],
        verify: Verify | None,
    ) -> None:
        self.twin = False
        self._backlog = backlog
        self._address = address
        self._clock = clock
        self._state = state
        self._verify = verify
        self._told: set[str] = set()
        self._answer_due = False
        self._boot = clock.reading().boot
        self._replays: deque[Replay] = deque()
        self._in_flight: tuple[int, int] | None = None  # token, and the seq that follows its events

    @property
    def topics(self) -> tuple[str, ...]:
        """What to subscribe to."""
        wishes = (cursor_topic(self._address), self._address.cmd("replay")) if self._verify else ()
        return (self._address.state, *wishes)

    def take(self, message: Incoming) -> None:
        """Looks at one message and does what it asks, if it may ask for it.

        Raises:
            JournalError: the cursor cannot be moved.
        """
        if message.topic == self._address.state:
            # A broker that lost power with us still has what our boot before said.
            if not message.retained:
                self._look_for_twin(message.payload)
        elif self._verify is not None:
            try:
                if message.topic == cursor_topic(self._address):
                    cursor = parse_cursor(message.payload, self._address, self._verify)
                    if not self._backlog.confirm(cursor.journal, cursor.seq):
                        self._tell_once(f"the district's cursor is for another journal, {cursor.journal}")
                elif message.topic == self._address.cmd("replay"):
                    self._ask(parse_replay(message.payload, self._address, self._verify))
            except ValueError as error:
                self._tell_once(f"a wish is refused: {error}")

    def _tell_once(self, text: str) -> None:
        """Anybody may send nonsense, as often as they like; the log gets each kind of it once."""
        if text not in self._told and len(self._told) < _KINDS_TOLD_MAX:
            self._told.add(text)
            log.warning("%s", text)

    # -- replay -----------------------------------------------------------------------------------

    def next_message(self, opened: Opened) -> Message | None:
        """The next batch of a replay, or what we have to say to one; None when there is nothing.

        One batch at a time is in flight.

        Args:
            opened: what the broker grants.

        Raises:
            JournalError: the events cannot be read.
        """
        if self._in_flight is not None:
            return None
        if self._answer_due:
            self._answer_due = False
            return self._state()
        while self._replays:
            replay = self._replays[0]
            events = [
                event
                for event in self._backlog.read(replay.from_seq, _REPLAY_EVENTS)
                if event.seq <= replay.through_seq and event.journal == replay.journal
            ]
            if not events:
                log.info("replay ended")
                self._replays.popleft()
                continue
            parts, through = self._fitting(events, opened)
            if parts:
                self._in_flight = (0, through + 1)
                return batch_message(self._address, parts)
            self._replays[0] = Replay(replay.journal, through + 1, replay.through_seq)
        return None

    def _fitting(self, events: Sequence[StoredEvent], opened: Opened) -> tuple[list[bytes], int]:
        """As many as go into one message, from the first on, and the last one's number.

        Events that no packet of this broker can hold are left out.
        """
        parts: list[bytes] = []
        room, through, now = batch_room(opened), events[0].seq, self._clock.reading()
        for event in events:
            part = envelope(self._address, event, now)
            if len(part) <= packet_room(opened):
                if parts and len(part) > room:
                    break
                parts.append(part)
                room -= len(part) + 1
            through = event.seq
        return parts, through

    def replayed(self, token: int) -> None:
        """The batch is on its way."""
        if self._in_flight is not None:
            self._in_flight = (token, self._in_flight[1])

    def receipt(self, token: int, code: int) -> bool:
        """Whether this receipt was for a replayed batch; if so, the replay goes on or is given up."""
        if self._in_flight is None or self._in_flight[0] != token:
            return False
        _, follows = self._in_flight
        self._in_flight = None
        replay = self._replays.popleft()
        if fate(code, subscriber_required=False) is not Fate.DELIVERED:
            log.warning("a replay is given up: the broker refuses it")
        elif follows <= replay.through_seq:
            self._replays.appendleft(Replay(replay.journal, follows, replay.through_seq))
        return True

    def give_up(self) -> None:
        """The broker hung up because of a packet, and it was none of the live events."""
        if self._in_flight is not None:
            log.warning("a replay is given up: the broker rejects a packet of it")
            self._replays.popleft()
            self._in_flight = None

    def forget(self) -> None:
        """The connection has ended: a batch that was in flight is sent again."""
        self._in_flight = None

    def _ask(self, replay: Replay) -> None:
        if len(self._replays) >= _REPLAYS_MAX:
            self._tell_once(f"a replay is refused: {_REPLAYS_MAX} wait already")
            return
        stats = self._backlog.stats()
        if replay.journal != stats.journal or replay.from_seq < stats.first_seq:
            self._answer_due = True
        log.info("replay of %d to %d asked for", replay.from_seq, replay.through_seq)
        self._replays.append(replay)

    # -- twins ------------------------------------------------------------------------------------

    def _look_for_twin(self, payload: bytes) -> None:
        try:
            state = parse_state(payload)
        except ValueError:
            return
        # What an earlier boot of this device left says "lost" or "offline" by the time we are back.
        if state.status is Status.ONLINE and state.boot != self._boot and not self.twin:
            self.twin = True
            log.warning("another device says that it is this gate: %s", self._address.path)
