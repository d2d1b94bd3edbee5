"""Whether the gate is the same after hours as after minutes: memory, descriptors, threads, latency.

    python -m bench.soak [--minutes N] [--folder DIR] [--csv FILE] [--picture FILE.png]
    python -m bench.soak --of FILE.csv --picture FILE.png     of an earlier run: its figures, its picture

The whole daemon, its decoder children included, on a replayed queue of people (one of five shows a code
that nobody can read, which takes every step of the search), with a real mosquitto that is killed, stopped and
frozen in turn and comes back. Every few seconds one line goes into the CSV. A slope is Theil's: the median
over all pairs of samples, which a broker's comings and goings do not move; the first fifth, where caches
fill, is left out. Ends with 1 when something grows faster than its limit below, when the backlog does not
drain, or when the daemon does not end well.
"""

from __future__ import annotations

import argparse
import csv
import math
import statistics
import sys
import tempfile
import threading
import time
from dataclasses import astuple, dataclass, fields
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Final, get_type_hints

import psutil

from bench.soaking.picture import Panel, draw
from device.journal.reader import JournalReader
from tests.support.broker import Broker
from tests.support.codes import Held, empty, shown
from tests.support.daemon import Daemon
from tests.support.gate import ANNA, BINH, CHI, REFUSED, Gate
from tests.support.subscriber import Subscriber

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SAMPLE_S: Final = 5.0
"""Reading a process's share of memory costs some milliseconds; oftener would be part of the load."""

BROKER_UP_S: Final = 40.0
"""Long enough that the backlog of an absence is delivered."""

BROKER_AWAY_S: Final = 20.0
"""Some of the gate's attempts to connect fail, and a backlog gathers."""

MAKE_UP_WITHIN_S: Final = 120.0
"""The end: what waits must have been delivered."""

SETTLING: Final = 0.2
"""Share of the samples at the beginning that no slope looks at."""

LIMITS: Final = {"rss_mb": 6.0, "descriptors": 1.0, "threads": 1.0, "latency_ms": 30.0}
"""Growth in an hour above which the run has failed. Six megabytes is what a quarter of an hour can tell from
noise; the unit allows 350 MB above what the gate takes. PSS has none: it counts a part of each page
that processes share, so whoever else starts or ends a Python moves it."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One look: daemon and children together, unless the name says otherwise."""

    minutes: float
    broker: int
    rss_mb: float
    pss_mb: float
    daemon_pss_mb: float
    descriptors: int
    threads: int
    processes: int
    latency_ms: float
    scans: int
    pending: int


