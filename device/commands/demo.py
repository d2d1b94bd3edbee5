"""`gate-scanner demo`: a gate in this terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from device.errors import ExitCode

if TYPE_CHECKING:
    import argparse


def add_demo(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the command line."""
    demo = commands.add_parser(
        "demo",
        help="a gate in this terminal, no hardware needed",
        description="Runs the real daemon on a replayed scene, with a real broker and a subscriber. "
        "Exit code 0 only when every event arrived.",
    )
    demo.add_argument("--plain", action="store_true", help="lines instead of a live screen")
    demo.set_defaults(command=_demo)


def _demo(args: argparse.Namespace) -> int:
    try:
        from device.demo.run import demo
    except ModuleNotFoundError as missing:
        print(f"gate-scanner demo needs {missing.name}: pip install 'gate-scanner[demo]'", file=sys.stderr)
        return ExitCode.BROKEN
    return demo(plain=args.plain)
