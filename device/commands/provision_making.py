"""What every command that makes a card takes, and how a card leaves it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from device.commands.arguments import begin, end
from device.errors import GateError, UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from device.credential.signing import SigningKey
    from device.provision.card import Card


def takes_card(command: argparse.ArgumentParser) -> None:
    """Adds the options of every card."""
    command.add_argument("--key", type=Path, required=True, metavar="FILE", help="the provisioner's key")
    command.add_argument(
        "--gate", default="", metavar="T/S/G", help="tenant, site and name (default: every gate with the key)"
    )
    command.add_argument(
        "--serial", type=int, metavar="N", help="number that only goes up (default: the seconds since 1970)"
    )
    command.add_argument("--from", type=begin, metavar="TIME", dest="begin", help="not good before")
    command.add_argument("--until", type=end, metavar="TIME", help="not good any more after")
    command.add_argument(
        "--out", type=Path, metavar="FILE", help="a .png or .svg (default: drawn in the terminal)"
    )


def card_of(args: argparse.Namespace, kind: str, *, once: bool, body: bytes) -> Card:
    """What was asked for. Raises UsageError: no gate would take such a card."""
    from device.model import CardKind
    from device.provision.card import Card
    from device.runtime import SystemClock

    serial = int(SystemClock().utc().timestamp()) if args.serial is None else args.serial
    try:
        return Card(CardKind(kind), serial, args.gate, args.begin, args.until, once, body)
    except ValueError as error:
        raise UsageError(str(error)) from None


def codes_of(card: Card, key: SigningKey) -> Sequence[str]:
    """The card signed, as one code or several. Raises GateError."""
    from device.provision.card import write
    from device.provision.parts import split

    try:
        return [part.decode() for part in split(write(card, key))]
    except ValueError as error:
        raise GateError(str(error)) from None


def show(codes: Sequence[str], out: Path | None) -> None:
    """A picture, which moves where there are several; or one code after the other in the terminal."""
    from device.service.passes import draw, draw_moving

    if out is None:
        for code in codes:
            print(draw(code), end="")
    elif len(codes) == 1:
        print(draw(codes[0], out), file=sys.stderr)
    else:
        print(draw_moving(codes, out), file=sys.stderr)
