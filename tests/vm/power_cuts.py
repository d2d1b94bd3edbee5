"""The whole machine loses power while the real daemon scans. Runs on the host:

    python -m tests.vm.power_cuts KIT STAGE [--cuts 20] [--seed N] [--control lie|careless]

KIT is the folder with the virtual machine, STAGE what `tests/vm/run` gives it. The machine's second disk has
a write cache; at a random moment the machine is killed and what was not flushed is lost, whole, in part with
torn and reordered sectors, or from some write on. After each boot the journal must verify, must hold every
event that was signalled before the cut, and in each life as many grants as the kernel's green line went high.
A control must find a loss: with `lie` the disk claims flushes that it does not do, with `careless` the
journal has `synchronous=NORMAL`.
"""

from __future__ import annotations

import argparse
import importlib
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.vm import power_site

DISK_MIB = 64
# Of all lives, so many end while people are answered; the others while the machine boots, checks and starts.
AT_WORK = 0.85
LONGEST_AT_WORK_S = 8.0
LONGEST_START_S = 20.0
# The goal, from power to an open gate: what the unit grants a start (TimeoutStartSec).
READY_WITHIN_S = 90.0
# A person comes every few seconds, and an event is unflushed for milliseconds.
UNFLUSHED_WITHIN_S = 10.0
LOOK_EVERY_S = 0.0002
# Begins what was found against the promise; anything else is a fault of the bench or of the start.
LOST = "lost:"


@dataclass
class Account:
    """What all lives have promised, and what the journal has shown."""

    told: dict[int, str] = field(default_factory=dict)
    kept: dict[int, str] = field(default_factory=dict)
    greens: int = 0
    greens_of_life: int = 0
    last_seq: int = 0
    checked: int = 0
    cuts_into_writes: int = 0
    lost_sectors: int = 0
    ready_s: list[float] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def hear(self, line: str) -> None:
        """One line of the machine's console."""
        word, _, rest = line.partition(" ")
        match word:
            case "GREEN":
                self.greens += 1
                self.greens_of_life += 1
            case "TOLD":
                self.told |= numbered(rest)
            case "VERIFIED":
                if rest != "0":
                    self.broken.append(f"{LOST} `events --verify` ended with {rest}")
            case "KEPT":
                self._check(numbered(rest))
            case "UNMOUNTABLE":
                self.broken.append(f"{LOST} the file system cannot be mounted")
            case "JOB-EXIT" | "Traceback":
                self.broken.append(f"the life ended by itself: {line}")

    def _check(self, kept: dict[int, str]) -> None:
        self.checked += bool(kept or self.told)
        self.kept = kept
        missing = {seq: outcome for seq, outcome in self.told.items() if kept.get(seq) != outcome}
        if missing:
            self.broken.append(f"{LOST} signalled and not recorded: {missing}")
        granted = sum(seq > self.last_seq and outcome == "granted" for seq, outcome in kept.items())
        if granted < self.greens_of_life:
            self.broken.append(f"{LOST} green rose {self.greens_of_life} times, {granted} grants recorded")
        self.greens_of_life = 0
        self.last_seq = max(kept, default=0)


def numbered(text: str) -> dict[int, str]:
    """`12:granted 13:denied` as a mapping."""
    pairs = (word.split(":") for word in text.split())
    return {int(seq): outcome for seq, outcome in pairs}


