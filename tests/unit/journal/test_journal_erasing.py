"""What is removed is gone for good: the files themselves are searched, byte by byte."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from sqlite3 import connect

import pytest

from device.journal.retention import BLOCK_EVENTS
from device.journal.sqlite_journal import SqliteJournal
from device.journal.state import WhenFull
from device.model import Identity
from tests.support.clock import ManualClock
from tests.support.journal import append_many, copy_as_after_power_cut, open_journal, scan_event

NAME = "Nguyễn Thị Kỳ Lạ"
OTHERS = "Trần Văn Khác"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


def record(journal: SqliteJournal, clock: ManualClock, *, count: int, name: str = NAME) -> None:
    """Scans of somebody whose name is kept in clear."""
    for number in range(count):
        event = scan_event(number, clock.reading())
        ref = replace(event.credential, identity=Identity(name=name))
        journal.append(replace(event, credential=ref))


def found_in(path: Path, text: str = NAME) -> set[str]:
    """Names of all files beside the journal in whose bytes the text stands."""
    return {file.name for file in path.parent.iterdir() if text.encode() in file.read_bytes()}


@pytest.mark.parametrize("count", [3, pytest.param(2 * BLOCK_EVENTS + 50, marks=pytest.mark.slow)])
def test_after_its_time_a_name_is_in_no_file_any_more(path: Path, clock: ManualClock, count: int) -> None:
    journal = open_journal(path, clock=clock)
    record(journal, clock, count=count)
    assert found_in(path)
    journal.acknowledge(count)
    journal.prune()
    assert found_in(path)  # its time has not come
    clock.advance(31 * 86_400)
    record(journal, clock, count=5, name=OTHERS)
    assert journal.prune() == count
    assert found_in(path) == set()
    assert found_in(path, OTHERS)
    journal.close()
    assert found_in(path) == set()


def test_what_is_not_delivered_stays(path: Path, clock: ManualClock) -> None:
    journal = open_journal(path, clock=clock)
    record(journal, clock, count=20)
    clock.advance(365 * 86_400)
    journal.prune()
    assert found_in(path) == {"journal.db"}
    journal.close()


def test_a_reader_puts_it_off_and_the_next_round_makes_good_for_it(path: Path, clock: ManualClock) -> None:
    journal = open_journal(path, clock=clock)
    record(journal, clock, count=20)
    journal.acknowledge(20)
    clock.advance(31 * 86_400)
    with closing(connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM event").fetchone()
        assert journal.prune() == 20
        assert found_in(path)
    assert journal.prune() == 0
    assert found_in(path) == set()
    journal.close()


def test_a_run_that_was_killed_leaves_nothing_that_the_next_does_not_erase(
    path: Path, tmp_path: Path, clock: ManualClock
) -> None:
    journal = open_journal(path, clock=clock)
    record(journal, clock, count=20)
    journal.acknowledge(20)
    clock.advance(31 * 86_400)
    assert journal._upkeep.prune() == 20  # removed, and the power goes before the log is emptied
    journal.append(scan_event(21, clock.reading()))
    after = copy_as_after_power_cut(path, tmp_path / "after")
    journal.close()
    assert found_in(after)
    again = open_journal(after, clock=clock)
    again.prune()
    assert found_in(after) == set()
    again.close()


@pytest.mark.slow
def test_what_had_to_make_room_is_gone_as_well(path: Path, clock: ManualClock) -> None:
    journal = open_journal(path, clock=clock, max_bytes=2 << 20, when_full=WhenFull.DROP_OLDEST)
    record(journal, clock, count=10)
    while not journal.stats().dropped:
        append_many(journal, 200, clock.reading())
    journal.prune()
    assert found_in(path) == set()
    journal.close()


@pytest.mark.slow
def test_a_damaged_file_goes_after_its_time_and_never_before_it_was_carried_over(
    path: Path, clock: ManualClock
) -> None:
    journal = open_journal(path, clock=clock)
    record(journal, clock, count=60)
    journal.close()
    content = bytearray(path.read_bytes())
    content[-900:-800] = bytes(100)
    path.write_bytes(content)
    again = open_journal(path, clock=clock)
    assert again.replaced is not None
    aside = again.replaced.path
    since = datetime.fromtimestamp(aside.stat().st_ctime, UTC)
    clock.set_wall(since + timedelta(days=29))
    while again._upkeep.rescue():
        pass
    again.prune()
    assert aside.exists()
    clock.set_wall(since + timedelta(days=31), trusted=False)
    again.prune()
    assert aside.exists()
    clock.set_wall(since + timedelta(days=31))
    again.prune()
    assert not aside.exists()
    assert {file.name for file in path.parent.iterdir() if "damaged" in file.name} == set()
    assert found_in(path)  # what was carried over waits for its own time and delivery
    last = again.stats().last_seq
    again.acknowledge(last)
    clock.advance(31 * 86_400)
    again.prune()
    assert found_in(path) == set()
    again.close()


@pytest.mark.slow
def test_a_damaged_file_whose_events_are_still_to_be_carried_over_stays(
    path: Path, clock: ManualClock
) -> None:
    journal = open_journal(path, clock=clock)
    record(journal, clock, count=60)
    journal.close()
    path.write_bytes(path.read_bytes()[:-2048])
    again = open_journal(path, clock=clock)
    assert again.replaced is not None
    aside = again.replaced.path
    clock.set_wall(datetime.fromtimestamp(aside.stat().st_ctime, UTC) + timedelta(days=900))
    again._upkeep.erase_aside()
    assert aside.exists()
    again.close()