def main() -> int:
    """Runs it and prints the figures."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--minutes", type=float, default=10.0, help="how long; an hour tells more")
    options.add_argument("--folder", type=Path, help="on the disk to be used; a temporary one otherwise")
    options.add_argument("--csv", type=Path, metavar="FILE", help="write every sample there")
    options.add_argument("--picture", type=Path, metavar="FILE", help="draw it as PNG there")
    options.add_argument("--of", type=Path, metavar="CSV", help="no run: what an earlier one wrote")
    args = options.parse_args()
    flaws: list[str] = []
    if args.of:
        samples = read(args.of)
    else:
        with tempfile.TemporaryDirectory(dir=args.folder) as folder:
            samples, flaws = soak(Path(folder), args.minutes, args.csv)
    if args.picture:
        picture(samples, args.picture)
    flaws += report(samples)
    for flaw in flaws:
        print(f"NOT FLAT: {flaw}")
    return 1 if flaws else 0


def soak(folder: Path, minutes: float, table: Path | None) -> tuple[list[Sample], list[str]]:
    """Runs daemon and broker for so long; the samples, and what went wrong at the end."""
    (folder / "broker").mkdir()
    with (
        Broker(folder / "broker", options={"log_type": "error"}) as broker,
        # The gate takes an event as delivered only where somebody has subscribed.
        Subscriber(broker.host, broker.port, topic="gate/v1/+/+/+/event"),
        Daemon(queue(folder, broker.port), folder) as daemon,
    ):
        daemon.wait_until_ready()
        watch = Watch(daemon, broker)
        samples = list(keep(watch.samples(minutes * 60), table))
        watch.bring_back()
        flaws = []
        try:
            daemon.wait_for(lambda _: watch.pending() <= 2, "the backlog drains", MAKE_UP_WITHIN_S)
        except AssertionError as error:
            flaws.append(str(error).splitlines()[0])
        if code := daemon.stop():
            flaws.append(f"the daemon ended with {code}")
    with JournalReader(folder / "journal.db") as reader:
        found = reader.verify(10)
    if not found.whole:
        flaws.append(f"the journal is not whole: {found.breaks}")
    print(f"{watch.absences} times without a broker; journal complete and unchanged: {found.whole}")
    return samples, flaws


def queue(folder: Path, port: int) -> Path:
    """People one after the other without an end; the configuration."""
    gate = Gate(folder, port=port)
    gate.changes = {"policy.repeat_s": 0, "decode.showing_ends_after_s": 0.2}
    unreadable = Held(blur_px=9.0)
    for content, held in ((ANNA, None), (BINH, None), (CHI, None), (REFUSED, None), (ANNA, unreadable)):
        gate.add(shown(content, held), 4)
        gate.add(empty(), 5)
    return gate.write()


class Watch:
    """Looks at the processes, and lets the broker come and go."""

    def __init__(self, daemon: Daemon, broker: Broker) -> None:
        self._daemon = daemon
        self._broker = broker
        self._process = psutil.Process(daemon.process.pid)
        self._lines = 0
        self._scans = 0
        self._up = True
        self.absences = 0

    def samples(self, seconds: float) -> Iterator[Sample]:
        """One every few seconds, until so many have passed."""
        begun, pause = time.monotonic(), threading.Event()
        turn_at = BROKER_UP_S
        while (passed := time.monotonic() - begun) < seconds:
            if passed >= turn_at:
                self._turn()
                turn_at += BROKER_UP_S if self._up else BROKER_AWAY_S
            yield self._look(passed / 60)
            pause.wait(SAMPLE_S)

    def pending(self) -> int:
        """Events to deliver, as the daemon says in its status line."""
        for text in reversed(self._daemon.notifications):
            if text.startswith("STATUS=") and " to deliver" in text:
                return int(text.split(" to deliver")[0].split()[-1])
        return 0

    def bring_back(self) -> None:
        """The broker is there from now on."""
        if not self._up:
            self._turn()

    def _turn(self) -> None:
        self._up = not self._up
        # Three ways to be away: gone without a word, gone with one, there and silent.
        manner = self.absences % 3
        if self._up:
            self._broker.thaw() if manner == 2 else self._broker.start()
            self.absences += 1
        else:
            (self._broker.kill, self._broker.stop, self._broker.freeze)[manner]()

    def _look(self, minutes: float) -> Sample:
        family = [self._process, *self._process.children(recursive=True)]
        memory = [process.memory_full_info() for process in family]
        lines = self._daemon.lines[self._lines :]
        self._lines += len(lines)
        latencies = [line["scan"]["latency_ms"] for line in lines if "scan" in line]
        self._scans += len(latencies)
        return Sample(
            minutes=round(minutes, 3),
            broker=int(self._up),
            rss_mb=round(sum(one.rss for one in memory) / 1e6, 2),
            pss_mb=round(sum(one.pss for one in memory) / 1e6, 2),
            daemon_pss_mb=round(memory[0].pss / 1e6, 2),
            descriptors=sum(process.num_fds() for process in family),
            threads=sum(process.num_threads() for process in family),
            processes=len(family),
            latency_ms=float(statistics.median(latencies)) if latencies else float("nan"),
            scans=self._scans,
            pending=self.pending(),
        )


def keep(samples: Iterator[Sample], table: Path | None) -> Iterator[Sample]:
    """Writes each sample as it comes, so that a run that is broken off is not lost."""
    if table is None:
        yield from samples
        return
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([field.name for field in fields(Sample)])
        for sample in samples:
            writer.writerow(astuple(sample))
            file.flush()
            yield sample


def read(table: Path) -> list[Sample]:
    """What `keep` wrote."""
    kinds = get_type_hints(Sample)
    with table.open(encoding="utf-8", newline="") as file:
        return [
            Sample(**{name: kinds[name](text) for name, text in row.items()}) for row in csv.DictReader(file)
        ]


def slope(samples: Sequence[Sample], name: str) -> float:
    """Of one column, per hour, by Theil; 0 where there is too little to tell."""
    settled = samples[int(len(samples) * SETTLING) :]
    points = [(sample.minutes / 60, getattr(sample, name)) for sample in settled]
    points = [(at, value) for at, value in points if not math.isnan(value)]
    pairs = [(b - a) / (till - since) for (since, a), (till, b) in combinations(points, 2)]
    return statistics.median(pairs) if pairs else 0.0


def report(samples: Sequence[Sample]) -> list[str]:
    """Prints the slopes; what is above its limit."""
    last = samples[-1]
    print(f"{last.minutes:.1f} minutes, {last.scans} people answered, {len(samples)} samples")
    print(f"{'':16}{'median':>10}{'highest':>10}{'an hour':>10}{'limit':>10}")
    flaws = []
    for name in ("rss_mb", "pss_mb", "daemon_pss_mb", "descriptors", "threads", "latency_ms"):
        values = [value for one in samples if not math.isnan(value := getattr(one, name))]
        grows, limit = slope(samples, name), LIMITS.get(name)
        row = f"{name:16}{statistics.median(values):10.1f}{max(values):10.1f}{grows:+10.2f}"
        print(row + (f"{limit:10g}" if limit is not None else ""))
        if limit is not None and grows > limit:
            flaws.append(f"{name} grows by {grows:.2f} an hour, {limit:g} are allowed")
    return flaws


def picture(samples: Sequence[Sample], path: Path) -> None:
    """Four curves over the same minutes."""
    minutes = [sample.minutes for sample in samples]
    panels = [
        Panel(title, [float(getattr(sample, name)) for sample in samples])
        for title, name in (
            ("Memory of daemon and decoders, MB (RSS)", "rss_mb"),
            ("Open descriptors", "descriptors"),
            ("Threads", "threads"),
            ("From frame to decision, median of 5 s, ms", "latency_ms"),
        )
    ]
    draw(path, minutes, panels, away=[not sample.broker for sample in samples])


if __name__ == "__main__":
    sys.exit(main())
