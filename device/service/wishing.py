"""What a consumer asks of the gates: "I have everything up to here", and "send this again". Pure.

The cursor lets a gate forget, so it is only ever a number whose event is in the file. A hole is asked for
when it does not close by itself, one part at a time, and more seldom the longer nothing comes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from device.uplink.state import Status
from device.uplink.wire import GateAddress
from device.uplink.wishes import Cursor, Replay, cursor_message, replay_message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from device.service.books import Book
    from device.uplink.wire import Message

# A cursor a second costs a gate some 300 bytes; sooner only when a backlog is draining.
CURSOR_EVERY_S: Final = 1.0
CURSOR_EVERY_EVENTS: Final = 100
# What is merely late, behind other messages, has arrived by then.
HOLE_AGE_S: Final = 2.0
# A gate on a slow line needs a while for its first batch; nothing after that means that it did not hear.
ANSWER_WITHIN_S: Final = 30.0
# A gate that does not answer is not to be asked all day.
ASK_AGAIN_MAX_S: Final = 600.0
# A minute's work for a gate on a slow line; the next part is asked for when it is here.
REPLAY_MAX_EVENTS: Final = 2000


@dataclass(slots=True)
class _Asked:
    """What a gate was told and asked last."""

    journal: str
    status: Status | None
    cursor: int = 0
    cursor_at: float = 0.0
    hole: int = 0
    through: int = 0
    wait_s: float = ANSWER_WITHIN_S
    next_at: float = 0.0


class Wishing:
    """Decides what is to be said to which gate now. Used by one thread.

    Args:
        sign: with the district's key.

    Attributes:
        cursors: said so far.
        replays: asked for so far.
    """

    def __init__(self, sign: Callable[[bytes], bytes]) -> None:
        self.cursors = 0
        self.replays = 0
        self._sign = sign
        self._asked: dict[str, _Asked] = {}

    def forget(self) -> None:
        """On another connection: the broker may have forgotten the cursors."""
        self._asked.clear()

    def due(self, books: Iterable[Book], now: float) -> Iterator[Message]:
        """What is to be said, gate by gate. A message that is taken from here counts as said.

        Args:
            books: the journals that the gates write now, each with all that is in the file and no more.
            now: `Clock.monotonic()` seconds.
        """
        for book in books:
            asked = self._asked.get(book.gate)
            if asked is None or asked.journal != book.journal:
                asked = self._asked[book.gate] = _Asked(book.journal, book.status, cursor_at=-CURSOR_EVERY_S)
            yield from self._cursor(book, asked, now)
            yield from self._replay(book, asked, now)

    def last(self, books: Iterable[Book]) -> Iterator[Message]:
        """At the end: every cursor that has moved since it was said."""
        for book in books:
            if (asked := self._asked.get(book.gate)) is not None and asked.journal == book.journal:
                yield from self._cursor(book, asked, asked.cursor_at + CURSOR_EVERY_S)

    def _cursor(self, book: Book, asked: _Asked, now: float) -> Iterator[Message]:
        through = book.numbers.stored_through
        moved = through - asked.cursor
        if moved >= CURSOR_EVERY_EVENTS or (moved > 0 and now - asked.cursor_at >= CURSOR_EVERY_S):
            asked.cursor, asked.cursor_at = through, now
            self.cursors += 1
            yield cursor_message(GateAddress.of(book.gate), Cursor(book.journal, through), self._sign)

    def _replay(self, book: Book, asked: _Asked, now: float) -> Iterator[Message]:
        missing = book.numbers.missing
        came_back = asked.status is not book.status
        asked.status = book.status
        if not missing or book.status in {Status.OFFLINE, Status.LOST}:
            asked.hole = 0
            return
        hole = missing[0]
        if asked.hole != hole.first or came_back:
            answered = asked.hole and asked.hole < hole.first <= asked.through
            complete = asked.hole and hole.first == asked.through + 1
            asked.wait_s = ANSWER_WITHIN_S
            asked.next_at = now + (ANSWER_WITHIN_S if answered else 0 if complete else HOLE_AGE_S)
            asked.hole = hole.first
        if now < asked.next_at:
            return
        asked.through = min(hole.last, hole.first + REPLAY_MAX_EVENTS - 1)
        asked.next_at = now + asked.wait_s
        asked.wait_s = min(2 * asked.wait_s, ASK_AGAIN_MAX_S)
        self.replays += 1
        wanted = Replay(book.journal, hole.first, asked.through)
        yield replay_message(GateAddress.of(book.gate), wanted, self._sign)
