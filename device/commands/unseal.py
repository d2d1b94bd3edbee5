"""`gate-scanner unseal`: who it was, for those who hold the district's private key."""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from pathlib import Path

from device.errors import ExitCode


def add_unseal(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the command line."""
    unseal = commands.add_parser(
        "unseal",
        help="who it was: opens what gates have sealed, with the district's private key",
        description="Prints every event of FILE with a sealed identity, opened. Needs a private key, which "
        "stays with the district and never comes near a gate. Exit code 1 when one does not open.",
        epilog="Example: gate-scanner unseal gate-events.db --key district-seal.pem --subject 0123...cdef",
    )
    unseal.add_argument("file", type=Path, metavar="FILE", help="what `watch` keeps, or a gate's journal")
    unseal.add_argument(
        "--key",
        type=Path,
        action="append",
        required=True,
        metavar="FILE",
        help="private key, see `keys seal`; repeat it for those that were in force before",
    )
    unseal.add_argument(
        "--gate",
        type=_gate,
        metavar="TENANT/SITE/NAME",
        help="only this gate's; needed with a journal, which does not say whose it is",
    )
    unseal.add_argument(
        "--subject", type=_subject, metavar="HEX", help="only this person's, as events have it"
    )
    unseal.add_argument("--json", action="store_true", help="one JSON object an event")
    unseal.set_defaults(command=_unseal)


def _gate(text: str) -> str:
    from device.uplink.wire import GateAddress

    try:
        return GateAddress(*text.removeprefix("gate/v1/").split("/")).path
    except (TypeError, ValueError):
        raise argparse.ArgumentTypeError("TENANT/SITE/NAME, each 1 to 48 of a-z, 0-9 and '-'") from None


def _subject(text: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{32}", text):
        raise argparse.ArgumentTypeError("32 hex digits, as events have it")
    return text.lower()


def _unseal(args: argparse.Namespace) -> int:
    from device.keyring import opening_key
    from device.service.seals import sealed_in, unseal

    keys = [opening_key(path) for path in args.key]
    opened, problems = 0, Counter[str]()
    for found in unseal(sealed_in(args.file, gate=args.gate or ""), keys, subject=args.subject or ""):
        print(found.as_json() if args.json else found.as_text(), flush=True)
        opened += not found.problem
        problems[found.problem] += bool(found.problem)
    problems.pop("", None)
    print(f"{opened} opened" if opened or problems else "nothing sealed was found", file=sys.stderr)
    for problem, count in problems.items():
        print(f"{count} not opened: {problem}", file=sys.stderr)
    return ExitCode.BROKEN if problems else ExitCode.OK
