"""From a frame in the slot to the cue on the lines, and what the daemon weighs.

    python bench/first_light.py [--people N] [--folder DIR]

Everything real but the pins: decoder children, SQLite with its flush on DIR's file system, panel thread
on gpiozero's mock pins. In the same run, on the same frames: plain `pyzbar.decode` and plain
`zxingcpp.read_barcodes`, and a raw 4 KiB write with fdatasync on the same file system. Absolute times are
this machine's; the ratios are what to compare.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import re
import statistics
import tempfile
import threading
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import psutil
import zxingcpp
from pyzbar import pyzbar

from device.credential.pseudonym import Pseudonyms
from device.decode.blurred import blurred_places
from device.decode.cause import cause_of
from device.decode.pool import DecoderPool, usable_cores
from device.decode.process import Child
from device.gpio.lines import GpioLines, Wire
from device.gpio.panel import GpioPanel
from device.gpio.patterns import Lamp
from device.gpio.pins import open_pins
from device.journal.sqlite_journal import SqliteJournal
from device.journal.state import WhenFull
from device.model import Direction, Frame
from device.policy.judge import Judge
from device.policy.lists import Lists
from device.policy.rules import Rules
from device.presentation import Tracker
from device.privacy.keeping import IdentityKeeper
from device.runtime import LatestSlot, Supervisor, SystemClock, Worker
from device.scan import ScanLoop
from device.steering import Steering
from device.unread import UnreadWatch
from tests.support.codes import Held, empty, shown
from tests.support.daemon import Daemon
from tests.support.gate import ANNA, Gate

if TYPE_CHECKING:
    from collections.abc import Callable

    from device.gpio.player import LineState

CARD = "0790880{:05d}|191234567|Trần Văn Bình|29021988|Nam|Thôn 1, Xã Giả Định, Tỉnh Mẫu|30042022"


class TimedLines:
    """The panel's lines, and when green went up."""

    def __init__(self, lines: GpioLines) -> None:
        self._lines = lines
        self.green = threading.Event()
        self.green_at = 0.0

    def drive(self, state: LineState) -> None:
        self._lines.drive(state)
        if Lamp.GREEN in state.lamps:
            self.green_at = time.perf_counter()
            self.green.set()

    def close(self) -> None:
        self._lines.close()


def percentiles(samples_ms: list[float]) -> dict[str, float]:
    """What is worth saying of a set of times."""
    ordered = sorted(samples_ms)
    return {
        "p50": round(statistics.median(ordered), 2),
        "p95": round(ordered[int(len(ordered) * 0.95)], 2),
        "max": round(ordered[-1], 2),
    }


def slot_to_cue(people: int, folder: Path) -> dict[str, object]:
    """Different people one after another, each one frame; milliseconds from `put` to the green line."""
    clock = SystemClock()
    held = Held(turn_deg=12, tilt_deg=20, blur_px=0.6, noise=4)
    frames = [shown(CARD.format(n), held) for n in range(people)]
    nobody = empty()
    with ExitStack() as parts:
        journal = SqliteJournal.open(
            folder / "journal.db", max_bytes=1 << 26, keep_days=1, when_full=WhenFull.REFUSE, clock=clock
        )
        parts.callback(journal.close)
        child = partial(Child, engines=("zxing", "zbar"), capacity=1280 * 720, clock=clock)
        pool = DecoderPool(child=child, deadline_ms=1000, clock=clock, cores=usable_cores())
        pool.start()
        parts.callback(pool.close)
        lines = TimedLines(GpioLines(pins=open_pins("mock"), lights={Lamp.GREEN: Wire(17)}))
        panel = GpioPanel(lines=lines, clock=clock, relay_pulse_s=1)
        slot: LatestSlot[Frame] = LatestSlot()
        scan = ScanLoop(
            slot=slot,
            decoder=pool,
            tracker=Tracker(showing_ends_after_s=0.0),
            unread_watch=UnreadWatch(tell_after_s=0.3, ends_after_s=1.0),
            diagnose=cause_of,
            steering=Steering(focus_dioptres=None, exposure_us=None, frame_s=1 / 30, suspects=blurred_places),
            steer=lambda _: None,
            identities=IdentityKeeper(source="gate/v1/t/s/g"),
            judge=Judge(
                rules=Rules(accept=frozenset({"vn.cccd"})),
                lists=Lists(),
                pseudonyms=Pseudonyms(os.urandom(32)),
                poster_hosts=frozenset(),
                clock=clock,
            ),
            recorder=journal,
            panel=panel,
            clock=clock,
            direction=Direction.IN,
        )
        workers = [
            Worker("panel", panel.body, deadline_s=60, clock=clock, wake=panel.wake),
            Worker("scan", scan.body, deadline_s=60, clock=clock),
        ]
        supervisor = Supervisor(workers)
        supervisor.start()
        parts.callback(supervisor.stop)
        samples = []
        for number, luma in enumerate(frames):
            lines.green.clear()
            begun = time.perf_counter()
            slot.put(Frame(luma, number, clock.monotonic()))
            if not lines.green.wait(10):
                continue
            samples.append((lines.green_at - begun) * 1000)
            slot.put(Frame(nobody, number, clock.monotonic()))
            while not slot.empty:
                lines.green.wait(0.001)
    return {"people": people, "read": len(samples), "ms": percentiles(samples)}


