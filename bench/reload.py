"""What a changed configuration costs: frames not looked at, while the daemon runs on a replayed scene.

    python bench/reload.py [--times N] [--fps N]

Three ways, in the same run: other rules taken over at once, other parts (the process begins anew), and the
service stopped and started, which is what a gate without a reload has to do. The gap of the last two is from
the last frame's ledger entry to READY=1; frames are that gap at the scene's rate.
"""

from __future__ import annotations

import argparse
import json
import signal
import statistics
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from device.runtime import SystemClock
from tests.support.codes import empty
from tests.support.daemon import Daemon
from tests.support.gate import Gate

if TYPE_CHECKING:
    from collections.abc import Callable

CLOCK = SystemClock()
STATUS_LINES = 3
"""Lines of the status, one a second, that have to come before and after a take-over."""


def replaced(daemon: Daemon) -> int:
    """Frames that were never looked at, by the newest status line."""
    return int(next(x["status"]["replaced"] for x in reversed(daemon.lines) if "status" in x))


def settle(daemon: Daemon) -> None:
    """Blocks until a few more status lines have come."""
    count = sum("status" in line for line in daemon.lines) + STATUS_LINES
    daemon.wait_for(lambda d: sum("status" in line for line in d.lines) >= count, "status lines")


def reload(daemon: Daemon) -> float:
    """Seconds from the signal to READY=1."""
    before, begun = daemon.notifications.count("READY=1"), CLOCK.monotonic()
    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait_for(lambda d: d.notifications.count("READY=1") > before, "READY=1")
    return CLOCK.monotonic() - begun


def since_the_last_ledger_entry(gate: Gate) -> float:
    """Seconds since the intake ended and its ledger was closed."""
    stopped = [event["clock"] for event in gate.stored() if event.get("what") == "stopped"]
    return CLOCK.monotonic() - int(stopped[-1]["uptime_ms"]) / 1000 if stopped else 0.0


def rules(gate: Gate, times: int) -> dict[str, object]:
    """Other rules, at once; beside them the frames lost in as long a time without a change."""
    lost, quiet, took = [], [], []
    with Daemon(gate.write(), gate.folder) as daemon:
        daemon.wait_until_ready()
        for number in range(times):
            settle(daemon)
            begun = replaced(daemon)
            settle(daemon)
            before = replaced(daemon)
            quiet.append(before - begun)
            gate.changes["policy.repeat_s"] = number + 5
            gate.write()
            took.append(reload(daemon))
            settle(daemon)
            lost.append(replaced(daemon) - before)
        daemon.stop()
    return {
        "frames_lost": lost,
        "without_a_change": quiet,
        "asked_to_answered_s": round(statistics.median(took), 2),
    }


def parts(gate: Gate, times: int) -> list[float]:
    """Other parts: the process begins anew."""
    gaps = []
    with Daemon(gate.write(), gate.folder) as daemon:
        daemon.wait_until_ready()
        for number in range(times):
            settle(daemon)
            gate.changes["panel.relay.pulse_s"] = 1 + number / 10
            gate.write()
            reload(daemon)
            gaps.append(since_the_last_ledger_entry(gate))
        daemon.stop()
    return gaps


def stop_and_start(gate: Gate, times: int) -> list[float]:
    """What has to be done without a reload."""
    gaps = []
    for _ in range(times + 1):
        with Daemon(gate.write(), gate.folder) as daemon:
            daemon.wait_until_ready()
            gaps.append(
                since_the_last_ledger_entry(gate) if gate.journal.exists() and gaps_known(gate) else 0.0
            )
            settle(daemon)
            daemon.stop()
    return gaps[1:]


def gaps_known(gate: Gate) -> bool:
    """Whether a run has ended before."""
    return any(event.get("what") == "stopped" for event in gate.stored())


def main() -> None:
    """Prints one JSON object a way."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--fps", type=int, default=30)
    args = parser.parse_args()

    def fresh(measure: Callable[[Gate, int], object]) -> object:
        with tempfile.TemporaryDirectory() as name:
            gate = Gate(Path(name), fps=args.fps)
            gate.add(empty(), 2)
            gate.changes = {"uplink": {"enabled": False}}
            return measure(gate, args.times)

    print(json.dumps({"rules": fresh(rules)}))
    for name, measure in (("parts", parts), ("stop_and_start", stop_and_start)):
        gaps = fresh(measure)
        if isinstance(gaps, list):
            frames = [round(gap * args.fps) for gap in gaps]
            print(json.dumps({name: {"gap_s": round(statistics.median(gaps), 2), "frames": frames}}))


if __name__ == "__main__":
    main()
