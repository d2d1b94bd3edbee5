"""What it costs to be watched: the daemon with and without somebody aiming, and the page's pictures a second.

    python -m bench.aim [--turns N] [--seconds N] [--fps N] [--json FILE]

One daemon (replay at 1280x720 in place of the camera, mock pins, no uplink) in front of people who come with
a card and go. Turn by turn nobody watches, then `gate-scanner aim` runs and a browser's part is played by a
client that asks for the next picture as soon as it has one: at a real gate the browser is another machine, so
it is not counted. Processor time is user and system, of all processes of the daemon, and of the page's apart,
after each has settled. Frames that the daemon looked at come from its own status: a gate that is slowed down
by whoever watches shows here.
"""

from __future__ import annotations

import argparse
import http.client
import json
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from tests.support.codes import Held
from tests.support.daemon import Daemon
from tests.support.gate import ANNA, BINH, Gate

SETTLE_S = 4.0
"""Start-up of the page, and the first looks."""


@dataclass(frozen=True)
class Turn:
    """What was counted in one turn, a second.

    Attributes:
        daemon: processor seconds of the daemon and its decoders.
        page: of `gate-scanner aim`; 0 where it does not run.
        looked: frames that the daemon looked at.
        shown: pictures that the page gave.
        kilobytes: of each of them, on the wire.
    """

    daemon: float
    page: float = 0.0
    looked: float = 0.0
    shown: float = 0.0
    kilobytes: float = 0.0

    @property
    def a_frame_ms(self) -> float:
        """Processor time of the daemon for each frame it looked at: a busy machine changes this least."""
        return 1000 * self.daemon / self.looked if self.looked else 0.0


def main() -> int:
    """Runs the turns and prints the figures."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--turns", type=int, default=3, help="of each kind, one after the other")
    options.add_argument("--seconds", type=float, default=20.0, help="how long to count in each")
    options.add_argument("--fps", type=float, default=15.0, help="of the camera")
    options.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    args = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = compare(Path(folder), args.turns, args.seconds, args.fps)
    for name, value in figures.items():
        print(f"{name:44}{value}")
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 0


def compare(folder: Path, turns: int, seconds: float, fps: float) -> dict[str, float]:
    """Alone and watched, in turns."""
    gate = Gate(folder, fps=fps, changes={"uplink.enabled": False})
    for person in (ANNA, BINH):
        gate.hold(person, Held(module_px=5))
    config = gate.write()
    alone, watched = [], []
    with Daemon(config, folder) as daemon:
        daemon.wait_until_ready()
        for _ in range(turns):
            threading.Event().wait(SETTLE_S)
            alone.append(unwatched(daemon, seconds))
            watched.append(looked_at(daemon, config, seconds))
    medians = {
        "daemon alone, CPU s a second": statistics.median(turn.daemon for turn in alone),
        "daemon while watched": statistics.median(turn.daemon for turn in watched),
        "`gate-scanner aim` beside it": statistics.median(turn.page for turn in watched),
        "CPU ms a frame looked at, alone": statistics.median(turn.a_frame_ms for turn in alone),
        "CPU ms a frame looked at, watched": statistics.median(turn.a_frame_ms for turn in watched),
        "frames looked at a second, alone": statistics.median(turn.looked for turn in alone),
        "frames looked at a second, watched": statistics.median(turn.looked for turn in watched),
        "pictures a second on the page": statistics.median(turn.shown for turn in watched),
        "kilobytes of each": statistics.median(turn.kilobytes for turn in watched),
    }
    return {name: round(value, 3) for name, value in medians.items()}


def unwatched(daemon: Daemon, seconds: float) -> Turn:
    """The daemon by itself."""
    ours = tree(daemon.process.pid)
    begun, spent, frames = time.monotonic(), processor_s(ours), looks(daemon)
    threading.Event().wait(seconds)
    took = time.monotonic() - begun
    return Turn((processor_s(ours) - spent) / took, looked=(looks(daemon) - frames) / took)


def looked_at(daemon: Daemon, config: Path, seconds: float) -> Turn:
    """With the page, and somebody who asks for every picture it has."""
    command = [sys.executable, "-m", "device", "aim", "--config", str(config), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as page:
        found = re.search(r"http://\S+", page.stdout.readline() if page.stdout else "")
        if found is None:
            sys.exit("the page does not start")
        address = urlsplit(found[0]).netloc
        watch(address, SETTLE_S)
        ours, theirs = tree(daemon.process.pid), tree(page.pid)
        begun, spent, page_spent, frames = (
            time.monotonic(),
            processor_s(ours),
            processor_s(theirs),
            looks(daemon),
        )
        pictures, size = watch(address, seconds)
        took = time.monotonic() - begun
        turn = Turn(
            (processor_s(ours) - spent) / took,
            (processor_s(theirs) - page_spent) / took,
            (looks(daemon) - frames) / took,
            pictures / took,
            size / 1000 / max(pictures, 1),
        )
        page.terminate()
        return turn


def watch(address: str, seconds: float) -> tuple[int, int]:
    """Asks for one picture after the other; how many different ones there were, and their bytes."""
    connection = http.client.HTTPConnection(address, timeout=30)
    until, number, pictures, size = time.monotonic() + seconds, 0, 0, 0
    while time.monotonic() < until:
        connection.request("GET", f"/sight?after={number}")
        answer = connection.getresponse().read()
        newest = json.loads(answer).get("number", number)
        if newest != number:
            number, pictures, size = newest, pictures + 1, size + len(answer)
    connection.close()
    return pictures, size


def tree(pid: int) -> list[psutil.Process]:
    """A process and its children."""
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def processor_s(processes: list[psutil.Process]) -> float:
    """User and system, of all of them."""
    times = [process.cpu_times() for process in processes]
    return sum(one.user + one.system for one in times)


def looks(daemon: Daemon) -> int:
    """Frames that the daemon has looked at, as its newest status tells."""
    told = [line["status"]["scan"]["frames"] for line in daemon.lines if "status" in line]
    return int(told[-1]) if told else 0


if __name__ == "__main__":
    sys.exit(main())