class Bench:
    """Machine and disk of the kit."""

    def __init__(self, kit: Path, stage: Path, dice: random.Random) -> None:
        sys.path.insert(0, str(kit))
        self._uml: Any = importlib.import_module("uml")
        self._volatile: Any = importlib.import_module("volatile_disk")
        self._stage = stage
        self._dice = dice

    def disk(self, folder: Path) -> subprocess.Popen[bytes]:
        """A fresh ext4 on the disk that forgets."""
        self._at, self._control = folder / "disk", str(folder / "control")
        image = folder / "image"
        with image.open("wb") as file:
            file.truncate(DISK_MIB << 20)
        subprocess.run(["mkfs.ext4", "-q", "-F", "-E", "nodiscard", str(image)], check=True)
        server: subprocess.Popen[bytes] = self._volatile.start(str(image), str(self._at), self._control)
        return server

    def tell(self, *words: str) -> dict[str, int]:
        answer: dict[str, int] = self._volatile.control(self._control, *words)
        return answer

    def life(self, command: str, account: Account) -> None:
        """Boots, lets it work, pulls the plug."""
        at_work = self._dice.random() < AT_WORK
        began, answers, ready = time.monotonic(), dict[str, int](), False
        with self._uml.Machine(command, False, str(self._stage), "1024M", disks=[str(self._at)]) as machine:

            def cut() -> None:
                if at_work:
                    self._wait_for_unflushed()
                answers.update(self.tell("cut", *self._manner()))
                machine.kill()

            wait_s = READY_WITHIN_S if at_work else self._dice.uniform(0, LONGEST_START_S)
            plug = threading.Timer(wait_s, cut)
            plug.start()
            try:
                for line in machine:
                    account.hear(line)
                    # A second READY in a life is that of a daemon that was started again.
                    if line == "READY" and not ready:
                        ready = True
                        account.ready_s.append(time.monotonic() - began)
                        if at_work:
                            plug.cancel()
                            plug = threading.Timer(self._dice.uniform(0, LONGEST_AT_WORK_S), cut)
                            plug.start()
                    if account.broken:
                        print(line)
            finally:
                plug.cancel()
                plug.join()
        if at_work and not ready:
            account.broken.append(
                f"the gate was not open again {READY_WITHIN_S:.0f} s after the power came back"
            )
        unflushed = answers.get("pending_sectors", 0)
        account.cuts_into_writes += unflushed > 0
        account.lost_sectors += unflushed - answers.get("kept_sectors", 0)
        self.tell("power-on")

    def _wait_for_unflushed(self) -> None:
        """Until something stands in the disk's cache: at most moments the journal has flushed everything."""
        until, pause = time.monotonic() + UNFLUSHED_WITHIN_S, threading.Event()
        while not self.tell("stat")["pending_sectors"] and time.monotonic() < until:
            pause.wait(LOOK_EVERY_S)

    def _manner(self) -> list[str]:
        """Nothing unflushed is kept; or some sectors in any order; or all up to some write."""
        match self._dice.choice(("drop", "random", "prefix")):
            case "random":
                return ["random", str(self._dice.random()), str(self._dice.randrange(1 << 30))]
            case "prefix":
                return ["prefix", str(self._dice.random())]
            case other:
                return [other]


def main() -> int:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("kit", type=Path)
    options.add_argument("stage", type=Path)
    options.add_argument("--cuts", type=int, default=20)
    options.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    options.add_argument("--control", choices=["lie", "careless"], help="a loss that must be found")
    args = options.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that nothing stays mounted
    gate = Path(tempfile.mkdtemp(prefix="gate-", dir=args.stage))
    power_site.write(gate)
    module = "tests.support.careless_daemon" if args.control == "careless" else "device"
    command = (
        "unset PYTHONPATH; exec /opt/gate-scanner/bin/python"
        f" -m tests.vm.power_life /host/{gate.name}/gate.yaml {module}"
    )
    bench, account, cuts = Bench(args.kit, args.stage, random.Random(args.seed)), Account(), 0
    with tempfile.TemporaryDirectory(prefix="power-cuts-") as folder:
        server = bench.disk(Path(folder))
        try:
            if args.control == "lie":
                bench.tell("lie", "on")
            # The last boot is only for its check.
            while cuts <= args.cuts and not account.broken:
                bench.life(command, account)
                cuts += 1
                print(f"cut {cuts}: {len(account.told)} signalled, {account.greens} green", flush=True)
        finally:
            bench.tell("quit")
            server.wait(10)
            subprocess.run(
                ["umount", "-l", str(Path(folder) / "disk")], stderr=subprocess.DEVNULL, check=False
            )
    report(account, cuts, args.seed)
    if args.control is None:
        return 1 if account.broken else 0
    found = any(flaw.startswith(LOST) for flaw in account.broken)
    says = "a loss was found, as it must be" if found else "BROKEN no loss was found"
    print(f"control, {args.control}: {says}")
    return 0 if found else 1


def report(account: Account, cuts: int, seed: int) -> None:
    ready = sorted(account.ready_s)
    print(
        f"{cuts} power cuts of the machine, {account.checked} journals checked: {len(account.told)} people "
        f"signalled, {account.greens} times green, {len(account.kept)} scans kept; "
        f"{account.cuts_into_writes} cuts into unflushed writes, {account.lost_sectors} sectors lost; "
        f"seed {seed}"
    )
    if ready:
        print(f"cold boot to READY: median {statistics.median(ready):.1f} s, longest {ready[-1]:.1f} s")
    for flaw in account.broken:
        print(f"BROKEN {flaw}")


if __name__ == "__main__":
    sys.exit(main())
