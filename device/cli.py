"""The command line: what each command is called, what it takes, which exit code it gives.

Nothing heavy is imported before a command needs it, so that `--help` and `check` answer at once.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from device import __version__
from device.commands.aim import add_aim
from device.commands.config import DEFAULT_CONFIG, add_config
from device.commands.decode import add_decode
from device.commands.doctor import add_doctor
from device.commands.explain import add_explain
from device.commands.keys import add_keys
from device.commands.lists import add_list
from device.commands.notice import add_notice
from device.commands.passes import add_pass
from device.commands.provision import add_provision
from device.commands.report import add_report
from device.commands.trace import add_trace
from device.commands.unseal import add_unseal
from device.commands.watch import add_watch
from device.errors import ConfigError, ExitCode, GateError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; its exit code. Problems of the technician's making are told without a traceback."""
    args = _parser().parse_args(argv)
    try:
        return _told(args)
    except UsageError as error:
        print(f"gate-scanner: {error}", file=sys.stderr)
        return 2  # argparse's own
    except GateError as error:
        print(f"gate-scanner: {error}", file=sys.stderr)
        return ExitCode.BROKEN
    except BrokenPipeError:
        # The reader has seen enough (`| head`). Python would complain once more while closing stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OK
    except KeyboardInterrupt:
        return 130  # the shell's word for SIGINT


def _told(args: argparse.Namespace) -> int:
    """Runs the command; a configuration that cannot be used is answered with all its problems."""
    command: Callable[[argparse.Namespace], int] = args.command
    try:
        return command(args)
    except ConfigError as error:
        _print_problems(error, as_json=getattr(args, "json", False))
        return ExitCode.CONFIG


# -- commands -------------------------------------------------------------------------------------


def _run(args: argparse.Namespace) -> int:
    from device.app import run

    return run(args.config, log_style=args.log)


def _demo(args: argparse.Namespace) -> int:
    try:
        from device.demo.run import demo
    except ModuleNotFoundError as missing:
        print(f"gate-scanner demo needs {missing.name}: pip install 'gate-scanner[demo]'", file=sys.stderr)
        return ExitCode.BROKEN
    return demo(plain=args.plain)


def _check(args: argparse.Namespace) -> int:
    from device.config.loader import load_all
    from device.config.report import format_problems

    notes = load_all(args.file, check_files=not args.no_files).notes
    if args.json:
        print("[]")
        return ExitCode.OK
    print(f"{args.file}: no problems found")
    if notes:
        print("worth a second look:")
        print(format_problems(notes, as_json=False))
    return ExitCode.OK


def _events(args: argparse.Namespace) -> int:
    from device.config.loader import load
    from device.service import events

    path = args.journal or load(args.config, check_files=False).journal.path
    if args.verify:
        found = events.verify(path)
        if args.json:
            print(json.dumps({"whole": found.whole, "summary": events.summary(found)}))
        else:
            print("\n".join(events.summary(found)))
        return ExitCode.OK if found.whole else ExitCode.BROKEN
    for event, refused in events.list_events(path):
        if refused or not args.refused:
            print(events.as_json(event, refused) if args.json else events.as_text(event, refused))
    return ExitCode.OK


# -- what commands take ---------------------------------------------------------------------------


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("a time like 2026-03-02T08:00:00+07:00") from None
    return moment.astimezone()  # without an offset: local time


def _print_problems(error: ConfigError, *, as_json: bool) -> None:
    from device.config.report import format_problems

    text = format_problems(error.problems, as_json=as_json)
    print(text, file=sys.stdout if as_json else sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gate-scanner",
        description="Reads QR codes at a gate, records every scan durably, signals, and delivers over MQTT.",
        epilog="Exit codes: 0 all well, 1 something is broken, 2 wrong usage, 70 a part died, "
        "74 the journal is unusable, 78 the configuration is wrong.",
    )
    parser.add_argument("--version", action="version", version=f"gate-scanner {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    run = commands.add_parser("run", help="the daemon", description="Runs until SIGTERM.")
    _takes_config(run)
    run.add_argument(
        "--log",
        choices=("journal", "plain", "json"),
        default="plain" if sys.stderr.isatty() else "journal",
        help="form of the log on standard error (default: plain on a terminal, else for journald)",
    )
    run.set_defaults(command=_run)

    demo = commands.add_parser(
        "demo",
        help="a gate in this terminal, no hardware needed",
        description="Runs the real daemon on a replayed scene, with a real broker and a subscriber. "
        "Exit code 0 only when every event arrived.",
    )
    demo.add_argument("--plain", action="store_true", help="lines instead of a live screen")
    demo.set_defaults(command=_demo)

    check = commands.add_parser(
        "check",
        help="every mistake in a configuration file, with its place",
        description="Prints FILE:LINE:COLUMN: SETTING: MESSAGE (HINT) for every problem; then exit code 78.",
    )
    check.add_argument("file", type=Path, metavar="FILE")
    check.add_argument("--json", action="store_true", help="a JSON list instead of lines")
    check.add_argument(
        "--no-files",
        action="store_true",
        help="without looking for the files it names: for the laptop, before they are on the gate",
    )
    check.set_defaults(command=_check)

    add_decode(commands)
    add_explain(commands)
    events = commands.add_parser(
        "events",
        help="what the journal holds; whether it is complete",
        description="Lists stored events, oldest first, also while the daemon runs.",
    )
    _takes_config(events)
    events.add_argument(
        "--journal", type=Path, metavar="FILE", help="the journal itself, instead of --config"
    )
    events.add_argument("--json", action="store_true", help="one JSON object an event")
    events.add_argument("--refused", action="store_true", help="only those that the broker refuses")
    events.add_argument(
        "--verify", action="store_true", help="check for gaps and changes; exit code 1 if any"
    )
    events.set_defaults(command=_events)
    add_config(commands)
    add_aim(commands, config=DEFAULT_CONFIG)
    add_doctor(commands, config=DEFAULT_CONFIG)
    add_trace(commands, config=DEFAULT_CONFIG)
    add_report(commands, config=DEFAULT_CONFIG)
    add_watch(commands)
    add_notice(commands, config=DEFAULT_CONFIG)
    add_unseal(commands)
    add_keys(commands)
    add_list(commands)
    add_pass(commands)
    add_provision(commands)
    return parser


def _takes_config(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--config", type=Path, default=DEFAULT_CONFIG, metavar="FILE", help=f"default: {DEFAULT_CONFIG}"
    )
