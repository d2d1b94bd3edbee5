from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING

import pytest

from device.errors import JournalError
from device.journal.chain import BreakKind
from device.model import StoredEvent
from device.service.events import MAX_BREAKS, as_json, as_text, list_events, summary, verify
from tests.support.clock import ManualClock
from tests.support.journal import append_many, lifecycle_event, open_journal, scan_event

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from device.journal.sqlite_journal import SqliteJournal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def journal(path: Path) -> Iterator[SqliteJournal]:
    journal = open_journal(path)
    journal.append(lifecycle_event())
    for n in range(9):
        journal.append(scan_event(n))
    yield journal
    journal.close()


def change(path: Path, statement: str) -> None:
    outside = sqlite3.connect(path)
    with outside:
        outside.execute(statement)
    outside.close()


def test_events_are_listed_oldest_first_while_the_daemon_runs(journal: SqliteJournal, path: Path) -> None:
    assert [e for e, _ in list_events(path)] == list(journal.read(1, 100))
    journal.append(scan_event())
    assert len(list(list_events(path))) == 11


def test_more_events_than_one_transaction_reads_are_listed(journal: SqliteJournal, path: Path) -> None:
    append_many(journal, 1200)
    assert [e.seq for e, _ in list_events(path)] == list(range(1, 1211))
    assert verify(path).events == 1210


def test_a_line_of_json_holds_the_data_byte_for_byte(journal: SqliteJournal, path: Path) -> None:
    for event, _ in list_events(path):
        line = as_json(event)
        assert "\n" not in line
        assert event.data.decode() in line
        found = json.loads(line)
        assert found == {
            "journal": journal.id,
            "seq": event.seq,
            "type": event.type,
            "data": json.loads(event.data),
        }


def test_damaged_data_do_not_break_the_line(journal: SqliteJournal) -> None:
    event = StoredEvent(journal=journal.id, seq=4, type="gate.scan.v1", data=b'{"a":\x1b[2J')
    assert json.loads(as_json(event))["data"] is None
    assert as_text(event) == "       4  damaged"


def test_a_line_for_people_tells_what_happened(journal: SqliteJournal, path: Path) -> None:
    lines = [as_text(e) for e, _ in list_events(path)]
    assert lines[0] == "       1  2026-03-02T08:00:00.000Z  started"
    assert lines[2] == f"       3  2026-03-02T08:00:00.000Z  granted  ok  vn.cccd  {1:032x}"


def test_a_time_that_was_not_synchronised_is_marked(journal: SqliteJournal) -> None:
    clock = ManualClock()
    clock.set_wall(clock.utc(), trusted=False)
    assert "08:00:00.000Z? " in as_text(journal.append(scan_event(1, clock.reading())))


def test_nothing_a_journal_holds_can_move_a_cursor(journal: SqliteJournal) -> None:
    assert "\x1b" not in as_text(journal.append(lifecycle_event("\x1b[2J\u202e")))


def test_a_whole_journal_is_said_to_be_whole(journal: SqliteJournal, path: Path) -> None:
    found = verify(path)
    assert found.whole
    assert summary(found) == [f"journal {journal.id}: 10 events, 1 to 10: complete and unchanged"]


def test_a_journal_without_events_is_whole(path: Path) -> None:
    empty = open_journal(path)
    assert summary(verify(path)) == [f"journal {empty.id}: no events"]
    empty.close()


def test_a_missing_event_is_named(journal: SqliteJournal, path: Path) -> None:
    change(path, "DELETE FROM event WHERE seq IN (4, 5)")
    found = verify(path)
    assert not found.whole
    assert summary(found) == [
        f"journal {journal.id}: 8 events, 1 to 10: BROKEN in 1 place",
        "  events 4 to 5 are missing",
    ]


def test_missing_events_at_the_beginning_are_named(journal: SqliteJournal, path: Path) -> None:
    assert journal.id
    change(path, "DELETE FROM event WHERE seq < 3")
    assert [b.detail for b in verify(path).breaks] == ["events 1 to 2 are missing"]


def test_a_changed_event_is_named(journal: SqliteJournal, path: Path) -> None:
    assert journal.id
    change(path, "UPDATE event SET data = CAST(replace(data, 'granted', 'denied') AS BLOB) WHERE seq = 4")
    assert [(b.kind, b.seq) for b in verify(path).breaks] == [(BreakKind.CHAIN, 5)]


def test_an_endless_tear_is_not_listed_endlessly(journal: SqliteJournal, path: Path) -> None:
    append_many(journal, 300)
    change(path, "UPDATE event SET data = CAST('{}' AS BLOB)")
    found = verify(path)
    assert len(found.breaks) == MAX_BREAKS
    assert "at least 100 places" in summary(found)[0]


def test_a_damaged_page_is_named_by_the_first_event_that_cannot_be_read(path: Path) -> None:
    journal = open_journal(path)
    append_many(journal, 1500)
    journal.close()
    with path.open("r+b") as file:
        file.seek(500 * 1024)
        file.write(b"\xff" * 1024)
    (found,) = verify(path).breaks
    assert found.kind is BreakKind.UNREADABLE
    assert 900 < found.seq < 1100
    assert "cannot be read" in found.detail


def test_a_file_that_is_not_there_is_an_error_with_its_name(path: Path) -> None:
    with pytest.raises(JournalError, match="no such file"):
        verify(path)


def test_a_file_that_is_no_journal_is_an_error(path: Path) -> None:
    path.write_bytes(b"something else entirely" * 100)
    with pytest.raises(JournalError):
        next(list_events(path))
    other = path.with_name("other.db")
    change(other, "CREATE TABLE t (a)")
    with pytest.raises(JournalError, match="not a journal"):
        verify(other)


def test_events_the_broker_refuses_say_so_in_both_forms(journal: SqliteJournal, path: Path) -> None:
    for seq in (3, 4, 8):
        journal.set_aside(seq, "packet too large (0x95)")
    found = [(event.seq, why) for event, why in list_events(path) if why]
    assert found == [(seq, "packet too large (0x95)") for seq in (3, 4, 8)]
    event, why = next(pair for pair in list_events(path) if pair[0].seq == 4)
    assert as_text(event, why) == f"{as_text(event)}  (refused by the broker: packet too large (0x95))"
    assert json.loads(as_json(event, why)) == json.loads(as_json(event)) | {"refused": why}
