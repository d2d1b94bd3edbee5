from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.provision.card import MAX_CARD_BYTES
from device.provision.parts import FORGET_AFTER_S, MAX_PARTS, MAX_SETS, PIECE_BYTES, Collector, split

LETTERS = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
texts = st.integers(PIECE_BYTES + 1, 5 * PIECE_BYTES).flatmap(
    lambda size: st.integers(0, 44).map(lambda at: (LETTERS * 70)[at : at + size])
)
A, B = split(b"A" * 1500), split(b"B" * 1500)


def collected(parts: tuple[bytes, ...] | list[bytes], collector: Collector | None = None) -> list[bytes]:
    collector = collector or Collector()
    return [text for part in parts if (text := collector.add(part, 0.0)) is not None]


@given(texts, st.randoms())
def test_parts_come_together_in_any_order_shown_any_number_of_times(text: bytes, chance: object) -> None:
    parts = [*split(text), *split(text)]
    chance.shuffle(parts)  # type: ignore[attr-defined] # hypothesis' own Random
    assert collected(parts) == [text]
    assert all(re.fullmatch(rb"[0-9A-Z $%*+\-./:]{1,600}", part) for part in parts)


def test_a_short_text_is_its_own_code() -> None:
    assert split(b"GATECARD1:AB") == (b"GATECARD1:AB",)


def test_the_longest_card_fits() -> None:
    assert len(split(b"A" * MAX_CARD_BYTES)) <= MAX_PARTS
    with pytest.raises(ValueError, match="codes"):
        split(b"A" * (MAX_PARTS * PIECE_BYTES + 1))


def test_two_sets_shown_in_turn_are_kept_apart() -> None:
    assert collected([A[0], B[2], A[2], B[1], B[0], A[1]]) == [b"B" * 1500, b"A" * 1500]


def test_a_set_goes_on_being_shown_and_is_told_once_until_it_was_away_for_a_minute() -> None:
    collector = Collector()
    assert collected([*A, *A, *A], collector) == [b"A" * 1500]
    assert [collector.add(part, FORGET_AFTER_S + 1) for part in A] == [None, None, b"A" * 1500]


def test_what_stays_incomplete_is_forgotten_after_a_minute() -> None:
    collector = Collector()
    collector.add(A[0], 0.0)
    assert collector.progress == (1, 3)
    assert collector.add(A[1], FORGET_AFTER_S + 1) is None
    assert collector.progress == (1, 3)
    assert collector.forgotten == 1


def test_a_part_of_somebody_elses_under_the_same_name_is_found_out_and_the_set_begun_again() -> None:
    collector = Collector()
    wrong = A[1][:-1] + b"Z"
    assert collected([A[0], wrong, A[2]], collector) == []
    assert collected(A, collector) == [b"A" * 1500]


def test_no_more_than_a_few_sets_are_held() -> None:
    collector = Collector()
    firsts = [split(b"%d" % n * 800)[0] for n in range(10)]
    assert collected(firsts, collector) == []
    assert collector.forgotten == 10 - MAX_SETS


@given(st.binary(max_size=60) | st.binary(max_size=60).map(lambda tail: b"GATEPART1:" + tail))
def test_whatever_is_held_up_is_taken_or_left(content: bytes) -> None:
    assert Collector().add(content, 0.0) is None


@pytest.mark.parametrize(
    "head", [b"00000000/3/2", b"00000000/0/2", b"00000000/1/1", b"00000000/1/99", b"0000000a/1/2"]
)
def test_a_part_that_cannot_be_is_left(head: bytes) -> None:
    collector = Collector()
    assert collector.add(b"GATEPART1:" + head + b":X", 0.0) is None
    assert collector.progress == (0, 0)
