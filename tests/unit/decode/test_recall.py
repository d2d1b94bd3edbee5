from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from device.decode.finding import SYMBOLOGY, Look
from device.decode.recall import Recall
from device.model import Corners, Symbol


def _at(x: int, side: int = 100) -> Corners:
    return (x, 0), (x + side, 0), (x + side, side), (x, side)


def _symbol(content: bytes, x: int = 0) -> Symbol:
    return Symbol(content, SYMBOLOGY, "zxing", _at(x))


looks = st.builds(
    Look,
    symbols=st.lists(st.builds(_symbol, st.binary(min_size=1, max_size=2), st.integers(0, 900))).map(tuple),
    unread=st.lists(st.integers(0, 900).map(_at)).map(tuple),
)


def test_what_a_climb_has_read_is_not_unread_in_the_glances_that_follow() -> None:
    recall = Recall()
    recall.joined(Look(), Look(symbols=(_symbol(b"hard"),)))
    look = recall.joined(Look(unread=(_at(30),)))
    assert [s.content for s in look.symbols] == [b"hard"]
    assert look.unread == ()


def test_another_code_beside_it_is_still_unread() -> None:
    recall = Recall()
    recall.joined(Look(), Look(symbols=(_symbol(b"hard"),)))
    assert recall.joined(Look(unread=(_at(0), _at(500)))).unread == (_at(500),)


def test_what_a_climb_has_read_is_gone_when_nothing_is_seen_at_its_place() -> None:
    recall = Recall()
    recall.joined(Look(), Look(symbols=(_symbol(b"hard"),)))
    assert recall.joined(Look()) == Look()


def test_a_climb_that_reads_nothing_ends_what_the_one_before_has_read() -> None:
    recall = Recall()
    recall.joined(Look(), Look(symbols=(_symbol(b"hard"),)))
    look = recall.joined(Look(unread=(_at(0),)), Look(unread=(_at(0),)))
    assert look.symbols == ()
    assert look.unread == (_at(0),)


def test_what_both_have_read_is_told_once_and_is_as_young_as_the_glance() -> None:
    climbed = Look(symbols=(_symbol(b"same", 10),), behind_s=0.1)
    look = Recall().joined(Look(symbols=(_symbol(b"same", 20),)), climbed)
    assert [s.corners for s in look.symbols] == [_at(20)]
    assert look.behind_s == 0


def test_what_only_the_climb_has_seen_is_told() -> None:
    look = Recall().joined(Look(), Look(unread=(_at(0),)))
    assert look.unread == (_at(0),)


@given(looks, looks, looks)
def test_nothing_that_was_read_is_lost_or_told_twice(first: Look, second: Look, third: Look) -> None:
    recall = Recall()
    recall.joined(first, second)
    look = recall.joined(third, second)
    contents = {s.content for s in look.symbols}
    assert contents == {s.content for s in (*second.symbols, *third.symbols)}
    assert set(look.unread) <= {*second.unread, *third.unread}
