"""Makes the machine a Raspberry Pi with pins, before the gate starts, and writes down what the lines do.

Run by `simulated-pi.service`, once a boot. /run/lines then has a line per change: monotonic seconds, and the
level of each watched line.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import gpio_sim  # the machine's own helper

# Green, red and relay of `tests/vm/given.py`.
WATCHED = (17, 22, 24)
PAUSE_S = 0.01


def main() -> None:
    chip = gpio_sim.SimChip("pinctrl-bcm2711")
    gpio_sim.pretend_to_be_a_pi()
    os.chmod(chip.path, 0o660)  # noqa: PTH101 - udev may be a moment later
    if os.fork() == 0:
        write_down(chip)


def write_down(chip: gpio_sim.SimChip) -> None:
    files = [os.open(f"{chip.sysfs}/sim_gpio{line}/value", os.O_RDONLY) for line in WATCHED]
    before: list[int] = []
    pause = threading.Event()
    with Path("/run/lines").open("w", encoding="ascii") as log:
        while True:
            levels = [int(os.pread(file, 1, 0)) for file in files]
            if levels != before:
                words = " ".join(f"{line}={level}" for line, level in zip(WATCHED, levels, strict=True))
                log.write(f"{time.monotonic():.3f} {words}\n")
                log.flush()
                before = levels
            pause.wait(PAUSE_S)


if __name__ == "__main__":
    main()
