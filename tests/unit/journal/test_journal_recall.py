from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.errors import JournalError
from device.journal.recall import Recalled, as_scan, newest_scans, used_passes
from device.journal.record import as_data, canonical
from device.model import EventType, Outcome, RescuedEvent, ScanEvent, StoredEvent
from tests.support.clock import ManualClock
from tests.support.journal import append_many, lifecycle_event, open_journal, scan_event

if TYPE_CHECKING:
    from pathlib import Path


def test_the_newest_scans_come_back_as_they_were_oldest_first(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with closing(open_journal(path)) as journal:
        for number in range(1, 8):
            journal.append(scan_event(number))
            journal.append(lifecycle_event())
        anonymous = replace(scan_event(8), credential=replace(scan_event(8).credential, subject=None))
        journal.append(anonymous)
        found = newest_scans(path, limit=4, clock=ManualClock())
        assert found.scans == (scan_event(5), scan_event(6), scan_event(7), anonymous)
        assert len(newest_scans(path, limit=100, clock=ManualClock()).scans) == 8


def test_an_empty_journal_holds_no_scans_and_a_missing_one_is_told(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with pytest.raises(JournalError):
        newest_scans(path, limit=4, clock=ManualClock())
    with closing(open_journal(path)):
        assert newest_scans(path, limit=4, clock=ManualClock()) == Recalled((), in_time=True)


def test_a_long_journal_costs_no_more_than_the_time_given(tmp_path: Path) -> None:
    class HurriedClock(ManualClock):
        """Half a second goes by between any two looks at it."""

        def monotonic(self) -> float:
            self.advance(0.5)
            return super().monotonic()

    path = tmp_path / "journal.db"
    with closing(open_journal(path)) as journal:
        append_many(journal, 1101)
        found = newest_scans(path, limit=5000, clock=HurriedClock(), budget_s=0.4)
        assert (len(found.scans), found.in_time) == (500, False)
        found = newest_scans(path, limit=5000, clock=ManualClock())
        assert (len(found.scans), found.in_time) == (1101, True)


def a_pass(number: int, outcome: Outcome = Outcome.GRANTED) -> ScanEvent:
    event = scan_event(number)
    return replace(event, outcome=outcome, credential=replace(event.credential, once=True))


def test_used_passes_are_found_however_far_back_and_also_where_they_were_carried_over(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with closing(open_journal(path)) as journal:
        journal.append(a_pass(1))
        journal.append(a_pass(2, Outcome.DENIED))
        append_many(journal, 6000)
        journal.append(a_pass(3))
        assert used_passes(path, limit=9, clock=ManualClock()) == Recalled(
            (a_pass(1), a_pass(3)), in_time=True
        )
        assert used_passes(path, limit=1, clock=ManualClock()).scans == (a_pass(3),)


def test_a_used_pass_in_a_damaged_journal_that_was_carried_over_is_used(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    record = canonical(as_data(a_pass(1)), seq=1, prev="0" * 64).decode()
    kept = RescuedEvent("old", 1, EventType.SCAN, record, proved=True, clock=a_pass(1).clock)
    data = canonical(as_data(kept), seq=1, prev="0" * 64)
    with closing(open_journal(path)), sqlite3.connect(path) as database:
        database.execute("INSERT INTO event (seq, type, data) VALUES (1, ?, ?)", (EventType.RESCUED, data))
        database.commit()
        assert used_passes(path, limit=9, clock=ManualClock()).scans == (a_pass(1),)


@given(st.binary(max_size=200))
def test_damaged_bytes_are_no_scan(data: bytes) -> None:
    assert as_scan(StoredEvent("j1", 1, EventType.SCAN, data)) is None


def test_words_of_a_later_version_are_left_out() -> None:
    later = b'{"clock":{},"credential":{},"direction":"up","outcome":"granted","reason":"ok"}'
    assert as_scan(StoredEvent("j1", 1, EventType.SCAN, later)) is None
    assert as_scan(StoredEvent("j1", 1, EventType.LIFECYCLE, later)) is None
