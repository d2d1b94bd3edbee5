"""`gate-scanner events`: what the journal holds, and whether it is complete."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from device.commands.arguments import takes_config
from device.errors import ExitCode

if TYPE_CHECKING:
    import argparse


def add_events(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the command line."""
    events = commands.add_parser(
        "events",
        help="what the journal holds; whether it is complete",
        description="Lists stored events, oldest first, also while the daemon runs.",
    )
    takes_config(events)
    events.add_argument(
        "--journal", type=Path, metavar="FILE", help="the journal itself, instead of --config"
    )
    events.add_argument("--json", action="store_true", help="one JSON object an event")
    events.add_argument("--refused", action="store_true", help="only those that the broker refuses")
    events.add_argument(
        "--verify", action="store_true", help="check for gaps and changes; exit code 1 if any"
    )
    events.set_defaults(command=_events)


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
