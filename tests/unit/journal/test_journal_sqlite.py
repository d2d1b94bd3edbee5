from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from device.errors import JournalError, JournalFull, JournalUnusable
from device.journal.chain import verify
from device.journal.delivery import CURSOR_EVENTS
from device.journal.reader import JournalReader
from device.journal.retention import BLOCK_EVENTS
from device.journal.state import WhenFull
from device.model import Refusal
from tests.support.clock import ManualClock
from tests.support.journal import (
    append_many,
    copy_as_after_power_cut,
    fill,
    lifecycle_event,
    open_journal,
    scan_event,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from device.journal.sqlite_journal import SqliteJournal

SMALL = 2 << 20
WAIT_S = 20.0


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gate" / "journal.db"


@pytest.fixture
def journal(path: Path, clock: ManualClock) -> Iterator[SqliteJournal]:
    journal = open_journal(path, clock=clock)
    yield journal
    journal.close()


# -- settings -------------------------------------------------------------------------------------


def test_the_file_has_the_settings_that_carry_the_promise(journal: SqliteJournal, path: Path) -> None:
    journal.append(scan_event())
    with sqlite3.connect(path) as outside:
        settings = {
            name: outside.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "page_size", "auto_vacuum", "user_version", "application_id")
        }
    outside.close()
    assert settings["journal_mode"] == "wal"
    assert settings["page_size"] == 1024
    assert settings["auto_vacuum"] == 0
    assert settings["user_version"] > 0
    assert settings["application_id"] == int.from_bytes(b"Gate", "big")
    assert journal._writer._db.execute("PRAGMA synchronous").fetchone() == (2,)


def test_a_bound_too_small_to_work_with_is_refused(path: Path) -> None:
    with pytest.raises(ValueError, match="at least"):
        open_journal(path, max_bytes=SMALL - 1)


def test_only_the_gate_and_its_group_can_read_the_files(journal: SqliteJournal, path: Path) -> None:
    journal.append(scan_event())
    files = sorted(path.parent.iterdir())
    assert [f.name for f in files] == ["journal.db", "journal.db-shm", "journal.db-wal", "journal.db.lock"]
    assert all(f.stat().st_mode & 0o007 == 0 for f in files)


# -- append ---------------------------------------------------------------------------------------


def test_events_are_numbered_and_chained_across_a_restart(path: Path) -> None:
    first = open_journal(path)
    stored = [first.append(scan_event(n)) for n in range(3)]
    first.close()
    second = open_journal(path)
    stored += [second.append(lifecycle_event()), second.append(scan_event(5))]
    assert [e.seq for e in stored] == [1, 2, 3, 4, 5]
    assert {e.journal for e in stored} == {first.id}
    assert list(verify(stored)) == []
    assert second.read(1, 100) == tuple(stored)
    assert second.replaced is None
    second.close()


def test_every_journal_has_an_id_of_its_own(tmp_path: Path) -> None:
    journals = [open_journal(tmp_path / f"{n}.db") for n in range(5)]
    assert len({j.id for j in journals}) == 5
    for journal in journals:
        assert journal.id.isalnum()
        assert journal.id == journal.id.lower()
        journal.close()


def test_an_event_is_there_for_whoever_finds_the_files_after_a_power_cut(
    journal: SqliteJournal, path: Path, tmp_path: Path
) -> None:
    stored = [journal.append(scan_event(n)) for n in range(40)]
    found = open_journal(copy_as_after_power_cut(path, tmp_path / "cut"))
    assert found.read(1, 100) == tuple(stored)
    assert found.append(scan_event()).seq == 41
    found.close()


def test_an_event_that_cannot_be_written_down_leaves_no_gap(journal: SqliteJournal) -> None:
    journal.append(scan_event())
    with pytest.raises(JournalError):
        journal.append(lifecycle_event("\ud800"))
    assert journal.append(scan_event()).seq == 2


def test_threads_that_append_at_once_get_different_numbers_in_one_chain(journal: SqliteJournal) -> None:
    with ThreadPoolExecutor(8) as pool:
        stored = list(pool.map(lambda n: journal.append(scan_event(n)), range(200)))
    assert sorted(e.seq for e in stored) == list(range(1, 201))
    assert sorted(stored, key=lambda e: e.seq) == list(journal.read(1, 1000))
    assert list(verify(journal.read(1, 1000))) == []


def test_nothing_can_be_recorded_after_closing(journal: SqliteJournal) -> None:
    journal.close()
    journal.close()
    with pytest.raises(JournalError):
        journal.append(scan_event())
    with pytest.raises(JournalError):
        journal.pending(1)


