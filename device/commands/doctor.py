"""`gate-scanner doctor`: everything about a gate that can be looked at, with causes and remedies."""

from __future__ import annotations

import json
import sys
import threading
from dataclasses import asdict
from typing import TYPE_CHECKING

from device import __version__
from device.commands.arguments import takes_config
from device.commands.owner import become_owner
from device.errors import ExitCode

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from device.config.model import Settings
    from device.doctor.finding import Finding
    from device.runtime import Clock

_WIDTHS = 8, 17
"""Of the first two columns: the longest level and the longest check."""


def add_doctor(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the command line."""
    doctor = commands.add_parser(
        "doctor",
        help="looks a gate over: card, power, clock, pins, camera, broker",
        description="Looks at everything, says what is wrong and what to do about it; shows each lamp and "
        "the buzzer, and waits for a code to be held up. While the gate runs it has camera and pins: stop it "
        "first for the full visit. The result is recorded in the gate's journal and signed.",
        epilog="Exit codes: 0 nothing is broken, 1 something is, 78 the configuration is wrong.",
    )
    takes_config(doctor)
    doctor.add_argument("--json", action="store_true", help="one JSON object a check")
    doctor.add_argument("--quick", action="store_true", help="the box only: what is looked at every night")
    doctor.add_argument("--relay", action="store_true", help="pull the relay too: the door opens")
    doctor.add_argument("--no-record", action="store_true", help="leave nothing in the journal")
    doctor.add_argument(
        "--wait",
        type=float,
        default=10.0,
        metavar="S",
        help="how long to wait for a code (default: 10; 0: not)",
    )
    doctor.set_defaults(command=_doctor)


def _doctor(args: argparse.Namespace) -> int:
    from device.config.loader import load
    from device.doctor.visit import full, quick
    from device.journal.opening import is_written
    from device.runtime import SystemClock

    settings, clock = load(args.config), SystemClock()
    become_owner(settings.journal.path.parent)
    running = is_written(settings.journal.path)
    say = _say_json if args.json else _say
    if not args.json:
        gate = settings.gate
        print(f"{gate.tenant}/{gate.site}/{gate.name}  {gate.place}\n")
    found: list[Finding] = []
    visit = (
        quick(settings, clock)
        if args.quick
        else full(
            settings,
            clock,
            running=running,
            pull_relay=args.relay,
            code_within_s=args.wait,
            pause=_pause,
            tell=lambda text: print(f"{'':8} {text}", file=sys.stderr, flush=True),
        )
    )
    for finding in visit:
        found.append(finding)
        say(finding)
    recorded = "" if args.quick or args.no_record else _record(settings, clock, found, running=running)
    _sum_up(found, recorded, as_json=args.json)
    return ExitCode.BROKEN if any(f.level == "failed" for f in found) else ExitCode.OK


def _pause(seconds: float) -> None:
    threading.Event().wait(seconds)


def _record(settings: Settings, clock: Clock, found: Sequence[Finding], *, running: bool) -> str:
    """Puts the result into the journal, signed; what became of it, in words."""
    from device.doctor.visit import as_event
    from device.errors import JournalError
    from device.fittings import open_journal
    from device.model import Occasion, Why

    if running:
        return "not recorded: the running gate has the journal"
    if not settings.journal.path.parent.exists():
        return "not recorded: the journal's folder is not there"
    try:
        journal = open_journal(settings, clock)
    except JournalError as error:
        return f"not recorded: {error}"
    try:
        event = journal.append(as_event(found, Occasion.COMMISSIONING, __version__, clock.reading()))
        journal.checkpoint(Why.CHECKUP)
    except JournalError as error:
        return f"not recorded: {error}"
    finally:
        journal.close()
    return f"recorded as event {event.seq} of journal {event.journal}, and signed"


def _say(finding: Finding) -> None:
    level, check = _WIDTHS
    print(f"{finding.level.value:<{level}} {finding.check:<{check}} {finding.said}", flush=True)
    if finding.remedy:
        print(f"{'':{level + check + 2}}-> {finding.remedy}", flush=True)


def _say_json(finding: Finding) -> None:
    print(json.dumps(asdict(finding), ensure_ascii=False), flush=True)


def _sum_up(found: Sequence[Finding], recorded: str, *, as_json: bool) -> None:
    counts = {level: sum(f.level == level for f in found) for level in ("ok", "warned", "failed", "skipped")}
    if as_json:
        print(json.dumps({"summary": counts, "recorded": recorded}, ensure_ascii=False))
        return
    told = ", ".join(f"{count} {level}" for level, count in counts.items() if count)
    print(f"\n{told}{'; ' if recorded else ''}{recorded}")
