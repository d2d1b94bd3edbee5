"""The whole daemon on real picamera2, libcamera and kernel GPIO. Runs inside the virtual machine:

    uml.py --share . --mem 768M -- python3 -m tests.vm.daemon

People's codes are played to libcamera's `virtual` camera; the lines are read back and moved from the kernel's
side, the events read from the journal's file and from a real mosquitto.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import threading
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import gpio_sim  # the machine's own helper
import yaml

from device.errors import ExitCode
from device.journal.reader import JournalReader
from device.model import Sensed
from tests.support.codes import empty, shown
from tests.support.gate import ANNA, PAYMENT, REFUSED

if TYPE_CHECKING:
    from collections.abc import Callable

FRAMES = Path("/srv/frames")
FOLDER = Path("/srv/gate")
PATIENCE_S = 240.0
STARTS_AT_MOST = 4
GREEN, YELLOW, RED, RELAY = 17, 27, 22, 24
BUTTON, BEAM, TAMPER = 6, 16, 26
# A contact is moved again until it is told: a lost edge and a machine that stands still cost a touch.
TOUCHES_AT_MOST = 40
TOUCH_S, BETWEEN_S = 0.4, 0.6
# A button and a barrier to ground; the case's switch opens with it, so letting go is what is told.
CONTACTS = {BUTTON: Sensed.BUTTON_PRESSED, BEAM: Sensed.PASSED_WITHOUT_GRANT, TAMPER: Sensed.CASE_OPENED}

GATE_SCANNER = "/opt/gate-scanner/bin/gate-scanner"


def main() -> None:
    chip = gpio_sim.SimChip("pinctrl-bcm2711")
    gpio_sim.pretend_to_be_a_pi()
    draw_people()
    config = write_config()
    (FOLDER / "mosquitto.conf").write_text(
        "listener 1883 127.0.0.1\nallow_anonymous true\n", encoding="utf-8"
    )
    broker = subprocess.Popen(["mosquitto", "-c", str(FOLDER / "mosquitto.conf")], stderr=subprocess.DEVNULL)
    wait_for_port(1883)
    district = subprocess.Popen(
        ["mosquitto_sub", "-V", "5", "-q", "1", "-t", "gate/v1/+/+/+/event"],
        stdout=subprocess.PIPE,
        text=True,
    )
    command = [GATE_SCANNER, "run", "--config", str(config), "--log", "plain"]
    daemon = Restarted(command)
    high = set()
    try:
        for line, what in ((GREEN, "green"), (RELAY, "relay"), (RED, "red"), (YELLOW, "yellow")):
            wait_for(partial(high_now, chip, line), what, daemon)
            high.add(what)
        told = [touch(chip, pin, what) for pin, what in CONTACTS.items()]
        code = daemon.stop()
        left_high = [line for line in (GREEN, YELLOW, RED, RELAY) if chip.value(line)]
    finally:
        daemon.kill()
        broker.terminate()
    assert code == 0, code
    assert not left_high, left_high
    listed = subprocess.run(
        [GATE_SCANNER, "events", "--journal", str(FOLDER / "journal.db"), "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    outcomes = {json.loads(row)["data"].get("outcome") for row in listed.stdout.splitlines()}
    assert {"granted", "denied", "attention"} <= outcomes, outcomes
    assert district.stdout is not None
    district.terminate()
    arrived = {json.loads(row)["data"].get("outcome") for row in district.stdout.read().splitlines()}
    assert {"granted", "denied", "attention"} <= arrived, arrived
    events = len(listed.stdout.splitlines())
    print(
        f"daemon ok: lines {sorted(high)} seen high, all low after stop; {', '.join(told)}; {events} events"
    )


def touch(chip: gpio_sim.SimChip, pin: int, what: str) -> str:
    """Pulls a contact to ground and lets go, until the journal has what it tells; that, and how often."""
    pause = threading.Event()
    for times in range(1, TOUCHES_AT_MOST + 1):
        chip.pull(pin, "down")
        pause.wait(TOUCH_S)
        chip.pull(pin, "up")
        pause.wait(BETWEEN_S)
        with JournalReader(FOLDER / "journal.db") as journal:
            if what in {json.loads(event.data).get("what") for event in journal.events()}:
                return f"{what} after {times}"
    raise AssertionError(f"{what} was never told")


def high_now(chip: gpio_sim.SimChip, line: int) -> bool:
    return bool(chip.value(line))


class Restarted:
    """A process that is started again when it ends by itself, as systemd does.

    This machine is one process on a busy host and stands still for half a minute at times; the daemon then
    rightly believes that its parts have died.
    """

    def __init__(self, command: list[str]) -> None:
        self._command = command
        self._process = subprocess.Popen(command)
        self._starts = 1

    def keep_up(self) -> None:
        code = self._process.poll()
        if code is not None:
            assert code == ExitCode.WORKER_DIED, code
            assert self._starts < STARTS_AT_MOST, "it does not stay up"
            self._starts += 1
            self._process = subprocess.Popen(self._command)

    def stop(self) -> int:
        self._process.terminate()
        return self._process.wait(60)

    def kill(self) -> None:
        self._process.kill()


def wait_for(reached: Callable[[], bool], what: str, daemon: Restarted) -> None:
    until = time.monotonic() + PATIENCE_S
    pause = threading.Event()
    while not reached():
        daemon.keep_up()
        assert time.monotonic() < until, f"{what} never went high"
        pause.wait(0.005)


def wait_for_port(port: int) -> None:
    until = time.monotonic() + PATIENCE_S
    pause = threading.Event()
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 5):
            return
        pause.wait(0.1)
    raise AssertionError(f"nobody listens on port {port}")


def draw_people() -> None:
    shutil.rmtree(FRAMES)
    FRAMES.mkdir()
    FOLDER.mkdir(parents=True)
    # libcamera's virtual pipeline unpacks all of them before the first frame, so there are few.
    scene = [ANNA] * 4 + [None] * 6 + [REFUSED] * 4 + [None] * 6 + [PAYMENT] * 4 + [None] * 6
    for number, content in enumerate(scene):
        luma = shown(content) if content else empty()
        assert cv2.imwrite(str(FRAMES / f"{number:04d}.jpg"), cv2.cvtColor(luma, cv2.COLOR_GRAY2BGR))
    subprocess.run(["/opt/virtual-camera", str(FRAMES)], check=True)


def write_config() -> Path:
    (FOLDER / "deny.txt").write_text("001085000222\n", encoding="utf-8")
    settings = {
        "gate": {"tenant": "vm", "site": "vm", "name": "vm"},
        "camera": {"source": "picamera2", "stall_s": 20, "picamera2": {"lores_width": 640}},
        "decode": {"deadline_ms": 10_000, "showing_ends_after_s": 0.1},
        "policy": {"deny_list": "deny.txt", "repeat_s": 0},
        "panel": {
            "lights": {"green": {"pin": GREEN}, "yellow": {"pin": YELLOW}, "red": {"pin": RED}},
            "relay": {"pin": RELAY, "pulse_s": 0.5},
        },
        "inputs": {
            "button": {"pin": BUTTON},
            "beam": {"pin": BEAM, "pass_within_s": 1},
            "tamper": {"pin": TAMPER},
        },
        "journal": {"path": "journal.db"},
        "uplink": {"host": "127.0.0.1", "port": 1883},
    }
    file = FOLDER / "gate.yaml"
    file.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return file


if __name__ == "__main__":
    main()