def test_a_second_process_cannot_write_the_same_journal(journal: SqliteJournal, path: Path) -> None:
    with pytest.raises(JournalUnusable, match="another process"):
        open_journal(path)
    assert journal.append(scan_event()).seq == 1


def test_a_file_taken_away_while_in_use_is_noticed_before_anything_is_promised(
    journal: SqliteJournal, path: Path, tmp_path: Path
) -> None:
    journal.append(scan_event())
    path.rename(tmp_path / "elsewhere.db")
    with pytest.raises(JournalUnusable, match="moved or deleted"):
        journal.append(scan_event())
    path.touch()
    with pytest.raises(JournalUnusable, match="moved or deleted"):
        journal.append(scan_event())


# -- delivery -------------------------------------------------------------------------------------


def test_what_is_acknowledged_is_not_pending(journal: SqliteJournal) -> None:
    for n in range(5):
        journal.append(scan_event(n))
    journal.acknowledge(3)
    journal.acknowledge(1)
    assert [e.seq for e in journal.pending(10)] == [4, 5]
    assert [e.seq for e in journal.pending(1)] == [4]
    assert [e.seq for e in journal.pending(10, after_seq=4)] == [5]
    assert journal.stats().pending == 2


def test_what_was_never_appended_cannot_be_acknowledged(journal: SqliteJournal) -> None:
    journal.append(scan_event())
    with pytest.raises(ValueError, match="never appended"):
        journal.acknowledge(2)


def test_a_refused_event_is_set_aside_and_the_next_one_goes_on(journal: SqliteJournal, path: Path) -> None:
    stored = [journal.append(scan_event(n)) for n in range(5)]
    journal.acknowledge(1)
    journal.set_aside(3, "0x87 not authorized")
    assert [e.seq for e in journal.pending(10)] == [2, 4, 5]
    assert journal.stats().acknowledged_through == 1
    journal.acknowledge(2)
    assert journal.stats().acknowledged_through == 3
    assert journal.stats().set_aside == 1
    journal.set_aside(3, "0x87 not authorized")
    assert journal.refused(10) == ((stored[2], "0x87 not authorized"),)
    journal.close()
    again = open_journal(path)
    assert again.refused(10) == ((stored[2], "0x87 not authorized"),)
    assert again.stats().set_aside == 1
    again.close()


def test_refused_events_are_handed_out_to_be_offered_again_until_they_are_taken_back(
    journal: SqliteJournal, path: Path
) -> None:
    append_many(journal, 10)
    for seq, why in ((2, "a"), (3, "a"), (4, "b"), (5, "a"), (9, "a")):
        journal.set_aside(seq, why)
    journal.acknowledge(8)
    assert journal.refusals(10) == (
        Refusal(2, 3, "a"),
        Refusal(4, 4, "b"),
        Refusal(5, 5, "a"),
        Refusal(9, 9, "a"),
    )
    assert journal.refusals(1, after_seq=2) == (Refusal(3, 3, "a"),)
    assert [event.seq for event, _ in journal.refused(2, after_seq=2)] == [3, 4]
    journal.acknowledge(9)
    journal.take_back([3, 5, 7, 10])
    assert [event.seq for event, _ in journal.refused(10)] == [2, 4, 9]
    assert journal.stats().set_aside == 3
    assert journal.stats().acknowledged_through == 9
    journal.take_back([])
    journal.close()
    again = open_journal(path)
    assert [event.seq for event, _ in again.refused(10)] == [2, 4, 9]
    assert again.stats().set_aside == 3
    again.close()


@pytest.mark.parametrize("why", ["", "two\nlines", "é", "x" * 121])
def test_a_refusal_is_given_in_fixed_words(journal: SqliteJournal, why: str) -> None:
    journal.append(scan_event())
    with pytest.raises(ValueError, match="cannot be set aside"):
        journal.set_aside(1, why)


def test_after_a_crash_at_most_a_hundred_events_are_delivered_again(
    journal: SqliteJournal, path: Path, tmp_path: Path
) -> None:
    append_many(journal, 350)
    for seq in range(1, 276):
        journal.acknowledge(seq)
    again = open_journal(copy_as_after_power_cut(path, tmp_path / "cut"))
    assert 275 - CURSOR_EVENTS < again.stats().acknowledged_through <= 275
    again.close()


