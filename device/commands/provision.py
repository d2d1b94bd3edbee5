"""`gate-scanner provision`: cards that a provisioner signs and a gate's camera reads."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from device.commands.provision_device import add_export, add_wait
from device.commands.provision_making import card_of, codes_of, show, takes_card
from device.commands.provision_wifi import add_wifi
from device.errors import ExitCode, GateError, UsageError

if TYPE_CHECKING:
    import argparse

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
        help="cards held up to a gate's camera: its first configuration, Wi-Fi, test, suspend, resume",
        description="The provisioner's private key signs cards and stays off the gates; they get the public "
        "half, as credentials.card_key_file.",
    )
    kinds = provision.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_keys(kinds)
    _add_card(kinds)
    add_wait(kinds)
    add_export(kinds)
    _add_service(kinds)
    add_wifi(kinds)


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
    takes_card(card)
    card.set_defaults(command=_configuration)


def _add_service(kinds: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    service = kinds.add_parser(
        "service",
        help="a card for a gate that runs",
        description="A card is good once at each gate it is for; with --until and --again any number of "
        "times until then. What it does is recorded before it is done.",
        epilog="Example: gate-scanner provision service suspend --key provisioner.pem --out suspend.png",
    )
    service.add_argument("kind", type=_service_kind, metavar="KIND", help=", ".join(SERVICE))
    service.add_argument("--who", default="", metavar="NUMBER", help="of sign-in: who minds the gate")
    service.add_argument("--again", action="store_true", help="good any number of times until --until")
    takes_card(service)
    service.set_defaults(command=_service)


def _service_kind(text: str) -> str:
    from argparse import ArgumentTypeError

    if text == "wifi":
        raise ArgumentTypeError("a Wi-Fi card takes more: gate-scanner provision wifi NAME")
    if text not in SERVICE:
        raise ArgumentTypeError(f"there is no {text!r} card: {', '.join(SERVICE)}")
    return text


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
    card = card_of(args, SERVICE[args.kind], once=not args.again, body=args.who.strip().encode())
    show(codes_of(card, key), args.out)
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
    card = card_of(args, "configuration", once=True, body=b"")
    seal = sealing_key(args.seal_to) if args.seal_to else None
    try:
        body = pack(found.files, serial=card.serial, gate=name, seal=seal)
    except ValueError as error:
        raise GateError(str(error)) from None
    codes = codes_of(replace(card, body=body), key)
    show(codes, args.out)
    size = sum(map(len, found.files.values()))
    print(f"card {card.serial} for {name}: {', '.join(found.files)}", file=sys.stderr)
    print(f"{size} bytes, {len(codes)} code{'s' * (len(codes) > 1)}", file=sys.stderr)
    for left in found.left:
        print(f"not on the card, must be on the device already: {left}", file=sys.stderr)
    return ExitCode.OK
