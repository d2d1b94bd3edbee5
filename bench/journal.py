"""What one signalled event costs the card: time, flushes, bytes.

    python bench/journal.py [--events N] [--folder DIR] [--json]

On a file system of its own (ext4 on a loop device whose file lies in DIR), so that nobody else's writes
are counted: the kernel's own counters of that device tell flushes and bytes. In rounds that follow each
other: a raw 4 KiB write with fdatasync (what the device can do at best), this journal with every event
acknowledged, and SQLite as Python opens it by default. Needs root.

The ratio of times is taken apart from these, in pairs: one raw write, one event, one raw write..., the
order of the two changing, so that a busy machine disturbs both alike. Each round's ratio is that of its
medians; told are the median of the rounds and the range of the middle half of them. Absolute times are this
machine's.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sqlite3
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from device.journal.record import as_data, canonical
from device.journal.sqlite_journal import SqliteJournal
from device.journal.state import WhenFull
from device.model import CredentialRef, Direction, Outcome, Reason, ScanEvent, Standing
from device.runtime import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROUNDS = 10
# Of pairs: so many rounds, so many pairs in each.
PAIR_ROUNDS = 30
PAIRS = 60
MIB = 1 << 20
# The log grows to its full length once in a journal's life: those events are not what a day costs.
WARM_UP = 400


@dataclass
class Cost:
    """What the events of one way of writing them cost, over all rounds."""

    events: int = 0
    flushes: int = 0
    bytes: int = 0
    seconds: list[float] = field(default_factory=list)

    @property
    def p50(self) -> float:
        return statistics.median(self.seconds)

    @property
    def p99(self) -> float:
        return statistics.quantiles(self.seconds, n=100)[98]


class Device:
    """A loop device with an ext4 of its own."""

    def __init__(self, loop: str, root: Path) -> None:
        self.root = root
        self._stat = Path("/sys/block") / Path(loop).name / "stat"

    def counters(self) -> tuple[int, int]:
        """Flushes and bytes written, since it was made (Documentation/block/stat.rst: fields 16 and 7)."""
        fields = [int(word) for word in self._stat.read_text(encoding="ascii").split()]
        return fields[15], fields[6] * 512

    def settle(self) -> None:
        """Everything that is under way reaches the device."""
        subprocess.run(["sync", "--file-system", str(self.root)], check=True)


@contextlib.contextmanager
def own_device(folder: Path) -> Iterator[Device]:
    """Makes the device and mounts it."""
    with tempfile.TemporaryDirectory(dir=folder, prefix="bench-journal-") as work:
        image, root = Path(work) / "image", Path(work) / "root"
        root.mkdir()
        with image.open("wb") as file:
            file.truncate(192 * MIB)
        # Blocks as on a card: on so small a device the tool would take 1 KiB, and tell too few bytes.
        subprocess.run(["mkfs.ext4", "-q", "-F", "-b", "4096", str(image)], check=True)
        loop = subprocess.run(
            ["losetup", "--find", "--show", str(image)], check=True, capture_output=True, text=True
        ).stdout.strip()
        try:
            # As docs/ advise for the card: no access times, the file system's own commit every minute.
            subprocess.run(["mount", "-o", "noatime,commit=60", loop, str(root)], check=True)
            try:
                yield Device(loop, root)
            finally:
                subprocess.run(["umount", str(root)], check=True)
        finally:
            subprocess.run(["losetup", "--detach", loop], check=True)


def event(clock: SystemClock, number: int) -> ScanEvent:
    """A granted showing, as long as a real one."""
    return ScanEvent(
        direction=Direction.IN,
        outcome=Outcome.GRANTED,
        reason=Reason.OK,
        credential=CredentialRef("vn.cccd", Standing.CLAIMED, f"{number:032x}"),
        clock=clock.reading(),
        rules="0123456789abcdef",
        engine="zxing",
        latency_ms=87,
    )


def measure(device: Device, cost: Cost, events: list[ScanEvent], write: Callable[[ScanEvent], None]) -> None:
    """Adds what so many calls of `write` cost, from a settled device to a settled device."""
    device.settle()
    flushes, written = device.counters()
    for showing in events:
        began = time.perf_counter()
        write(showing)
        cost.seconds.append(time.perf_counter() - began)
    device.settle()
    now_flushes, now_written = device.counters()
    cost.events += len(events)
    cost.flushes += now_flushes - flushes
    cost.bytes += now_written - written


@contextlib.contextmanager
def raw_writer(root: Path) -> Iterator[Callable[[ScanEvent], None]]:
    """Overwrites one block and waits for the device: what it can do at best."""
    handle = os.open(root / "raw", os.O_RDWR | os.O_CREAT)
    os.posix_fallocate(handle, 0, 4096)
    block = os.urandom(4096)

    def write(_: ScanEvent) -> None:
        os.pwrite(handle, block, 0)
        os.fdatasync(handle)

    yield write
    os.close(handle)


@contextlib.contextmanager
def journal_writer(root: Path, clock: SystemClock) -> Iterator[Callable[[ScanEvent], None]]:
    """This journal; every event is delivered."""
    journal = SqliteJournal.open(
        root / "journal.db", max_bytes=64 * MIB, keep_days=30, when_full=WhenFull.REFUSE, clock=clock
    )

    def write(showing: ScanEvent) -> None:
        journal.acknowledge(journal.append(showing).seq)

    yield write
    journal.close()


@contextlib.contextmanager
def default_writer(root: Path) -> Iterator[Callable[[ScanEvent], None]]:
    """The same rows in SQLite as Python opens it; nothing is delivered."""
    db = sqlite3.connect(root / "default.db")
    db.execute("CREATE TABLE event (seq INTEGER PRIMARY KEY, type TEXT, data BLOB)")
    db.commit()

    def write(showing: ScanEvent) -> None:
        data = canonical(as_data(showing), seq=1, prev="0" * 64)
        db.execute("INSERT INTO event (type, data) VALUES (?, ?)", ("gate.scan.v1", data))
        db.commit()

    yield write
    db.close()


def in_pairs(
    raw: Callable[[ScanEvent], None], ours: Callable[[ScanEvent], None], clock: SystemClock
) -> list[float]:
    """The ratio of the medians, ours to raw, of each round."""
    ratios = []
    for _ in range(PAIR_ROUNDS):
        times: dict[bool, list[float]] = {True: [], False: []}
        for number in range(PAIRS):
            showing = event(clock, number)
            for mine in (number % 2 == 0, number % 2 == 1):
                began = time.perf_counter()
                (ours if mine else raw)(showing)
                times[mine].append(time.perf_counter() - began)
        ratios.append(statistics.median(times[True]) / statistics.median(times[False]))
    return ratios


def main() -> None:
    """Runs the rounds and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--events", type=int, default=3000, help="events through the journal (3000)")
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="where the device's file lies")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    options = parser.parse_args()
    if os.geteuid():
        parser.exit(2, "this bench makes a file system of its own: run it as root\n")
    clock = SystemClock()
    costs = {"raw 4 KiB write + fdatasync": Cost(), "this journal": Cost(), "sqlite3's default": Cost()}
    raw_cost, journal_cost, default_cost = costs.values()
    with own_device(options.folder) as device, contextlib.ExitStack() as stack:
        raw = stack.enter_context(raw_writer(device.root))
        ours = stack.enter_context(journal_writer(device.root, clock))
        default = stack.enter_context(default_writer(device.root))
        for number in range(WARM_UP):
            ours(event(clock, number))
        for _ in range(ROUNDS):
            showings = [event(clock, number) for number in range(max(10, options.events // ROUNDS))]
            measure(device, raw_cost, showings, raw)
            measure(device, journal_cost, showings, ours)
            measure(device, default_cost, showings[::10], default)
        low, middle, high = statistics.quantiles(in_pairs(raw, ours, clock), n=4)
    if options.json:
        fields = {name: {**vars(c), "seconds": c.p50} for name, c in costs.items()}
        print(json.dumps({**fields, "p50 in pairs": {"q1": low, "median": middle, "q3": high}}))
        return
    print(f"{'':30}{'p50 ms':>8}{'p99 ms':>9}{'/ raw':>7}{'flushes':>9}{'bytes':>9}   each event")
    for name, cost in costs.items():
        print(
            f"{name:30}{cost.p50 * 1e3:8.2f}{cost.p99 * 1e3:9.2f}{cost.p50 / raw_cost.p50:7.2f}"
            f"{cost.flushes / cost.events:9.2f}{cost.bytes / cost.events:9.0f}"
        )
    print(f"in pairs, this journal's p50 / raw: {middle:.2f} ({low:.2f} to {high:.2f})")


if __name__ == "__main__":
    main()
