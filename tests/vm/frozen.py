"""The whole machine freezes, systemd included; the watchdog resets it. Runs on the host:

    python -m tests.vm.frozen KIT STAGE [--unwatched]

What is seen from outside: a kernel that stops by itself, and after the next power-on a gate that scans. The
daemon is the installed one, and so is the manager's RuntimeWatchdogSec; softdog, loaded by the check, stands
for the watchdog in a Pi's processor. `--unwatched` is the control: without it the machine stays frozen.
"""

from __future__ import annotations

import argparse
import importlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

LIFE_AT_MOST_S = 400.0
# When the console fell silent for good by itself: the kernel has ended.
ENDED = "ended"


def main() -> int:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("kit", type=Path)
    options.add_argument("stage", type=Path)
    options.add_argument("--unwatched", action="store_true", help="without a watchdog: must stay frozen")
    args = options.parse_args()
    sys.path.insert(0, str(args.kit))
    uml: Any = importlib.import_module("uml")
    command = "tests/vm/frozen_life.sh" + (" unwatched" if args.unwatched else "")
    with uml.Machine(command, True, str(args.stage), "1024M") as machine:
        first = life(machine)
        if args.unwatched:
            stays = "FROZEN" in first and "STILL" in first
            print("control: without a watchdog it stays frozen" if stays else "BROKEN it did not stay frozen")
            return 0 if stays else 1
        if "FROZEN" not in first or ENDED not in first:
            print("BROKEN the frozen machine was not reset")
            return 1
        machine.kill()  # what is left of the process whose kernel has ended
        begun = time.monotonic()
        power_on(machine)
        second = life(machine)
    if "DONE" not in second:
        print("BROKEN the gate did not come back")
        return 1
    frozen_at, scanning_at = first["FROZEN"], second["SCANNING"]
    print(
        f"frozen machine: reset after {first[ENDED] - frozen_at:.1f} s, scanning {scanning_at - begun:.1f} s"
        f" after the power-on, {scanning_at - frozen_at:.1f} s after it froze"
    )
    return 0


def life(machine: Any) -> dict[str, float]:  # noqa: ANN401 - the kit's
    """Reads the console until the kernel ends or the job has; when each first word came."""
    at: dict[str, float] = {}
    late = threading.Timer(LIFE_AT_MOST_S, machine.kill)
    late.start()
    for line in machine:
        print(line, flush=True)
        at.setdefault(line.partition(" ")[0], time.monotonic())
        if line.startswith(("DONE", "STILL", "JOB-EXIT")):
            break
    else:
        if late.is_alive():
            at[ENDED] = time.monotonic()
    late.cancel()
    return at


def power_on(machine: Any) -> None:  # noqa: ANN401 - the kit's
    """The same machine with the same disk again: to this kernel, which is a process, a reset is its end."""
    machine.proc = subprocess.Popen(
        machine.proc.args,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=dict(os.environ, TMPDIR=machine.tmp.name),
        start_new_session=True,
    )


if __name__ == "__main__":
    sys.exit(main())
