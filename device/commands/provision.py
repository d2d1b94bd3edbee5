"""`gate-scanner provision`: cards that a provisioner signs and a gate's camera reads."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from device.commands.times import begin, end
from device.errors import ExitCode, GateError, UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from device.credential.signing import SigningKey
    from device.provision.card import Card

SERVICE = {
    "self-test": "self_test",
    "report": "report",
    "suspend": "suspend",
    "resume": "resume",
    "sign-in": "sign_in",
}
"""What a service card may be for: as typed, and as events have it."""


def add_provision(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the command line."""
    provision = commands.add_parser(
        "provision",
        help="cards that test, suspend and resume a gate, held up to its camera",
        description="The provisioner's private key signs cards and stays off the gates; they get the public "
        "half, as credentials.card_key_file.",
    )
    kinds = provision.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_keys(kinds)
    _add_service(kinds)


def _add_keys(kinds: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    keys = kinds.add_parser(
        "keys",
        help="the key pair that signs cards",
        description="Makes KEY, readable by you alone, and PUBLIC, for the gates.",
        epilog="Example: gate-scanner provision keys provisioner.pem provisioner.pub",
    )
    keys.add_argument("key", type=Path, metavar="KEY", help="file of the private key")
    keys.add_argument("public", type=Path, metavar="PUBLIC", help="file of the public key")
    keys.add_argument("--force", action="store_true", help="replace a key that is there: it is lost")
    keys.set_defaults(command=_keys)


def _add_service(kinds: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    service = kinds.add_parser(
        "service",
        help="a card for a gate that runs",
        description="A card is good once at each gate it is for; with --until and --again any number of "
        "times until then. What it does is recorded before it is done.",
        epilog="Example: gate-scanner provision service suspend --key provisioner.pem --out suspend.png",
    )
    service.add_argument("kind", choices=SERVICE, metavar="KIND", help=", ".join(SERVICE))
    service.add_argument("--who", default="", metavar="NUMBER", help="of sign-in: who minds the gate")
    service.add_argument("--again", action="store_true", help="good any number of times until --until")
    _takes_card(service)
    service.set_defaults(command=_service)


def _takes_card(command: argparse.ArgumentParser) -> None:
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


def _keys(args: argparse.Namespace) -> int:
    from device.durable import write_over
    from device.service.passes import make_key

    key = make_key(args.key, force=args.force)
    try:
        write_over(args.public, key.public_pem, mode=0o644)
    except OSError as error:
        raise GateError(f"{args.public}: {error.strerror}") from error
    print(f"{args.key}: a new private key, readable by you alone", file=sys.stderr)
    print(
        f"copy {args.public} to the gates and name it in their configuration as credentials.card_key_file",
        file=sys.stderr,
    )
    return ExitCode.OK


def _service(args: argparse.Namespace) -> int:
    if (args.kind == "sign-in") != bool(args.who.strip()):
        raise UsageError("--who says who signs in: with sign-in, and only there")
    if args.again and args.until is None:
        raise UsageError("a card that is good again and again needs an end: --until")
    key = _key(args.key)
    card = _card(args, SERVICE[args.kind], once=not args.again, body=args.who.strip().encode())
    _show(_codes(card, key), args.out)
    print(f"{args.kind} card {card.serial} for {card.gate or 'every gate with this key'}", file=sys.stderr)
    return ExitCode.OK


def _key(path: Path) -> SigningKey:
    from device.service.passes import read_key

    return read_key(path)


def _card(args: argparse.Namespace, kind: str, *, once: bool, body: bytes) -> Card:
    from device.model import CardKind
    from device.provision.card import Card
    from device.runtime import SystemClock

    serial = int(SystemClock().utc().timestamp()) if args.serial is None else args.serial
    try:
        return Card(CardKind(kind), serial, args.gate, args.begin, args.until, once, body)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _codes(card: Card, key: SigningKey) -> Sequence[str]:
    from device.provision.card import write
    from device.provision.parts import split

    try:
        return [part.decode() for part in split(write(card, key))]
    except ValueError as error:
        raise GateError(str(error)) from None


def _show(codes: Sequence[str], out: Path | None) -> None:
    """One picture a code: with several, numbered ones, to be shown one after another."""
    from device.service.passes import draw

    digits = len(str(len(codes)))
    for number, code in enumerate(codes, 1):
        name = f"{number:0{digits}}" if len(codes) > 1 else ""
        path = out.with_stem(f"{out.stem}-{name}") if out and name else out
        if path:
            print(draw(code, path), file=sys.stderr)
        else:
            print(draw(code), end="")
