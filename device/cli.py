"""The command line: which commands there are, which exit code each gives.

Nothing heavy is imported before a command needs it, so that `--help` and `check` answer at once.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from device import __version__
from device.commands.aim import add_aim
from device.commands.check import add_check
from device.commands.config import add_config
from device.commands.decode import add_decode
from device.commands.demo import add_demo
from device.commands.doctor import add_doctor
from device.commands.events import add_events
from device.commands.explain import add_explain
from device.commands.keys import add_keys
from device.commands.lists import add_list
from device.commands.notice import add_notice
from device.commands.passes import add_pass
from device.commands.provision import add_provision
from device.commands.report import add_report
from device.commands.run import add_run
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
    add_run(commands)
    add_demo(commands)
    add_check(commands)
    add_decode(commands)
    add_explain(commands)
    add_events(commands)
    add_config(commands)
    add_aim(commands)
    add_doctor(commands)
    add_trace(commands)
    add_report(commands)
    add_watch(commands)
    add_notice(commands)
    add_unseal(commands)
    add_keys(commands)
    add_list(commands)
    add_pass(commands)
    add_provision(commands)
    return parser