def test_a_quiet_gates_cursor_is_written_after_a_minute(
    journal: SqliteJournal, path: Path, clock: ManualClock, tmp_path: Path
) -> None:
    for n in range(3):
        journal.append(scan_event(n))
    journal.acknowledge(1)
    clock.advance(61)
    journal.acknowledge(2)
    again = open_journal(copy_as_after_power_cut(path, tmp_path / "cut"))
    assert again.stats().acknowledged_through == 2
    again.close()


def test_closing_writes_the_cursor(journal: SqliteJournal, path: Path) -> None:
    for n in range(3):
        journal.append(scan_event(n))
    journal.acknowledge(2)
    journal.close()
    again = open_journal(path)
    assert again.stats().acknowledged_through == 2
    again.close()


def test_the_forwarder_is_woken_by_an_append(journal: SqliteJournal) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(journal.wait_for_append, 0, WAIT_S)
        journal.append(scan_event())
        assert waiting.result(WAIT_S)
    assert journal.wait_for_append(0, 0)
    assert not journal.wait_for_append(1, 0)


def test_the_forwarder_is_woken_to_stop(journal: SqliteJournal) -> None:
    began = threading.Event()

    def wait() -> bool:
        began.set()
        return journal.wait_for_append(0, WAIT_S)

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(wait)
        began.wait(WAIT_S)
        while not waiting.done():
            journal.wake()
        assert waiting.result(WAIT_S) is False


# -- retention ------------------------------------------------------------------------------------


def test_delivered_events_past_their_time_go(journal: SqliteJournal, path: Path, clock: ManualClock) -> None:
    append_many(journal, 2 * BLOCK_EVENTS, clock.reading())
    clock.advance(5 * 86_400)
    append_many(journal, 10, clock.reading())
    journal.acknowledge(2 * BLOCK_EVENTS + 10)
    assert journal.prune() == 0
    clock.advance(26 * 86_400)
    assert journal.prune() == 2 * BLOCK_EVENTS
    stats = journal.stats()
    assert (stats.stored, stats.first_seq, stats.pruned) == (10, 2 * BLOCK_EVENTS + 1, 2 * BLOCK_EVENTS)
    with JournalReader(path) as reader:
        assert reader.verify(10).whole
    journal.close()
    again = open_journal(path)
    assert again.stats().pruned == 2 * BLOCK_EVENTS
    assert again.append(scan_event()).seq == 2 * BLOCK_EVENTS + 11
    again.close()


def test_undelivered_events_never_go_by_age(journal: SqliteJournal, clock: ManualClock) -> None:
    append_many(journal, 2 * BLOCK_EVENTS, clock.reading())
    clock.advance(365 * 86_400)
    journal.acknowledge(BLOCK_EVENTS - 1)
    assert journal.prune() == BLOCK_EVENTS - 1
    journal.acknowledge(BLOCK_EVENTS)
    assert journal.prune() == 1


def test_a_few_events_go_together_an_hour_after_the_oldest_is_past_its_time(
    journal: SqliteJournal, clock: ManualClock
) -> None:
    for _ in range(5):
        append_many(journal, 1, clock.reading())
        clock.advance(25 * 60)
    journal.acknowledge(5)
    clock.advance(30 * 86_400 - 125 * 60)
    gone = []
    for _ in range(14):
        clock.advance(10 * 60)
        gone.append(journal.prune())
    assert gone == [0] * 6 + [3] + [0] * 6 + [2]


def test_a_clock_that_was_wrong_at_the_time_does_not_make_an_event_old(
    journal: SqliteJournal, clock: ManualClock
) -> None:
    clock.set_wall(datetime(1970, 1, 1, tzinfo=UTC), trusted=False)
    append_many(journal, BLOCK_EVENTS, clock.reading())
    clock.set_wall(datetime(2026, 3, 2, tzinfo=UTC))
    append_many(journal, 1, clock.reading())
    journal.acknowledge(BLOCK_EVENTS + 1)
    assert journal.prune() == 0
    clock.advance(31 * 86_400)
    assert journal.prune() == BLOCK_EVENTS + 1


def test_a_gate_that_never_learns_the_time_goes_by_its_own_clock(
    journal: SqliteJournal, clock: ManualClock
) -> None:
    clock.set_wall(datetime(1970, 1, 1, tzinfo=UTC), trusted=False)
    append_many(journal, BLOCK_EVENTS, clock.reading())
    journal.acknowledge(BLOCK_EVENTS)
    assert journal.prune() == 0
    clock.advance(31 * 86_400)
    assert journal.prune() == BLOCK_EVENTS


