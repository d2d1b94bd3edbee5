from __future__ import annotations

import pytest

from device.service.books import Book
from device.service.numbers import Numbers
from device.service.wishing import (
    ANSWER_WITHIN_S,
    ASK_AGAIN_MAX_S,
    CURSOR_EVERY_S,
    HOLE_AGE_S,
    REPLAY_MAX_EVENTS,
    Wishing,
)
from device.uplink.state import Status
from device.uplink.wishes import Cursor, Replay, cursor_topic, parse_cursor, parse_replay
from tests.support.uplinks import ADDRESS

SIGNATURE = b"s" * 64


class Talk:
    """What is said to one gate as time goes by."""

    def __init__(self, *, through: int = 0, status: Status | None = Status.ONLINE) -> None:
        self.wishing = Wishing(lambda _: SIGNATURE)
        self.numbers = Numbers(through)
        self.status = status
        self.journal = "j1"
        self.now = 100.0

    def after(self, seconds: float) -> list[Cursor | Replay]:
        self.now += seconds
        return self.read(self.wishing.due([self.book], self.now))

    @property
    def book(self) -> Book:
        return Book(ADDRESS.path, self.journal, current=True, status=self.status, numbers=self.numbers)

    def read(self, messages: object) -> list[Cursor | Replay]:
        said: list[Cursor | Replay] = []
        for message in messages:  # type: ignore[attr-defined] # an iterator of messages
            if message.topic == cursor_topic(ADDRESS):
                assert message.retain
                said.append(parse_cursor(message.payload, ADDRESS, lambda *_: True))
            else:
                assert (message.topic, message.retain) == (ADDRESS.cmd("replay"), False)
                said.append(parse_replay(message.payload, ADDRESS, lambda *_: True))
        return said


# -- the cursor -----------------------------------------------------------------------------------


def test_a_cursor_is_said_at_once_then_at_most_every_second() -> None:
    talk = Talk()
    assert talk.after(0) == []
    talk.numbers.take(1)
    assert talk.after(0) == [Cursor("j1", 1)]
    talk.numbers.take(2)
    assert talk.after(CURSOR_EVERY_S / 2) == []
    talk.numbers.take(3)
    assert talk.after(CURSOR_EVERY_S / 2) == [Cursor("j1", 3)]
    assert talk.after(10) == []


def test_in_a_drain_it_is_said_every_hundred_events() -> None:
    talk = Talk(through=1)
    assert talk.after(0) == [Cursor("j1", 1)]
    for number in range(2, 101):
        talk.numbers.take(number)
    assert talk.after(0.01) == []
    talk.numbers.take(101)
    assert talk.after(0.01) == [Cursor("j1", 101)]


def test_it_never_passes_a_hole() -> None:
    talk = Talk(through=5)
    talk.numbers.take(9)
    assert talk.after(0) == [Cursor("j1", 5)]


def test_it_never_passes_what_is_really_here_whatever_a_gate_claims() -> None:
    talk = Talk(through=5)
    talk.numbers.write_off(1000)
    assert talk.after(0) == [Cursor("j1", 5)]


def test_on_another_connection_and_for_another_journal_it_is_said_anew() -> None:
    talk = Talk(through=5)
    assert talk.after(0) == [Cursor("j1", 5)]
    talk.wishing.forget()
    assert talk.after(0) == [Cursor("j1", 5)]
    talk.journal, talk.numbers = "j2", Numbers(1)
    assert talk.after(0) == [Cursor("j2", 1)]


def test_the_last_word_is_the_newest_cursor_however_soon() -> None:
    talk = Talk(through=5)
    talk.after(0)
    talk.numbers.take(6)
    assert talk.read(talk.wishing.last([talk.book])) == [Cursor("j1", 6)]
    assert talk.read(talk.wishing.last([talk.book])) == []


# -- replays --------------------------------------------------------------------------------------


def with_hole(first: int, last: int) -> Talk:
    talk = Talk(through=first - 1)
    talk.after(0)
    talk.numbers.take(last + 1)
    assert talk.after(0) == []
    return talk


def test_a_hole_that_stays_is_asked_for_and_again_more_and_more_seldom() -> None:
    talk = with_hole(6, 8)
    assert talk.after(HOLE_AGE_S - 0.1) == []
    assert talk.after(0.1) == [Replay("j1", 6, 8)]
    wait_s = ANSWER_WITHIN_S
    for _ in range(8):
        assert talk.after(wait_s - 0.1) == []
        assert talk.after(0.1) == [Replay("j1", 6, 8)]
        wait_s = min(2 * wait_s, ASK_AGAIN_MAX_S)


def test_a_hole_that_closes_by_itself_is_not_asked_for() -> None:
    talk = with_hole(6, 6)
    talk.numbers.take(6)
    assert talk.after(HOLE_AGE_S) == [Cursor("j1", 7)]
    assert talk.after(60) == []


def test_a_long_hole_is_asked_for_in_parts_the_next_when_one_is_here() -> None:
    talk = with_hole(6, 6 + 2 * REPLAY_MAX_EVENTS)
    first = 6 + REPLAY_MAX_EVENTS
    assert talk.after(HOLE_AGE_S) == [Replay("j1", 6, first - 1)]
    for number in range(6, first - 1):
        talk.numbers.take(number)
    # It is being answered: not asked again as long as something comes within the time.
    assert talk.after(ANSWER_WITHIN_S) == [Cursor("j1", first - 2)]
    talk.numbers.take(first - 1)
    assert Replay("j1", first, first + REPLAY_MAX_EVENTS - 1) in talk.after(0.1)


@pytest.mark.parametrize("status", [Status.OFFLINE, Status.LOST])
def test_a_gate_that_is_away_is_asked_soon_after_it_is_back(status: Status) -> None:
    talk = with_hole(6, 8)
    talk.status = status
    assert talk.after(60) == []
    talk.status = Status.ONLINE
    assert talk.after(60) == []
    assert talk.after(HOLE_AGE_S) == [Replay("j1", 6, 8)]


def test_a_gate_of_which_nothing_is_known_is_asked_too() -> None:
    talk = Talk(through=5, status=None)
    talk.numbers.take(9)
    assert talk.after(0) == [Cursor("j1", 5)]
    assert talk.after(HOLE_AGE_S) == [Replay("j1", 6, 8)]
    assert (talk.wishing.cursors, talk.wishing.replays) == (1, 1)
