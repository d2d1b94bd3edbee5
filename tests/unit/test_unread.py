from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from device.model import Cause, Corners, Symbol, Unread
from device.scenery import centre_of, side_of
from device.unread import MAX_FOLLOWED, UnreadWatch


def square(x: int, y: int, side: int = 100) -> Corners:
    return (x, y), (x + side, y), (x + side, y + side), (x, y + side)


def unread(x: int = 300, y: int = 200, cause: Cause = Cause.BLURRED) -> Unread:
    return Unread(square(x, y), cause)


class Hand:
    """Holds something in view, a little unsteadily, at ten frames a second."""

    def __init__(self) -> None:
        self.watch = UnreadWatch(tell_after_s=0.3, ends_after_s=1.0)
        self.now = 100.0

    def hold(self, seconds: float, *sights: Unread, symbols: tuple[Symbol, ...] = ()) -> list[Unread]:
        told: list[Unread] = []
        for frame in range(round(seconds * 10)):
            self.now += 0.1
            shaken = [
                Unread(square(s.corners[0][0] + frame % 3 * 8, s.corners[0][1]), s.cause) for s in sights
            ]
            told += self.watch.observe(shaken, symbols, self.now)
        return told


def test_what_is_not_read_for_a_while_is_told_once_with_its_cause() -> None:
    assert [told.cause for told in Hand().hold(5, unread(cause=Cause.GLARE))] == [Cause.GLARE]


def test_a_code_that_is_read_soon_is_not_told() -> None:
    hand = Hand()
    assert hand.hold(0.2, unread()) == []
    read = Symbol(b"x", "QRCode", "zxing", square(300, 200))
    assert hand.hold(0.5, symbols=(read,)) == []
    assert hand.hold(0.2, unread()) == []


def test_the_commonest_cause_is_told() -> None:
    hand = Hand()
    hand.hold(0.1, unread(cause=Cause.CUT_OFF))
    assert [told.cause for told in hand.hold(1, unread(cause=Cause.DARK))] == [Cause.DARK]


def test_the_next_person_is_told_again() -> None:
    hand = Hand()
    assert len(hand.hold(2, unread())) == 1
    hand.hold(1.5)
    assert len(hand.hold(2, unread())) == 1


def test_two_people_are_told_apart() -> None:
    assert len(Hand().hold(2, unread(100), unread(700))) == 2


def test_a_texture_seen_in_one_frame_is_nobody() -> None:
    hand = Hand()
    assert hand.hold(0.1, unread()) + hand.hold(0.5) + hand.hold(0.1, unread()) == []


def test_something_that_never_moves_is_told_once_and_then_belongs_to_the_place() -> None:
    watch = UnreadWatch(tell_after_s=0.3, ends_after_s=1.0)
    told = [t for tenth in range(700) for t in watch.observe([unread()], (), tenth / 10)]
    assert len(told) == 1
    # Somebody stands in front of it for ten minutes; then it is there again.
    told = [t for tenth in range(6300, 6400) for t in watch.observe([unread()], (), tenth / 10)]
    assert told == []


def test_a_wall_of_almost_codes_is_followed_up_to_the_bound() -> None:
    watch = UnreadWatch(tell_after_s=0.0, ends_after_s=1.0)
    wall = [unread(x * 500, y * 500) for x in range(20) for y in range(20)]
    told = [t for frame in range(5) for t in watch.observe(wall, (), frame / 10)]
    assert len(told) == MAX_FOLLOWED


@given(st.lists(st.tuples(st.integers(0, 1280), st.integers(0, 720), st.floats(0, 3)), max_size=60))
def test_nothing_is_told_before_its_time(sights: list[tuple[int, int, float]]) -> None:
    watch = UnreadWatch(tell_after_s=1000.0, ends_after_s=1.0)
    now = 0.0
    for x, y, later in sights:
        now += later
        assert watch.observe([unread(x, y)], (), now) == ()


def test_middle_and_side_of_a_square() -> None:
    assert centre_of(square(10, 20)) == (60, 70)
    assert side_of(square(10, 20)) == 100
