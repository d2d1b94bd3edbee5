"""What a disk can do to the journal, on real file systems that really do it."""

from __future__ import annotations

import fcntl
import struct
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from device.errors import JournalError, JournalUnusable
from device.journal.chain import verify
from tests.support.forgetful_disk import ForgetfulDisk, small_disk
from tests.support.journal import append_many, copy_as_after_power_cut, open_journal, scan_event

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from device.journal.sqlite_journal import SqliteJournal

pytestmark = pytest.mark.slow

WAIT_S = 30.0
# Without its own journal, ext4 reports a failed write and goes on, as the block device below does.
GOES_ON = ("-O", "^has_journal")
# Of a file system of this size, and what a card reads as one.
BLOCK = 1024


def numbers(journal: SqliteJournal) -> list[int]:
    events = journal.read(1, 100_000)
    assert list(verify(events)) == []
    return [e.seq for e in events]


def append_until_it_fails(journal: SqliteJournal) -> int:
    """How many were promised before an append raised; the bound of the configuration is far away."""
    done, failure = 0, ""
    while not failure:
        try:
            journal.append(scan_event())
            done += 1
        except JournalError as error:
            failure = str(error)
    assert "SQLITE_" in failure
    return done


@pytest.fixture
def forgetful(tmp_path: Path) -> Iterator[ForgetfulDisk]:
    with ForgetfulDisk(tmp_path / "disk", mkfs=GOES_ON, options="noatime,errors=continue") as disk:
        yield disk


def test_a_full_disk_refuses_every_event_and_takes_them_again_when_there_is_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "card", size=1 << 20) as card:
        ballast = card / "other.log"
        ballast.write_bytes(bytes(600_000))
        journal = open_journal(card / "journal.db")
        promised = append_until_it_fails(journal)
        assert promised > 0
        for _ in range(3):
            with pytest.raises(JournalError):
                journal.append(scan_event())
        assert numbers(journal) == list(range(1, promised + 1))
        ballast.unlink()
        assert [journal.append(scan_event()).seq for _ in range(5)] == list(range(promised + 1, promised + 6))
        assert numbers(journal) == list(range(1, promised + 6))
        journal.close()


def test_a_full_disk_loses_nothing_that_was_promised_before(tmp_path: Path) -> None:
    with small_disk(tmp_path / "card", size=512 << 10) as card:
        journal = open_journal(card / "journal.db")
        promised = append_until_it_fails(journal)
        with pytest.raises(JournalError):
            journal.append(scan_event())
        copy = copy_as_after_power_cut(journal.path, tmp_path / "cut")
        journal.close()
    again = open_journal(copy)
    assert again.replaced is None
    assert numbers(again)[:promised] == list(range(1, promised + 1))
    again.close()


def test_delivery_goes_on_while_the_disk_is_full(tmp_path: Path) -> None:
    with small_disk(tmp_path / "card", size=512 << 10) as card:
        journal = open_journal(card / "journal.db")
        promised = append_until_it_fails(journal)
        delivered = 0
        while events := journal.pending(50):
            journal.acknowledge(events[-1].seq)
            delivered += len(events)
        assert delivered == promised
        journal.close()


def test_no_room_even_to_begin_makes_the_journal_unusable(tmp_path: Path) -> None:
    with small_disk(tmp_path / "card", size=64 << 10) as card:
        (card / "other.log").write_bytes(bytes(60 << 10))
        with pytest.raises(JournalUnusable, match="SQLITE_"):
            open_journal(card / "journal.db")


def test_a_read_only_card_makes_the_journal_unusable_and_leaves_the_file_alone(tmp_path: Path) -> None:
    with small_disk(tmp_path / "card", size=4 << 20) as card:
        journal = open_journal(card / "journal.db")
        journal.append(scan_event())
        journal.close()
        before = (card / "journal.db").read_bytes()
        subprocess.run(["mount", "-o", "remount,ro", str(card)], check=True)
        with pytest.raises(JournalUnusable):
            open_journal(card / "journal.db")
        assert (card / "journal.db").read_bytes() == before
        assert not list(card.glob("*.damaged-*"))
        subprocess.run(["mount", "-o", "remount,rw", str(card)], check=True)
        again = open_journal(card / "journal.db")
        assert again.replaced is None
        assert again.append(scan_event()).seq == 2
        again.close()


def test_a_flush_that_fails_is_not_taken_for_a_promise_and_the_next_event_is(
    forgetful: ForgetfulDisk,
) -> None:
    journal = open_journal(forgetful.root / "journal.db")
    journal.append(scan_event(1))
    forgetful.tell("fail_flushes", 1)
    with pytest.raises(JournalError):
        journal.append(scan_event(2))
    assert numbers(journal) == [1]
    assert journal.stats().last_seq == 1
    stored = journal.append(scan_event(3))
    assert stored.seq == 2
    assert numbers(journal) == [1, 2]
    journal.close()