def test_where_a_consumer_confirms_only_what_it_has_may_go(
    journal: SqliteJournal, clock: ManualClock, path: Path
) -> None:
    append_many(journal, 3 * BLOCK_EVENTS, clock.reading())
    journal.acknowledge(3 * BLOCK_EVENTS)
    assert journal.confirm(journal.id, BLOCK_EVENTS)
    clock.advance(31 * 86_400)
    assert journal.prune() == BLOCK_EVENTS
    assert journal.stats().confirmed_through == BLOCK_EVENTS
    journal.close()
    again = open_journal(path, clock=clock)
    assert again.stats().confirmed_through == BLOCK_EVENTS
    assert again.prune() == 0
    again.close()


def test_what_is_confirmed_need_not_be_sent_again(journal: SqliteJournal) -> None:
    append_many(journal, 10)
    journal.confirm(journal.id, 4)
    assert journal.stats().acknowledged_through == 4
    assert journal.pending(1)[0].seq == 5
    journal.confirm(journal.id, 2)
    assert journal.stats().confirmed_through == 4


def test_a_confirmation_of_another_journal_changes_nothing(journal: SqliteJournal) -> None:
    append_many(journal, 10)
    assert not journal.confirm("another", 9)
    assert not journal.confirm("another", 999)
    assert journal.stats().confirmed_through == 0


def test_numbers_the_consumer_has_are_never_given_again_after_the_files_end_was_lost(
    journal: SqliteJournal, path: Path
) -> None:
    append_many(journal, 10)
    with pytest.raises(JournalUnusable, match="ends with 10, but 12 is confirmed"):
        journal.confirm(journal.id, 12)
    journal.close()
    again = open_journal(path)
    assert again.replaced is not None
    assert again.id != journal.id
    again.close()


# -- the bound ------------------------------------------------------------------------------------


def test_a_full_journal_refuses_and_stays_within_its_bound(path: Path) -> None:
    journal = open_journal(path, max_bytes=SMALL)
    count = fill(journal)
    stats = journal.stats()
    assert count == stats.stored > 500
    assert journal.size() <= SMALL
    assert sum(f.stat().st_size for f in path.parent.iterdir()) <= SMALL
    assert list(verify(journal.read(1, 10_000))) == []
    journal.close()


def test_a_full_journal_makes_room_by_what_was_delivered_long_ago(path: Path, clock: ManualClock) -> None:
    journal = open_journal(path, max_bytes=SMALL, clock=clock)
    count = fill(journal)
    journal.acknowledge(100)
    with pytest.raises(JournalFull):
        journal.append(scan_event())
    clock.advance(31 * 86_400)
    assert journal.append(scan_event()).seq == count + 1
    assert journal.stats().first_seq == 101
    journal.close()


def test_a_full_journal_makes_room_by_what_is_confirmed_however_young(path: Path) -> None:
    journal = open_journal(path, max_bytes=SMALL)
    count = fill(journal)
    journal.confirm(journal.id, 300)
    assert journal.append(scan_event()).seq == count + 1
    assert journal.stats().first_seq == BLOCK_EVENTS + 1
    assert journal.stats().dropped == 0
    journal.close()


def test_where_it_may_a_full_journal_drops_the_oldest_and_keeps_count(path: Path) -> None:
    journal = open_journal(path, max_bytes=SMALL, when_full=WhenFull.DROP_OLDEST)
    append_many(journal, 5000)
    stats = journal.stats()
    assert journal.size() <= SMALL
    assert stats.dropped > 0
    assert stats.dropped == stats.first_seq - 1
    assert stats.pending == stats.stored == 5000 - stats.dropped
    assert journal.pending(1)[0].seq == stats.first_seq
    journal.close()
    again = open_journal(path, max_bytes=SMALL)
    assert again.stats() == stats
    again.close()
    with sqlite3.connect(path) as outside:
        assert outside.execute("SELECT first, last FROM dropped").fetchall() == [(1, stats.dropped)]
    outside.close()


def test_delivered_events_are_not_counted_as_dropped(path: Path) -> None:
    journal = open_journal(path, max_bytes=SMALL, when_full=WhenFull.DROP_OLDEST)
    append_many(journal, 100)
    journal.acknowledge(10)
    while journal.stats().first_seq == 1:
        append_many(journal, 100)
    stats = journal.stats()
    assert (stats.pruned, stats.dropped) == (10, BLOCK_EVENTS - 10)
    journal.close()


