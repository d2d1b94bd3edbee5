"""Events the district asks for again: from the journal, a batch at a time, beside what is new.

Used from the forwarder's thread only. A batch the broker refuses is sent again one event at a time, so that
one event it dislikes keeps back no other.
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from device.uplink.outgoing import batch_room, packet_room
from device.uplink.reasons import Fate, fate
from device.uplink.wire import batch_message, envelope
from device.uplink.wishes import Answer, ReplayAnswer, answer_message

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from device.model import StoredEvent
    from device.runtime import Clock
    from device.uplink.ports import Backlog, Opened
    from device.uplink.wire import GateAddress, Message
    from device.uplink.wishes import Replay

log = logging.getLogger(__name__)

# A consumer asks for one hole at a time; one that asks for more is asked back by nobody.
_REPLAYS_MAX = 8
# One replayed batch at a time is in flight, so that live events always find room.
_REPLAY_EVENTS = 50
# So many events refused one after the other: the broker wants none of them now.
_REFUSED_MAX = 4


@dataclass(slots=True)
class _Asked:
    """One replay and how far it is."""

    replay: Replay
    reply_to: str
    correlation: bytes
    next_seq: int
    alone_through: int = 0
    sent: int = 0
    refused: int = 0
    in_a_row: int = 0


class Replays:
    """The replays that wait, and the answers to them. Implements `device.uplink.extras.Extra`.

    Args:
        backlog: where the events come from.
        address: of this gate.
        clock: for the events' times.
        state: makes the message that says how the gate is, and what it keeps: the answer, for everybody, to
            a wish for something that is not kept.
    """

    vital = False

    def __init__(
        self, *, backlog: Backlog, address: GateAddress, clock: Clock, state: Callable[[], Message]
    ) -> None:
        self._backlog = backlog
        self._address = address
        self._clock = clock
        self._state = state
        self._waiting: deque[_Asked] = deque()
        self._to_say: deque[Message] = deque()
        self._state_due = False
        self._token = 0
        self._under_way: tuple[int, ...] = ()

    def ask(self, replay: Replay, *, reply_to: str = "", correlation: bytes = b"") -> bool:
        """Takes a wish; whether there was room for it. A question with an address gets an answer.

        Args:
            replay: what is asked for, by the district.
            reply_to: topic for the answer; empty for none.
            correlation: goes back with it.
        """
        asked = _Asked(replay, reply_to, correlation, replay.from_seq)
        if len(self._waiting) >= _REPLAYS_MAX:
            self._answer(asked, Answer.BUSY)
            return False
        stats = self._backlog.stats()
        if replay.journal != stats.journal or replay.from_seq < stats.first_seq:
            self._state_due = True
        log.info("replay of %d to %d asked for", replay.from_seq, replay.through_seq)
        if replay.journal != stats.journal:
            self._answer(asked, Answer.ANOTHER_JOURNAL)
        else:
            self._waiting.append(asked)
        return True

    # -- as an extra ------------------------------------------------------------------------------

    def next_message(self, opened: Opened) -> Message | None:
        """The next batch, or what there is to say to a wish; None when there is nothing.

        Raises:
            JournalError: the events cannot be read.
        """
        if self._under_way:
            return None
        if self._state_due:
            self._state_due = False
            return self._state()
        while self._waiting and not self._to_say:
            asked = self._waiting[0]
            parts, seqs, follows = self._batch(asked, opened)
            asked.next_seq = seqs[0] if seqs else follows
            if parts:
                self._under_way = tuple(seqs)
                return batch_message(self._address, parts)
            if follows > asked.replay.through_seq:
                self._end(Answer.DONE)
        return self._to_say.popleft() if self._to_say else None

    def sent(self, token: int) -> None:
        self._token = token if self._under_way else 0

    def receipt(self, token: int, code: int) -> bool:
        if not self._under_way or self._token != token:
            return False
        seqs, self._under_way = self._under_way, ()
        asked = self._waiting[0]
        match fate(code, subscriber_required=False):
            case Fate.DELIVERED:
                self._backlog.take_back(seqs)
                asked.sent += len(seqs)
                asked.in_a_row = 0
                asked.next_seq = seqs[-1] + 1
            case Fate.LATER:
                self._end(Answer.GIVEN_UP)
            case _ if len(seqs) > 1:
                asked.alone_through = seqs[-1]
            case _:
                asked.refused += 1
                asked.in_a_row += 1
                asked.next_seq = seqs[-1] + 1
                if asked.in_a_row >= _REFUSED_MAX:
                    self._end(Answer.GIVEN_UP)
        return True

    def hung_up(self) -> bool:
        if not self._under_way:
            return False
        self._end(Answer.GIVEN_UP)
        return True

    def forget(self) -> None:
        self._under_way = ()

    # -- inside -----------------------------------------------------------------------------------

    def _batch(self, asked: _Asked, opened: Opened) -> tuple[list[bytes], list[int], int]:
        """What goes into the next message: the events, their numbers, and the number that follows."""
        limit = 1 if asked.next_seq <= asked.alone_through else _REPLAY_EVENTS
        through = asked.replay.through_seq
        events = [e for e in self._backlog.read(asked.next_seq, limit) if e.seq <= through]
        if not events:
            return [], [], through + 1
        return self._fitting(events, opened)

    def _fitting(self, events: Sequence[StoredEvent], opened: Opened) -> tuple[list[bytes], list[int], int]:
        """As many as go into one message, from the first on.

        Events that no packet of this broker can hold are left out.
        """
        parts: list[bytes] = []
        seqs: list[int] = []
        room, follows, now = batch_room(opened), events[0].seq, self._clock.reading()
        for event in events:
            part = envelope(self._address, event, now)
            if len(part) <= packet_room(opened):
                if parts and len(part) > room:
                    break
                parts.append(part)
                seqs.append(event.seq)
                room -= len(part) + 1
            follows = event.seq + 1
        return parts, seqs, follows

    def _end(self, how: Answer) -> None:
        self._under_way = ()
        asked = self._waiting.popleft()
        if how is Answer.DONE:
            log.info("replay ended: %d sent, %d refused", asked.sent, asked.refused)
        else:
            log.warning("a replay is given up: the broker refuses it")
        self._answer(asked, how)

    def _answer(self, asked: _Asked, how: Answer) -> None:
        if not asked.reply_to or len(self._to_say) >= _REPLAYS_MAX:
            return
        stats, replay = self._backlog.stats(), asked.replay
        answer = ReplayAnswer(
            answer=how,
            journal=stats.journal,
            from_seq=replay.from_seq,
            through_seq=replay.through_seq,
            sent=asked.sent,
            refused=asked.refused,
            first=stats.first_seq,
        )
        self._to_say.append(answer_message(asked.reply_to, answer, asked.correlation))
