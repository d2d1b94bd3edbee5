"""`gate-scanner provision`: cards that a provisioner signs and a gate's camera reads."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from device.commands.arguments import begin, end
from device.commands.provision_device import add_export, add_wait
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
        help="cards held up to a gate's camera: its first configuration, test, suspend, resume",
        description="The provisioner's private key signs cards and stays off the gates; they get the public "
        "half, as credentials.card_key_file.",
    )
    kinds = provision.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_keys(kinds)
    _add_card(kinds)
    add_wait(kinds)
    add_export(kinds)
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


def _add_card(kinds: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    card = kinds.add_parser(
        "card",
        help="a configuration as a card, for a device that has none",
        description="Packs the file and the files it names that lie in its folder: certificates, keys, "
        "passwords, lists. Secrets and lists of persons need --seal-to. A long one becomes a picture that "
        "shows several codes one after another: open it in a browser and hold the screen up to the camera.",
        epilog="Example: gate-scanner provision card gate.yaml --key provisioner.pem --seal-to device.pub "
        "--out card.png",
    )
    card.add_argument("config", type=Path, metavar="FILE", help="the configuration, checked first")
    sealing = card.add_mutually_exclusive_group()
    sealing.add_argument(
        "--seal-to",
        type=Path,
        metavar="FILE",
        help="public key of the device: `provision export`",
    )
    sealing.add_argument(
        "--in-clear", action="store_true", help="secrets readable to whoever photographs the card"
    )
    _takes_card(card)
    card.set_defaults(command=_configuration)


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
    from device.service.passes import read_key

    if (args.kind == "sign-in") != bool(args.who.strip()):
        raise UsageError("--who says who signs in: with sign-in, and only there")
    if args.again and args.until is None:
        raise UsageError("a card that is good again and again needs an end: --until")
    key = read_key(args.key)
    card = _card(args, SERVICE[args.kind], once=not args.again, body=args.who.strip().encode())
    _show(_codes(card, key), args.out)
    print(f"{args.kind} card {card.serial} for {card.gate or 'every gate with this key'}", file=sys.stderr)
    return ExitCode.OK


def _configuration(args: argparse.Namespace) -> int:
    from dataclasses import replace

    from device.config.loader import load
    from device.keyring import sealing_key
    from device.provision.bundle import pack
    from device.service.bundling import gather
    from device.service.passes import read_key

    key = read_key(args.key)
    gate = load(args.config, check_files=False).gate
    name = f"{gate.tenant}/{gate.site}/{gate.name}"
    if args.gate not in {"", name}:
        raise UsageError(f"{args.config} is the configuration of {name}, not of {args.gate}")
    args.gate = name
    found = gather(args.config)
    if found.secret and not (args.seal_to or args.in_clear):
        told = ", ".join(found.secret)
        raise GateError(f"secret: {told}; seal the card with --seal-to, or say --in-clear")
    card = _card(args, "configuration", once=True, body=b"")
    seal = sealing_key(args.seal_to) if args.seal_to else None
    try:
        body = pack(found.files, serial=card.serial, gate=name, seal=seal)
    except ValueError as error:
        raise GateError(str(error)) from None
    codes = _codes(replace(card, body=body), key)
    _show(codes, args.out)
    size = sum(map(len, found.files.values()))
    print(f"card {card.serial} for {name}: {', '.join(found.files)}", file=sys.stderr)
    print(f"{size} bytes, {len(codes)} code{'s' * (len(codes) > 1)}", file=sys.stderr)
    for left in found.left:
        print(f"not on the card, must be on the device already: {left}", file=sys.stderr)
    return ExitCode.OK


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
    """A picture, which moves where there are several; or one code after the other in the terminal."""
    from device.service.passes import draw, draw_moving

    if out is None:
        for code in codes:
            print(draw(code), end="")
    elif len(codes) == 1:
        print(draw(codes[0], out), file=sys.stderr)
    else:
        print(draw_moving(codes, out), file=sys.stderr)
