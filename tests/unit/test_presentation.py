from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from device.model import Symbol
from device.presentation import MAX_OPEN_SHOWINGS, Tracker, area

if TYPE_CHECKING:
    from device.model import Corners

ENDS_AFTER_S = 1.0


def square(size: int, at: int = 0) -> Corners:
    return ((at, at), (at + size, at), (at + size, at + size), (at, at + size))


def symbol(content: bytes, size: int = 100) -> Symbol:
    return Symbol(content=content, symbology="QRCode", engine="zxing", corners=square(size))


def test_a_code_held_for_long_is_one_presentation() -> None:
    tracker = Tracker(ENDS_AFTER_S)
    begun = [p for frame in range(100) for p in tracker.observe([symbol(b"a")], frame * 0.9)]
    assert [p.content for p in begun] == [b"a"]


def test_a_code_out_of_view_for_a_moment_goes_on() -> None:
    tracker = Tracker(ENDS_AFTER_S)
    assert len(tracker.observe([symbol(b"a")], 0.0)) == 1
    assert tracker.observe([], 0.5) == ()
    assert tracker.observe([symbol(b"a")], 1.0) == ()


def test_a_code_is_in_view_while_it_is_seen_and_scenery_is_not() -> None:
    tracker = Tracker(ENDS_AFTER_S)
    assert not tracker.in_view
    for second in range(60):
        tracker.observe([symbol(b"poster")], second)
        assert tracker.in_view
    in_view = []
    for at, contents in ((60.0, [b"poster"]), (60.1, [b"poster", b"a"]), (60.2, [b"poster"])):
        tracker.observe([symbol(content) for content in contents], at)
        in_view.append(tracker.in_view)
    assert in_view == [False, True, False]


def test_a_code_that_comes_back_later_is_presented_again() -> None:
    tracker = Tracker(ENDS_AFTER_S)
    tracker.observe([symbol(b"a")], 0.0)
    assert tracker.open == 1
    assert tracker.observe([], 1.1) == ()
    assert tracker.open == 0
    assert len(tracker.observe([symbol(b"a")], 1.2)) == 1


def test_two_codes_in_one_frame_are_two_presentations_nearest_first() -> None:
    begun = Tracker(ENDS_AFTER_S).observe([symbol(b"far", 50), symbol(b"near", 200)], 0.0)
    assert [p.content for p in begun] == [b"near", b"far"]


def test_one_code_found_twice_in_a_frame_is_one_presentation_of_the_nearer() -> None:
    begun = Tracker(ENDS_AFTER_S).observe([symbol(b"a", 50), symbol(b"a", 60)], 3.0)
    assert [(p.corners, p.seen_at) for p in begun] == [(square(60), 3.0)]


def test_codes_are_told_apart_by_bytes_and_known_by_their_digest() -> None:
    composed, decomposed = "ữ".encode(), b"u\xcc\x9b\xcc\x83"
    begun = Tracker(ENDS_AFTER_S).observe([symbol(composed), symbol(decomposed)], 0.0)
    assert {p.digest for p in begun} == {hashlib.sha256(c).digest() for c in (composed, decomposed)}


def test_what_a_code_holds_is_not_in_the_words_for_a_log() -> None:
    (presentation,) = Tracker(ENDS_AFTER_S).observe([symbol(b"048095000111")], 0.0)
    assert "048095000111" not in repr(presentation)


def test_a_wall_of_codes_is_bounded_and_counted() -> None:
    tracker = Tracker(ENDS_AFTER_S)
    wall = [symbol(str(number).encode(), 1 + number) for number in range(MAX_OPEN_SHOWINGS + 10)]
    assert len(tracker.observe(wall, 0.0)) == len(wall)
    assert (tracker.open, tracker.forgotten) == (MAX_OPEN_SHOWINGS, 10)


def test_a_poster_is_answered_once_whoever_stands_in_front_of_it() -> None:
    tracker = Tracker(ENDS_AFTER_S)
    begun = [p for tenth in range(650) for p in tracker.observe([symbol(b"poster")], tenth / 10)]
    assert len(begun) == 1
    assert tracker.observe([], 80.0) == ()
    assert tracker.observe([symbol(b"poster")], 81.0) == ()


def test_a_poster_that_is_taken_off_the_wall_and_held_up_is_answered() -> None:
    tracker = Tracker(ENDS_AFTER_S)
    for tenth in range(650):
        tracker.observe([symbol(b"poster")], tenth / 10)
    held = Symbol(b"poster", "QRCode", "zxing", square(100, at=200))
    assert len(tracker.observe([held], 70.0)) == 1


def test_a_poster_that_was_gone_for_hours_is_answered_again() -> None:
    tracker = Tracker(ENDS_AFTER_S)
    for tenth in range(650):
        tracker.observe([symbol(b"poster")], tenth / 10)
    assert len(tracker.observe([symbol(b"poster")], 4000.0)) == 1


def test_a_code_in_an_unsteady_hand_never_becomes_scenery() -> None:
    tracker = Tracker(ENDS_AFTER_S)
    for tenth in range(900):
        shaken = Symbol(b"a", "QRCode", "zxing", square(100, at=tenth % 3 * 5))
        tracker.observe([shaken], tenth / 10)
    assert len(tracker.observe([symbol(b"a")], 92.0)) == 1


@pytest.mark.parametrize(("ends_after_s", "max_open"), [(-1.0, 1), (1.0, 0)])
def test_senseless_settings_are_refused(ends_after_s: float, max_open: int) -> None:
    with pytest.raises(ValueError, match="at least one"):
        Tracker(ends_after_s, max_open=max_open)


@given(st.integers(min_value=0, max_value=5000), st.integers(min_value=0, max_value=5000))
def test_the_area_does_not_depend_on_where_or_which_way_round(size: int, at: int) -> None:
    corners = square(size, at)
    top_left, top_right, bottom_right, bottom_left = corners
    assert area(corners) == size * size
    assert area((bottom_left, bottom_right, top_right, top_left)) == size * size


class Showings(RuleBasedStateMachine):
    """The tracker beside the plainest model: when was each code seen last."""

    def __init__(self) -> None:
        super().__init__()
        self.tracker = Tracker(ENDS_AFTER_S, max_open=8)
        self.last_seen: dict[bytes, float] = {}
        self.now = 0.0

    @rule(
        codes=st.sets(st.sampled_from([b"a", b"b", b"c", b"d"])),
        passed=st.sampled_from([0.0, 0.25, 1.0, 1.25, 100.0]),
    )
    def a_frame(self, codes: set[bytes], passed: float) -> None:
        self.now += passed
        expected = {
            c for c in codes if c not in self.last_seen or self.now - self.last_seen[c] > ENDS_AFTER_S
        }
        begun = self.tracker.observe([symbol(code) for code in codes], self.now)
        assert {p.content for p in begun} == expected
        assert len(begun) == len(expected)
        self.last_seen |= dict.fromkeys(codes, self.now)

    @invariant()
    def nothing_is_forgotten_below_the_bound(self) -> None:
        assert self.tracker.forgotten == 0
        assert self.tracker.open == sum(self.now - seen <= ENDS_AFTER_S for seen in self.last_seen.values())


TestShowings = Showings.TestCase
