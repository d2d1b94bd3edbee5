"""Torn, cut and bit-flipped files: the gate opens again, and says of every event what became of it."""

from __future__ import annotations

import random
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from device.journal.chain import verify
from device.journal.database import CHECKPOINT_PAGES
from device.journal.record import parse
from device.runtime import SystemClock
from tests.support.journal import THREADS, append_many, open_journal, scan_event

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from device.journal.sqlite_journal import SqliteJournal
    from device.model import StoredEvent

pytestmark = pytest.mark.slow

EVENTS = 400
DELIVERED = 50
ROUNDS = 6


def flip_a_bit(content: bytearray, dice: random.Random) -> None:
    content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)


def cut_the_end(content: bytearray, dice: random.Random) -> None:
    del content[dice.randrange(len(content)) :]


def lose_a_sector(content: bytearray, dice: random.Random) -> None:
    at = dice.randrange(len(content)) // 512 * 512
    content[at : at + 512] = bytes(len(content[at : at + 512]))


def tear_a_page(content: bytearray, dice: random.Random) -> None:
    at = dice.randrange(len(content)) // 1024 * 1024
    content[at + 512 : at + 1024] = dice.randbytes(len(content[at + 512 : at + 1024]))


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[StoredEvent, ...]]:
    """The files of a journal that nobody closed, most of it in the log; and what it had promised."""
    folder = tmp_path_factory.mktemp("killed")
    journal = open_journal(folder / "live" / "journal.db")
    append_many(journal, EVENTS)
    journal.acknowledge(DELIVERED)
    journal.prune()
    stored = append_many(journal, 20)
    promised = journal.read(1, EVENTS + len(stored))
    copy = folder / "copy"
    copy.mkdir()
    files = [str(f) for f in journal.path.parent.iterdir()]
    subprocess.run(["cp", *files, str(copy)], check=True)
    journal.close()
    return copy, promised


def events_now(journal: SqliteJournal) -> dict[int, bytes]:
    """By their first number: what the journal holds itself, and what it has carried over."""
    while journal._upkeep.rescue():
        pass
    found = {}
    for event in journal.read(1, 10_000):
        data = parse(event.data)
        if data and event.type == "gate.rescued.v1":
            found[int(str(data["number"]))] = str(data["record"]).encode()
        else:
            found[event.seq] = event.data
    return found


@pytest.mark.parametrize("file", ["journal.db", "journal.db-wal", "journal.db-shm"])
@pytest.mark.parametrize("damage", [flip_a_bit, cut_the_end, lose_a_sector, tear_a_page])
def test_a_damaged_file_costs_what_it_held_and_nothing_else(
    killed: tuple[Path, tuple[StoredEvent, ...]],
    tmp_path: Path,
    file: str,
    damage: Callable[[bytearray, random.Random], None],
) -> None:
    copy, promised = killed
    due = {e.seq: e.data for e in promised if e.seq > DELIVERED}
    dice = random.Random(f"{file} {damage.__name__}")
    for turn in range(ROUNDS):
        folder = tmp_path / str(turn)
        subprocess.run(["cp", "-r", str(copy), str(folder)], check=True)
        content = bytearray((folder / file).read_bytes())
        before = bytes(content)
        damage(content, dice)
        (folder / file).write_bytes(content)
        touched = sum(due[seq] in before and due[seq] not in content for seq in due)
        journal = open_journal(folder / "journal.db")
        assert journal.append(scan_event()).seq > 0
        found = events_now(journal)
        lost = [seq for seq, data in due.items() if found.get(seq) != data]
        if file == "journal.db-shm":
            assert journal.replaced is None
        breaks = [b.seq for b in verify(journal.read(1, 10_000))]
        if journal.replaced is None:
            # Not noticed at start: the events of one last commit, which might never have been promised;
            # or data that were changed within an old row, which the chain tells at that event or the next.
            assert len(lost) <= max(touched, THREADS)
            assert len(breaks) <= 2
        else:
            assert len(lost) <= touched
            assert breaks == []
        journal.close()


def test_the_gate_is_open_again_at_once_however_large_the_damaged_journal(tmp_path: Path) -> None:
    """Measured, not asserted against a limit: a busy machine may stand still for a second."""
    path = tmp_path / "journal.db"
    journal = open_journal(path, max_bytes=64 << 20)
    append_many(journal, 6000)
    assert journal.size() > CHECKPOINT_PAGES * 1024
    journal.close()
    content = bytearray(path.read_bytes())
    content[len(content) // 2 :][:4096] = bytes(4096)
    content[20 * 1024 : 20 * 1024 + 100] = bytes(100)
    path.write_bytes(content)
    clock = SystemClock()
    began = time.monotonic()
    again = open_journal(path, max_bytes=64 << 20, clock=clock)
    again.append(scan_event())
    print(f"open again after {time.monotonic() - began:.2f} s with {len(content) >> 20} MiB")  # noqa: T201
    assert again.replaced is not None
    assert again.stats().last_seq == 1
    again.close()