@pytest.mark.parametrize("keep", [0.0, 0.5, 1.0])
def test_after_a_failed_flush_and_a_power_cut_nothing_promised_is_missing(
    forgetful: ForgetfulDisk, keep: float
) -> None:
    journal = open_journal(forgetful.root / "journal.db")
    for n in range(30):
        journal.append(scan_event(n))
    subprocess.run(["sync", "--file-system", str(forgetful.root)], check=True)
    forgetful.tell("fail_flushes", 1)
    with pytest.raises(JournalError):
        journal.append(scan_event(1000))
    promised = [journal.append(scan_event(n)).seq for n in range(5)]
    assert promised == [31, 32, 33, 34, 35]
    forgetful.tell("cut", keep, 7)
    journal.close()
    forgetful.unmount()
    forgetful.tell("power_on")
    forgetful.mount()
    again = open_journal(forgetful.root / "journal.db")
    assert again.replaced is None
    assert numbers(again) == list(range(1, 36))
    again.close()


def test_a_card_that_answers_nothing_any_more_refuses_every_event(forgetful: ForgetfulDisk) -> None:
    journal = open_journal(forgetful.root / "journal.db")
    journal.append(scan_event())
    forgetful.tell("cut", 0.0, 1)
    for _ in range(3):
        with pytest.raises(JournalError):
            journal.append(scan_event())
    journal.close()


def test_delivery_and_status_do_not_wait_for_a_slow_card(forgetful: ForgetfulDisk) -> None:
    journal = open_journal(forgetful.root / "journal.db")
    for n in range(10):
        journal.append(scan_event(n))
    forgetful.tell("hold")
    with ThreadPoolExecutor(1) as pool:
        appending = pool.submit(journal.append, scan_event(11))
        while not forgetful.tell("stat")["held"]:
            assert not appending.done()
        assert [e.seq for e in journal.pending(20)] == list(range(1, 11))
        journal.acknowledge(10)
        assert journal.stats().last_seq == 10
        assert not appending.done()
        forgetful.tell("release")
        assert appending.result(WAIT_S).seq == 11
    assert journal.stats().pending == 1
    journal.close()


def test_events_that_wait_for_a_slow_card_share_the_next_flush(forgetful: ForgetfulDisk) -> None:
    journal = open_journal(forgetful.root / "journal.db")
    for n in range(200):  # until the log has its full length, growing it costs flushes of its own
        journal.append(scan_event(n))
    forgetful.tell("hold")
    with ThreadPoolExecutor(12) as pool:
        first = pool.submit(journal.append, scan_event(1))
        while not forgetful.tell("stat")["held"]:
            pass
        others = [pool.submit(journal.append, scan_event(n)) for n in range(2, 12)]
        while len(journal._drafts) < len(others):
            pass
        before = forgetful.tell("stat")["flushes"]
        forgetful.tell("release")
        assert first.result(WAIT_S).seq == 201
        assert sorted(other.result(WAIT_S).seq for other in others) == list(range(202, 212))
    # One for the event that was under way, one for the ten behind it.
    assert forgetful.tell("stat")["flushes"] - before == 2
    assert numbers(journal) == list(range(1, 212))
    journal.close()


def test_a_delivered_event_costs_one_flush(forgetful: ForgetfulDisk) -> None:
    """With its share of copying the log; after the log has grown to its full length."""
    journal = open_journal(forgetful.root / "journal.db")
    append_many(journal, 600)
    before = forgetful.tell("stat")["flushes"]
    for n in range(500):
        journal.acknowledge(journal.append(scan_event(n)).seq)
    assert 500 <= forgetful.tell("stat")["flushes"] - before <= 525
    journal.close()


def test_a_sector_that_cannot_be_read_any_more_costs_the_events_on_it(forgetful: ForgetfulDisk) -> None:
    path = forgetful.root / "journal.db"
    journal = open_journal(path)
    append_many(journal, 600)
    journal.close()
    at = disk_offset(path, block=path.stat().st_size // BLOCK // 2)
    forgetful.unmount()  # what the kernel remembers of it goes, too
    forgetful.mount()
    forgetful.tell("spoil", at, BLOCK)
    again = open_journal(path)
    assert again.replaced is not None
    assert again.append(scan_event()).seq == 1
    again.prune()
    while again._upkeep.rescue():
        pass
    # A block is four pages, with one or two events on each.
    assert 600 - 8 <= again.stats().rescued < 600
    assert numbers(again)
    again.close()


def disk_offset(path: Path, *, block: int) -> int:
    """Where a block of a file lies on its disk, bytes (FIBMAP of <linux/fs.h>)."""
    with path.open("rb") as file:
        found = fcntl.ioctl(file, 1, struct.pack("i", block))
    return int(struct.unpack("i", found)[0]) * BLOCK
