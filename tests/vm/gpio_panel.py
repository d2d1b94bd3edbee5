"""The production panel on real kernel lines, read back from the kernel's side.

Runs inside the virtual machine, as root, with the project's root as working directory:
`python3 tests/vm/gpio_panel.py`. It needs the machine's `gpio_sim` on the Python path, and gpiod's
tools. Exit 0 when everything holds.
"""

from __future__ import annotations

import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Final

# Run as a script: only this folder is on the path.
sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.vm.gpio_bench import (
    PATIENCE_S,
    TOLERANCE_MS,
    WIRES,
    Attempt,
    Bench,
    PanelProcess,
    but,
    claims_of,
    close_to,
    in_time,
    must,
    pause,
    running_panel,
    say,
)
from tests.vm.line_watch import Span, Watch

LAMPS: Final = ("green", "yellow", "red", "blue")

# What the specification of each cue promises, in ms after its first light; not taken from the code.
CUES: Final[dict[str, tuple[int, dict[str, list[Span]]]]] = {
    "granted": (1200, {"green": [(0, 1200)], "relay": [(0, 500)], "buzzer": [(0, 150)]}),
    "already_shown": (
        1200,
        {
            "green": [(0, 600)],
            "yellow": [(600, 1200)],
            "relay": [(0, 500)],
            "buzzer": [(0, 80), (160, 240)],
        },
    ),
    "denied": (
        2000,
        {
            "red": [(0, 250), (500, 750), (1000, 1250), (1500, 1750)],
            "buzzer": [(0, 250), (500, 750)],
        },
    ),
    "taken": (1200, {"yellow": [(0, 1200)], "buzzer": [(0, 300)]}),
    # Blue comes first, and is lit already: what can be seen begins with yellow.
    "self_test": (
        1350,
        {
            "yellow": [(0, 450)],
            "red": [(450, 900)],
            "green": [(900, 1350)],
            "buzzer": [(900, 1350)],
        },
    ),
    "attention": (2000, {"yellow": [(0, 800), (1000, 1800)], "buzzer": [(0, 800)]}),
    "fault": (
        2000,
        {
            "red": [(0, 500), (1000, 1500)],
            "yellow": [(500, 1000), (1500, 2000)],
            "buzzer": [(0, 150), (500, 650), (1000, 1150)],
        },
    ),
}
# Until then blue, the light of a gate that is ready, is dark; in this one it is lit throughout.
READY_FROM_MS: Final = {"taken": 0}


def check_start(bench: Bench) -> None:
    must(bench.active() == [], "before the start every line is inactive")
    claims: list[str] = []
    with claims_of(bench, claims), Watch(bench.lines) as watch, running_panel() as panel:
        pause(0.2)
        claimed = bench.claimed()
        must(len(claimed) == 6, f"the kernel has six lines claimed: {claimed}")
        panel.tell("stop")
        must(panel.end() == (0, "stopped"), "it stops when asked")
    must(bench.claimed() == [], "after the end no line is claimed")
    must(bench.active() == [], "after the end every line is inactive")
    silent = [name for name in WIRES if name != "blue"]
    must(not any(watch.spans(name, 0.0) for name in silent), "nothing but the starting light moved")
    wanted = sorted(f"{pin} output" for pin, _ in WIRES.values())
    must(sorted(claims) == wanted, "each line was claimed once, as an output, never as a floating input")


def check_that_the_last_check_bites(bench: Bench) -> None:
    """With gpiozero's own pins the kernel reports what `check_start` must not see."""
    script = (
        "import os, gpiozero\n"
        "from gpiozero.pins.lgpio import LGPIOFactory\n"
        f"factory = LGPIOFactory(chip={bench.chip.number})\n"
        "gpiozero.OutputDevice(5, active_high=False, pin_factory=factory).close()\n"
        "os._exit(0)\n"
    )
    claims: list[str] = []
    with claims_of(bench, claims):
        subprocess.run([sys.executable, "-c", script], cwd="/run", check=True, timeout=PATIENCE_S)
    must(claims == ["5 input", "5 output", "5 input"], f"control: gpiozero alone would claim {claims}")


def check_cues(bench: Bench) -> None:
    with running_panel() as panel:
        panel.tell("rest ready")
        pause(0.3)
        must(bench.active() == ["blue"], "ready: blue is lit and nothing else")
        for cue in CUES:
            in_time(cue, partial(_play, bench, panel, cue))
        for cue, nominal_hz in (("granted", 1200), ("denied", 500)):
            heard = [_hear(bench, panel, cue) for _ in range(3)]
            # A figure, not a promise: a busy host lets edges through in bursts that nobody sees singly.
            say(f"       {cue}: a tone of {nominal_hz} Hz is seen at {max(heard)} Hz (at best of {heard})")


def _play(bench: Bench, panel: PanelProcess, cue: str) -> Attempt:
    length_ms, expected = CUES[cue]
    with Watch(bench.lines) as watch:
        asked_at = panel.tell(f"show {cue}")
        pause(length_ms / 1000 + 0.9)
    first = watch.first_active(tuple(name for name in LAMPS if name in expected))
    seen = {name: watch.spans(name, first) for name in WIRES}
    ready_ms = max(0, seen.pop("blue")[-1][0])
    strays = {name: spans for name, spans in seen.items() if spans and name not in expected}
    must(not strays, f"{cue}: nothing else is on{but(strays)}")
    told = ", ".join(f"{name} {spans}" for name, spans in seen.items() if spans)
    told += f", ready {ready_ms}; first light after {(first - asked_at) * 1000:.0f} ms"
    kept = all(close_to(seen[name], spans) for name, spans in expected.items())
    in_time_again = abs(ready_ms - READY_FROM_MS.get(cue, length_ms)) <= TOLERANCE_MS
    return Attempt(kept and in_time_again, told, watch.blind_ms)


