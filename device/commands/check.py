"""`gate-scanner check`: every mistake in a configuration file, with its place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from device.errors import ExitCode

if TYPE_CHECKING:
    import argparse


def add_check(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the command line."""
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
