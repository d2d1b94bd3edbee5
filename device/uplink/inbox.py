"""What comes in: the district's wishes, and signs of a second device that says it is this gate.

Nothing here is believed unsigned but one thing: somebody else's state under our name, which costs nothing
to mistrust. Used from the forwarder's thread only.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from device.uplink.state import Status, parse_state
from device.uplink.wishes import cursor_topic, may_answer, parse_cursor, parse_replay

if TYPE_CHECKING:
    from device.runtime import Clock
    from device.uplink.ports import Backlog, Incoming
    from device.uplink.replays import Replays
    from device.uplink.state import GateState
    from device.uplink.wire import GateAddress
    from device.uplink.wishes import Verify

log = logging.getLogger(__name__)

# Our own words for what is wrong are fewer; signed wishes for journals we do not know end here.
_KINDS_TOLD_MAX = 32

# What a clock is put right by while it counts as set.
_CLOCK_STEPS = timedelta(seconds=30)


class Inbox:
    """Takes in messages for the gate.

    Args:
        backlog: whose cursor is confirmed.
        replays: takes the replays that are asked for.
        address: of this gate.
        clock: knows our boot from another device's.
        verify: whether a signature is the district's; None while no district is known, and then no wish
            is taken.

    Attributes:
        twin: whether another device has said that it is this gate.
    """

    def __init__(
        self,
        *,
        backlog: Backlog,
        replays: Replays,
        address: GateAddress,
        clock: Clock,
        verify: Verify | None,
    ) -> None:
        self.twin = False
        self._backlog = backlog
        self._replays = replays
        self._address = address
        self._verify = verify
        self._told: set[str] = set()
        self._clock = clock
        self._boot = clock.reading().boot

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
            self._look_for_twin(message.payload, retained=message.retained)
        elif self._verify is not None:
            try:
                if message.topic == cursor_topic(self._address):
                    cursor = parse_cursor(message.payload, self._address, self._verify)
                    if not self._backlog.confirm(cursor.journal, cursor.seq):
                        self._tell_once(f"the district's cursor is for another journal, {cursor.journal}")
                elif message.topic == self._address.cmd("replay"):
                    self._replay(message, self._verify)
            except ValueError as error:
                self._tell_once(f"a wish is refused: {error}")

    def _replay(self, message: Incoming, verify: Verify) -> None:
        replay = parse_replay(message.payload, self._address, verify)
        reply_to, correlation = message.reply_to, message.correlation
        if reply_to and not may_answer(self._address, reply_to, correlation):
            self._tell_once("a wish wants its answer where no answers go")
            reply_to = ""
        if not self._replays.ask(replay, reply_to=reply_to, correlation=correlation):
            self._tell_once("a replay is refused: too many wait already")

    def _tell_once(self, text: str) -> None:
        """Anybody may send nonsense, as often as they like; the log gets each kind of it once."""
        if text not in self._told and len(self._told) < _KINDS_TOLD_MAX:
            self._told.add(text)
            log.warning("%s", text)

    def _look_for_twin(self, payload: bytes, *, retained: bool) -> None:
        try:
            state = parse_state(payload)
        except ValueError:
            return
        if self.twin or state.boot == self._boot:
            return
        # What an earlier boot of this device left is no twin's; a broker that lost power with us may still
        # have its "online". Of two that throw each other out, each finds only what the other has left.
        if self._since_our_start(state) or (state.status is Status.ONLINE and not retained):
            self.twin = True
            log.warning("another device says that it is this gate: %s", self._address.path)

    def _since_our_start(self, state: GateState) -> bool:
        """Whether it was written since this boot began, which no other boot of this device can have."""
        if not (state.trusted and self._clock.trusted()):
            return False
        try:
            written = datetime.fromisoformat(state.since)
        except ValueError:
            return False
        began = self._clock.utc() - timedelta(seconds=self._clock.monotonic())
        return written.tzinfo is not None and written > began + _CLOCK_STEPS
