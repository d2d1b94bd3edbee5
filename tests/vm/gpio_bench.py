"""The bench of `gpio_panel.py`: a simulated chip, the panel in its own process, how promises are told."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import gpio_sim  # comes with the virtual machine

from tests.vm.line_watch import Line, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHIP_LABEL: Final = "pinctrl-rp1"
PI_5: Final = "c04170"
PULSE_S: Final = 0.5
# Name -> (pin, active high). As a door is often wired: two of the parts work at low level.
WIRES: Final = {
    "green": (17, True),
    "yellow": (27, True),
    "red": (22, True),
    "blue": (24, False),
    "buzzer": (13, True),
    "relay": (5, False),
}
# One processor, a kernel that is itself a process, a looker every millisecond: what its clock can be off by.
TOLERANCE_MS: Final = 60
# How often a promise about times may be broken, and how often when the machine stood still meanwhile: a
# busy host stops it for hundreds of milliseconds.
ATTEMPTS: Final = 2
ATTEMPTS_STANDING_STILL: Final = 15
PATIENCE_S: Final = 15.0


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def pause(seconds: float) -> None:
    threading.Event().wait(seconds)


def must(holds: object, text: str) -> None:
    """Reports one promise; the first that is broken ends the run."""
    say(f"{'ok    ' if holds else 'BROKEN'} {text}")
    if not holds:
        raise SystemExit(1)


class Bench:
    """A simulated chip labelled as a Pi's, with the pull resistors a careful technician fits."""

    def __init__(self) -> None:
        self.chip = gpio_sim.SimChip(CHIP_LABEL)
        gpio_sim.pretend_to_be_a_pi(PI_5)
        self.lines = {
            name: Line(f"{self.chip.sysfs}/sim_gpio{pin}/value", active_high)
            for name, (pin, active_high) in WIRES.items()
        }
        for pin, active_high in WIRES.values():
            self.chip.pull(pin, "down" if active_high else "up")

    def active(self) -> list[str]:
        """The lines that are at their active level now."""
        return [n for n, line in self.lines.items() if line.active(int(Path(line.value_file).read_text()))]

    def claimed(self) -> list[str]:
        """Each claimed line as the kernel lists it: `lg output-low`."""
        listing = Path("/sys/kernel/debug/gpio").read_text(encoding="ascii")
        lines = re.findall(r"^ gpio-\d+ \((.*?)\s*\) ([a-z-]+)", listing, re.MULTILINE)
        return [f"{holder} {state}" for holder, state in lines if holder != "<unused>"]


class PanelProcess:
    """The panel in its own process."""

    def __init__(self, chip: str = "auto", user: int | None = None) -> None:
        wires = {name: {"pin": pin, "active_high": high} for name, (pin, high) in WIRES.items()}
        told = json.dumps({"chip": chip, "pulse_s": PULSE_S, "wires": wires})
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.vm.panel_process", told],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            user=user,
        )
        self.said = self.hear()

    def tell(self, command: str) -> float:
        """Sends a command; when it was sent."""
        assert self.process.stdin
        self.process.stdin.write(command + "\n")
        at = time.monotonic()
        self.process.stdin.flush()
        return at

    def end(self) -> tuple[int, str]:
        """Waits for its exit; the code and its last words."""
        last = self.hear()
        return self.process.wait(PATIENCE_S), last

    def hear(self) -> str:
        """The next line of its output; empty when it has ended."""
        assert self.process.stdout
        return self.process.stdout.readline().strip()


@contextmanager
def running_panel() -> Iterator[PanelProcess]:
    panel = PanelProcess()
    must(panel.said == "ready", f"the panel starts ({panel.said})")
    try:
        yield panel
    finally:
        panel.process.kill()
        panel.process.wait(PATIENCE_S)


def close_to(seen: list[Span], expected: list[Span]) -> bool:
    return len(seen) == len(expected) and all(
        abs(s - e) <= TOLERANCE_MS
        for pair, want in zip(seen, expected, strict=True)
        for s, e in zip(pair, want, strict=True)
    )


def but(strays: object) -> str:
    """What was seen against a promise, to end its sentence with; empty when nothing was."""
    return f", but {strays}" if strays else ""


class Attempt(NamedTuple):
    """One look at a promise about times: whether it was kept, what was seen, how long nobody could look."""

    kept: bool
    seen: str
    blind_ms: int


def in_time(what: str, attempt: Callable[[], Attempt]) -> None:
    """Reports a promise about times. An attempt during which the machine stood still hardly counts."""
    broken = stood_still = 0
    one = attempt()
    while not one.kept and broken < ATTEMPTS and stood_still < ATTEMPTS_STANDING_STILL:
        if one.blind_ms > TOLERANCE_MS / 2:
            stood_still += 1
        else:
            broken += 1
        say(f"again  {what}: {one.seen} (the machine stood still for {one.blind_ms} ms)")
        one = attempt()
    must(one.kept, f"{what}: {one.seen}")


@contextmanager
def claims_of(bench: Bench, claims: list[str]) -> Iterator[None]:
    """Adds every claim of a line, as the kernel reports it meanwhile, in order: `5 output`."""
    pins = [str(pin) for pin, _ in WIRES.values()]
    with subprocess.Popen(
        ["gpionotify", "-c", bench.chip.chip, "-F", "%e %o %a", *pins], stdout=subprocess.PIPE, text=True
    ) as notifier:
        pause(0.3)
        yield
        pause(0.2)
        notifier.terminate()
        for event in notifier.communicate()[0].splitlines():
            kind, pin, direction = event.split()[:3]
            if kind == "1":
                claims.append(f"{pin} {direction}")