def _hear(bench: Bench, panel: PanelProcess, cue: str) -> int:
    panel.tell(f"show {cue}")
    pause(0.03)
    panel.tell(f"hear {bench.lines['buzzer'].value_file}")
    heard_hz = int(panel.hear())
    pause(CUES[cue][0] / 1000 + 0.2)
    return heard_hz


def check_permanent_states(bench: Bench) -> None:
    in_time("permanent states", partial(_rest, bench))


def _rest(bench: Bench) -> Attempt:
    with running_panel() as panel, Watch(bench.lines) as watch:
        begin = time.monotonic()
        pause(1.8)
        panel.tell("rest fault")
        pause(3.3)
    blue, red, yellow = (watch.spans(name, begin) for name in ("blue", "red", "yellow"))
    strays = [name for name in ("buzzer", "relay", "green") if watch.spans(name, begin)]
    must(not strays, f"starting and fault: no sound, no relay, no green{but(strays)}")
    blinks = all(close_to([span], [(span[0], span[0] + 500)]) for span in blue[1:-1])
    turn = red[0][0]
    takes_turns = close_to(red[:1], [(turn, turn + 1000)]) and close_to(
        yellow[:1], [(turn + 1000, turn + 2000)]
    )
    seen = f"starting: blue {blue}; fault: red {red} and yellow {yellow} in turn"
    return Attempt(blinks and takes_turns, seen, watch.blind_ms)


def check_replacement(bench: Bench) -> None:
    in_time("the newer cue wins, the relay's pulse completes", partial(_replace, bench))


def _replace(bench: Bench) -> Attempt:
    with running_panel() as panel, Watch(bench.lines) as watch:
        panel.tell("rest ready")
        panel.tell("show granted")
        pause(0.1)
        panel.tell("show denied")
        pause(1.0)
    first = watch.first_active(("green",))
    green, red, relay = (watch.spans(name, first) for name in ("green", "red", "relay"))
    kept = close_to(green, [(0, 100)]) and close_to(red[:1], [(100, 350)]) and close_to(relay, [(0, 500)])
    return Attempt(kept, f"green {green}, red {red}, relay {relay}", watch.blind_ms)


def check_stop_and_kill(bench: Bench) -> None:
    with running_panel() as panel:
        panel.tell("show granted")
        pause(0.2)
        must(bench.active() == ["green", "relay"], "granted: green is lit and the relay pulled")
        asked = time.monotonic()
        panel.tell("stop")
        must(
            panel.end() == (0, "stopped"),
            f"stopped within a pulse in {(time.monotonic() - asked) * 1000:.0f} ms",
        )
        must(bench.active() == [], "every line is inactive after it")
    with running_panel() as panel:
        panel.tell("show granted")
        pause(0.1)
        must(set(bench.active()) >= {"green", "relay"}, "granted: green is lit and the relay pulled")
        panel.process.kill()
        panel.process.wait(PATIENCE_S)
        must(bench.claimed() == [], "kill -9: the kernel has let go of every line")
        must(bench.active() == [], "kill -9: with pull resistors every line is inactive")
    with running_panel():
        must(set(bench.active()) <= {"blue"}, "the next start finds the pins free and inactive")


def check_refusals(bench: Bench) -> None:
    holder = subprocess.Popen(["gpioset", "-c", bench.chip.chip, "-C", "door-bell", f"{WIRES['green'][0]}=0"])
    pause(0.3)
    panel = PanelProcess()
    expected = f"panel.lights.green (GPIO 17): in use by 'door-bell' (process {holder.pid}, gpioset)"
    must(panel.said == expected, f"a pin held by another process is named: {panel.said}")
    must(panel.end()[0] == 71 and bench.active() == [], "and every other line is inactive and free")
    holder.terminate()
    holder.wait(PATIENCE_S)
    with running_panel() as first:
        second = PanelProcess()
        pid = first.process.pid
        expected = f"panel.relay (GPIO 5): in use by 'lg' (process {pid}, {_command(pid)})"
        must(second.said == expected, f"so is a second gate on the same pins: {second.said}")
        second.end()
    panel = PanelProcess(chip="pinctrl-bcm2711")
    must("is labelled 'pinctrl-bcm2711'; there is" in panel.said, f"a chip that is not there: {panel.said}")
    panel.end()
    panel = PanelProcess(user=65534)
    must("group `gpio`" in panel.said, f"a user without the right: {panel.said}")
    panel.end()


def _command(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text(encoding="ascii").strip()


def check_a_chip_that_goes_away(bench: Bench) -> None:
    with running_panel() as panel:
        panel.tell("rest ready")
        pause(0.2)
        say("       now the chip is taken away: the next lines are the panel's complaints about it")
        Path(bench.chip.dir, "live").write_text("0", encoding="ascii")
        panel.tell("show granted")
        pause(0.5)
        panel.tell("rest ready")
        code, last = panel.end()
        must(code == 70 and "PanelError" in last, f"pins that fail are the end of the process: {last}")


def main() -> None:
    bench = Bench()
    begin = time.monotonic()
    check_start(bench)
    check_that_the_last_check_bites(bench)
    check_cues(bench)
    check_permanent_states(bench)
    check_replacement(bench)
    check_stop_and_kill(bench)
    check_refusals(bench)
    check_a_chip_that_goes_away(bench)
    say(f"gpio panel: all of it holds ({time.monotonic() - begin:.0f} s)")


if __name__ == "__main__":
    main()