def test_a_reader_that_never_ends_costs_the_bound_not_the_promise(path: Path) -> None:
    journal = open_journal(path, max_bytes=SMALL)
    journal.append(scan_event())
    outside = sqlite3.connect(path, isolation_level=None)
    outside.execute("BEGIN")
    assert outside.execute("SELECT count(*) FROM event").fetchone() == (1,)
    fill(journal)
    assert journal.size() <= SMALL
    outside.execute("ROLLBACK")
    assert journal.append(scan_event()).seq == journal.stats().last_seq
    outside.close()
    journal.close()


def test_upkeep_empties_the_log_so_that_no_append_has_to(journal: SqliteJournal, path: Path) -> None:
    for n in range(50):
        journal.append(scan_event(n))
    before = path.stat().st_size
    journal.prune()
    assert path.stat().st_size > before


# -- damage ---------------------------------------------------------------------------------------


def kept(path: Path) -> list[str]:
    return sorted(f.name for f in path.parent.iterdir() if ".damaged-" in f.name)


def test_a_journal_that_fails_its_check_is_kept_and_a_new_one_begins(path: Path) -> None:
    first = open_journal(path)
    append_many(first, 300)
    first.close()
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    second = open_journal(path)
    assert second.replaced is not None
    assert second.replaced.path == path.with_name("journal.db.damaged-1")
    assert second.replaced.path.read_bytes() == whole[: len(whole) // 2]
    assert second.id != first.id
    assert second.append(scan_event()).seq == 1
    second.close()
    third = open_journal(path)
    assert third.replaced is None
    third.close()


def test_a_file_that_is_no_journal_is_kept_too(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"notes of the technician\n" * 100)
    journal = open_journal(path)
    assert journal.replaced is not None
    assert journal.replaced.path.read_bytes() == b"notes of the technician\n" * 100
    journal.close()


def test_an_empty_file_is_an_unfinished_beginning(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    journal = open_journal(path)
    assert journal.replaced is None
    journal.close()


def test_an_event_changed_behind_our_back_is_found_at_start(path: Path) -> None:
    journal = open_journal(path)
    for n in range(20):
        journal.append(scan_event(n))
    journal.close()
    with sqlite3.connect(path) as outside:
        outside.execute(
            "UPDATE event SET data = CAST(replace(data, 'granted', 'denied') AS BLOB) WHERE seq = 15"
        )
    outside.close()
    again = open_journal(path)
    assert again.replaced is not None
    again.close()


def test_events_missing_at_the_end_are_found_by_the_cursor_beyond_them(path: Path) -> None:
    journal = open_journal(path)
    for n in range(20):
        journal.append(scan_event(n))
    journal.acknowledge(20)
    journal.close()
    with sqlite3.connect(path) as outside:
        outside.execute("DELETE FROM event WHERE seq > 15")
    outside.close()
    again = open_journal(path)
    assert again.replaced is not None
    assert again.replaced.why == "delivered up to event 20, but it ends with 15"
    again.close()


def test_damage_found_while_running_ends_the_process_and_the_next_start_replaces_the_file(path: Path) -> None:
    journal = open_journal(path)
    append_many(journal, 600)
    journal.prune()
    page = 1024
    with path.open("r+b") as file:
        file.seek(2 * page)
        file.write(b"\xff" * page * 50)
    journal._delivery._reader.execute("PRAGMA shrink_memory")
    with pytest.raises(JournalUnusable, match="damaged"):
        journal.read(1, 1000)
    journal.close()
    again = open_journal(path)
    assert again.replaced is not None
    again.close()
    third = open_journal(path)
    assert third.replaced is None
    third.close()


def test_damaged_files_do_not_fill_the_card(path: Path) -> None:
    for _ in range(7):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x" * 5000)
        open_journal(path).close()
    assert kept(path) == [f"journal.db.damaged-{n}" for n in (4, 5, 6, 7)]


def test_a_journal_of_a_later_version_is_not_touched(path: Path) -> None:
    open_journal(path).close()
    with sqlite3.connect(path) as outside:
        outside.execute("PRAGMA user_version = 99")
    outside.close()
    with pytest.raises(JournalUnusable, match="format 99"):
        open_journal(path)
    assert kept(path) == []


def test_a_folder_that_cannot_be_made_makes_the_journal_unusable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(JournalUnusable):
        open_journal(tmp_path / "file" / "journal.db")


def test_the_numbers_of_damaged_files_only_grow(path: Path) -> None:
    numbers = []
    for _ in range(3):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x" * 5000)
        journal = open_journal(path)
        assert journal.replaced
        numbers.append(int(journal.replaced.path.suffix.removeprefix(".damaged-")))
        journal.close()
    assert all(b > a for a, b in pairwise(numbers))