def raw_flush(folder: Path, count: int) -> dict[str, float]:
    """A 4 KiB write and fdatasync: the least any durable record can take here."""
    samples = []
    with (folder / "raw").open("wb", buffering=0) as file:
        for _ in range(count):
            begun = time.perf_counter()
            file.write(b"x" * 4096)
            os.fdatasync(file.fileno())
            samples.append((time.perf_counter() - begun) * 1000)
    return percentiles(samples)


def decode_rates(count: int) -> dict[str, object]:
    """Frames a second at 1280x720, one after another, half of them with a code."""
    held = Held(turn_deg=12, tilt_deg=20, blur_px=0.6, noise=4)
    frames = [shown(CARD.format(n), held) if n % 2 else empty(seed=n) for n in range(count)]
    clock = SystemClock()
    child = partial(Child, engines=("zxing", "zbar"), capacity=1280 * 720, clock=clock)
    pool = DecoderPool(child=child, deadline_ms=2000, clock=clock, cores=usable_cores())
    pool.start()
    readers: dict[str, Callable[[int], object]] = {
        "gate-scanner": lambda n: pool.decode(Frame(frames[n], n, clock.monotonic())),
        "pyzbar.decode": lambda n: pyzbar.decode(frames[n], symbols=[pyzbar.ZBarSymbol.QRCODE]),
        "zxingcpp.read_barcodes": lambda n: zxingcpp.read_barcodes(
            frames[n], formats=zxingcpp.BarcodeFormat.QRCode
        ),
    }
    spent = dict.fromkeys(readers, 0.0)
    for number in range(count):  # in turn, so that a noisy machine is noisy for all
        for name, read in readers.items():
            begun = time.perf_counter()
            read(number)
            spent[name] += time.perf_counter() - begun
    pool.close()
    return {name: round(count / seconds, 1) for name, seconds in spent.items()}


def weight(folder: Path) -> dict[str, object]:
    """Memory of the running daemon, its decoder children beside it, in MB; and its start."""
    gate = Gate(folder)
    gate.hold(ANNA)
    with Daemon(gate.write(), folder) as daemon:
        begun = time.perf_counter()
        daemon.wait_until_ready()
        ready_s = time.perf_counter() - begun
        daemon.wait_for(lambda d: len(d.scans()) >= 3, "three scans")
        main = psutil.Process(daemon.process.pid)
        children = main.children(recursive=True)
        own = main.memory_full_info()
        shares = [child.memory_full_info().pss for child in children]
        daemon.stop()
    return {
        "daemon_rss": round(own.rss / 1e6, 1),
        "daemon_pss": round(own.pss / 1e6, 1),
        "children": len(shares),
        "children_pss": round(sum(shares) / 1e6, 1),
        "seconds_to_ready": round(ready_s, 2),
    }


def runtime_dependencies() -> list[str]:
    """What the package itself asks for, without extras."""
    wanted = importlib.metadata.requires("gate-scanner") or []
    return sorted(re.split(r"[<>=;\s]", line)[0] for line in wanted if "extra ==" not in line)


def main() -> None:
    """Prints one JSON object a figure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument(
        "--folder", type=Path, help="on the file system to measure (default: a temporary one)"
    )
    args = parser.parse_args()
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory(dir=args.folder) as name:
        folder = Path(name)
        print(json.dumps({"slot_to_cue": slot_to_cue(args.people, folder)}))
        print(json.dumps({"raw_4KiB_fdatasync_ms": raw_flush(folder, args.people)}))
        print(json.dumps({"frames_per_second_1280x720": decode_rates(60)}))
        print(json.dumps({"weight_MB": weight(folder)}))
    print(json.dumps({"runtime_dependencies": runtime_dependencies()}))


if __name__ == "__main__":
    main()
