from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.model import StoredEvent
from device.uplink.backoff import Backoff
from device.uplink.flight import Flight
from device.uplink.reasons import Fate, Loss, fate, loss, words


def event(seq: int) -> StoredEvent:
    return StoredEvent("j", seq, "gate.scan.v1", b"{}")


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12), st.randoms(), st.data())
def test_the_cursor_moves_exactly_over_what_is_settled_without_a_hole(
    sizes: list[int], shuffler: random.Random, draw: st.DataObject
) -> None:
    flight, seq = Flight(), 0
    carried: dict[int, list[int]] = {}
    for token, size in enumerate(sizes):
        carried[token] = list(range(seq + 1, seq + size + 1))
        seq += size
        flight.sent(token, tuple(event(n) for n in carried[token]))
    given_up = draw.draw(st.sets(st.sampled_from(sorted(carried))))
    order = sorted(carried)
    shuffler.shuffle(order)
    cursor, settled = 0, set()
    for token in order:
        if token in given_up:
            flight.give_up(token)
        else:
            cursor = flight.settle(token) or cursor
            settled.add(token)
        expected = 0
        for earlier in sorted(carried):
            if carried[earlier] and earlier not in settled:
                break
            expected = max([expected, *carried[earlier]])
        assert cursor == expected
    assert len(flight) == 0


def test_what_a_message_carries_can_be_asked_while_it_is_in_flight() -> None:
    flight = Flight()
    flight.sent(7, (event(1), event(2)))
    flight.sent(8)
    assert flight.carried(7) == (event(1), event(2))
    assert flight.carried(8) == ()
    assert flight.events == (event(1), event(2))
    flight.settle(7)
    assert flight.carried(7) is None


@given(st.floats(0.001, 10), st.floats(1, 100), st.randoms(use_true_random=False))
def test_delays_grow_up_to_the_maximum_and_start_small_again(
    min_s: float, factor: float, numbers: random.Random
) -> None:
    backoff = Backoff(min_s=min_s, max_s=min_s * factor, random=numbers.random)
    bound = min_s
    for _ in range(30):
        assert 0 <= backoff.delay_s() <= min(bound, min_s * factor)
        bound *= 2
    backoff.reset()
    assert backoff.delay_s() <= min_s


def test_after_a_takeover_the_next_delay_may_be_the_longest() -> None:
    backoff = Backoff(min_s=1, max_s=60, random=lambda: 0.999)
    backoff.longest()
    assert backoff.delay_s() > 59


@pytest.mark.parametrize(("min_s", "max_s"), [(0, 1), (-1, 1), (2, 1)])
def test_delays_without_sense_are_refused(min_s: float, max_s: float) -> None:
    with pytest.raises(ValueError, match="delay"):
        Backoff(min_s=min_s, max_s=max_s, random=random.random)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (0x00, Fate.DELIVERED),
        (0x10, Fate.LATER),
        (0x80, Fate.DOUBTFUL),
        (0x83, Fate.DOUBTFUL),
        (0x87, Fate.DOUBTFUL),
        (0x89, Fate.LATER),
        (0x90, Fate.DOUBTFUL),
        (0x91, Fate.DOUBTFUL),
        (0x95, Fate.REFUSED),
        (0x97, Fate.LATER),
        (0x99, Fate.REFUSED),
    ],
)
def test_each_receipt_has_one_fate(code: int, expected: Fate) -> None:
    assert fate(code) is expected


def test_a_broker_with_rules_of_its_own_needs_no_subscriber() -> None:
    assert fate(0x10, subscriber_required=False) is Fate.DELIVERED
    assert fate(0x97, subscriber_required=False) is Fate.LATER


@given(st.integers(0, 255))
def test_every_code_has_words_that_the_journal_accepts(code: int) -> None:
    assert words(code).isascii()
    assert 0 < len(words(code)) <= 120
    assert isinstance(loss(code), Loss)
