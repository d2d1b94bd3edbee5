"""Waits until every line of the panel has been high. Runs inside the virtual machine."""

from __future__ import annotations

import threading
import time

import gpio_sim  # the machine's own helper

from tests.vm.systemd_scene import GREEN, RED, RELAY

PATIENCE_S = 120.0


def main() -> None:
    chip = gpio_sim.SimChip("pinctrl-bcm2711")
    wanted = {GREEN, RED, RELAY}
    until = time.monotonic() + PATIENCE_S
    pause = threading.Event()
    while wanted:
        assert time.monotonic() < until, f"lines {sorted(wanted)} never went high"
        wanted -= {line for line in wanted if chip.value(line) == 1}
        pause.wait(0.005)
    print("lines seen high under the hardened unit: green, red, relay")


if __name__ == "__main__":
    main()
