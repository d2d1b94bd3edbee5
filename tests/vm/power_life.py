"""One life of a gate whose plug will be pulled. Runs inside the virtual machine, for `power_cuts.py`:

    python3 -m tests.vm.power_life GATE.yaml MODULE

Looks first at what the life before has left on the second disk, then runs the real daemon on kernel GPIO and
a replayed queue of people until the machine is killed. What it says on the console has left the machine by
then.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import gpio_sim  # the machine's own helper

from device.cli import main as gate_scanner
from device.errors import ExitCode
from device.journal.reader import JournalReader
from device.model import EventType
from tests.support.daemon import Daemon
from tests.vm.power_site import GREEN, JOURNAL

DISK = "/dev/ubdb"
LOOK_EVERY_S = 0.01
# A green light lasts more than a second: it is not missed, even where this machine stands still for a moment.
READY_WITHIN_S = 240.0
# As systemd does: on a busy host this machine stands still, and the daemon rightly believes its parts dead.
STARTS_AT_MOST = 5


def main() -> None:
    chip = gpio_sim.SimChip("pinctrl-bcm2711")
    gpio_sim.pretend_to_be_a_pi()
    JOURNAL.parent.mkdir(exist_ok=True)
    mounted = subprocess.run(["mount", "-o", "noatime", DISK, str(JOURNAL.parent)], check=False)
    if mounted.returncode:
        raise SystemExit("UNMOUNTABLE")
    tell_what_is_left()
    threading.Thread(target=watch_green, args=(chip,), daemon=True).start()
    for _ in range(STARTS_AT_MOST):
        with Daemon(Path(sys.argv[1]), Path("/run"), module=sys.argv[2]) as daemon:
            code = live(daemon)
            say(f"ENDED {code}\n{daemon.text()}")
        if code != ExitCode.WORKER_DIED:
            break
    raise SystemExit("it does not stay up")


def live(daemon: Daemon) -> int:
    """Until it ends by itself; its exit code."""

    def ready_or_over(d: Daemon) -> bool:
        return "READY=1" in d.notifications or d.process.poll() is not None

    daemon.wait_for(ready_or_over, "no READY=1", READY_WITHIN_S)
    if "READY=1" in daemon.notifications:
        say("READY")
        tell_what_is_signalled(daemon)
    return daemon.wait()


def say(text: str) -> None:
    """One line on the console, whole, from whichever thread."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def tell_what_is_left() -> None:
    if not JOURNAL.exists():  # at first; or whatever was promised is lost
        say("KEPT")
        return
    say(f"VERIFIED {gate_scanner(['events', '--journal', str(JOURNAL), '--verify'])}")
    with JournalReader(JOURNAL) as reader:
        kept = [
            f"{event.seq}:{json.loads(event.data)['outcome']}"
            for event in reader.events()
            if event.type == EventType.SCAN
        ]
    say("KEPT " + " ".join(kept))


def watch_green(chip: gpio_sim.SimChip) -> None:
    """Tells every time the line goes high, as the kernel has it."""
    before, pause = 0, threading.Event()
    while not pause.wait(LOOK_EVERY_S):
        now = chip.value(GREEN)
        if now and not before:
            say("GREEN")
        before = now


def tell_what_is_signalled(daemon: Daemon) -> None:
    told, pause = 0, threading.Event()
    while daemon.process.poll() is None:
        scans = daemon.scans()
        for scan in scans[told:]:
            say(f"TOLD {scan['seq']}:{scan['outcome']}")
        told = len(scans)
        pause.wait(LOOK_EVERY_S)


if __name__ == "__main__":
    main()
