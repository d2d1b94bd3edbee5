from __future__ import annotations

import hashlib
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from device.journal.chain import BreakKind, Link, genesis, link, verify
from device.journal.record import as_data, canonical
from device.model import StoredEvent
from tests.support.journal import scan_event

JOURNAL = "abc123def456"


def chain(length: int, journal: str = JOURNAL) -> list[StoredEvent]:
    events, last = [], genesis(journal)
    for seq in range(1, length + 1):
        data = canonical(as_data(scan_event(seq)), seq=seq, prev=last.digest)
        events.append(StoredEvent(journal=journal, seq=seq, type="gate.scan.v1", data=data))
        last = link(seq, data)
    return events


def kinds(events: list[StoredEvent], after: Link | None = None) -> list[tuple[BreakKind, int]]:
    return [(b.kind, b.seq) for b in verify(events, after=after)]


def test_the_first_event_holds_on_to_the_journals_id() -> None:
    assert genesis(JOURNAL) == Link(0, hashlib.sha256(JOURNAL.encode()).hexdigest())


def test_an_untouched_chain_has_no_breaks() -> None:
    assert kinds(chain(20)) == []


def test_a_chain_whose_old_end_was_removed_holds_on_to_the_link_that_was_kept() -> None:
    events = chain(10)
    assert kinds(events[4:], after=link(4, events[3].data)) == []
    assert kinds(events[4:], after=Link(4, "0" * 64)) == [(BreakKind.CHAIN, 5)]


def test_a_sequence_from_the_middle_is_taken_as_it_is_where_nothing_is_known_before() -> None:
    assert kinds(chain(10)[4:]) == []


@given(st.integers(2, 12), st.data())
def test_a_missing_event_shows_as_a_gap_and_nothing_else(length: int, draw: st.DataObject) -> None:
    events = chain(length)
    gone = draw.draw(st.integers(1, length - 1))
    found = list(verify([e for e in events if e.seq != gone], after=genesis(JOURNAL)))
    assert [(b.kind, b.seq) for b in found] == [(BreakKind.GAP, gone + 1)]
    assert found[0].detail == f"event {gone} is missing"


def test_several_missing_events_are_named_together() -> None:
    events = chain(9)
    assert [b.detail for b in verify(events[:2] + events[7:])] == ["events 3 to 7 are missing"]


@given(st.integers(1, 10))
def test_a_changed_event_shows_at_the_next_one(at: int) -> None:
    events = chain(11)
    before = link(at - 1, events[at - 2].data) if at > 1 else genesis(JOURNAL)
    other = canonical(as_data(scan_event(999)), seq=at, prev=before.digest)
    events[at - 1] = replace(events[at - 1], data=other)
    assert kinds(events) == [(BreakKind.CHAIN, at + 1)]


@given(st.integers(0, 10), st.data())
def test_any_flipped_bit_shows(index: int, draw: st.DataObject) -> None:
    events = chain(12)
    data = bytearray(events[index].data)
    bit = draw.draw(st.integers(0, len(data) * 8 - 1))
    data[bit // 8] ^= 1 << bit % 8
    events[index] = replace(events[index], data=bytes(data))
    assert kinds(events)


def test_two_events_that_changed_places_show() -> None:
    events = chain(5)
    events[2], events[3] = events[3], events[2]
    assert (BreakKind.GAP, 4) in kinds(events)
    assert (BreakKind.GAP, 3) in kinds(events)


def test_an_event_of_another_journal_at_the_head_shows() -> None:
    found = list(verify([replace(e, journal="other0000000") for e in chain(3)]))
    assert [(b.kind, b.detail) for b in found] == [
        (BreakKind.CHAIN, "event 1: is not the first event of this journal")
    ]


def test_a_row_under_another_number_shows() -> None:
    events = chain(3)
    events[2] = replace(
        events[2], data=canonical(as_data(scan_event(1)), seq=9, prev=link(2, events[1].data).digest)
    )
    assert kinds(events) == [(BreakKind.WRONG_SEQ, 3)]


def test_a_changed_type_word_shows() -> None:
    events = chain(3)
    events[1] = replace(events[1], type="gate.lifecycle.v1")
    assert kinds(events) == [(BreakKind.WRONG_TYPE, 2)]


def test_data_that_are_not_canonical_show() -> None:
    events = chain(3)
    events[2] = replace(events[2], data=events[2].data + b" ")
    assert kinds(events) == [(BreakKind.NOT_CANONICAL, 3)]
