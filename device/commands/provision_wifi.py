"""`gate-scanner provision wifi`: the card that brings a gate its wireless network."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from device.commands.provision_making import card_of, codes_of, show, takes_card
from device.errors import ExitCode, GateError, UsageError

if TYPE_CHECKING:
    import argparse

    from device.wifi.network import Network

STANDARD_INPUT = Path("-")


def add_wifi(kinds: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command."""
    wifi = kinds.add_parser(
        "wifi",
        help="a card that brings a gate, or a device without a configuration, its wireless network",
        description="The passphrase is asked for, or read from a file; it never stands in the command. The "
        "gate joins through NetworkManager; when that fails, the network before stays.",
        epilog="Example: gate-scanner provision wifi 'Cho Phu Vang' --key provisioner.pem --seal-to "
        "device.pub --out wifi.png",
    )
    wifi.add_argument("name", metavar="NAME", help="of the network (SSID)")
    opens = wifi.add_mutually_exclusive_group()
    opens.add_argument(
        "--passphrase-file", type=Path, metavar="FILE", help="its first line; - reads standard input"
    )
    opens.add_argument("--open", action="store_true", help="the network has no passphrase")
    wifi.add_argument("--hidden", action="store_true", help="the network does not tell its name")
    sealing = wifi.add_mutually_exclusive_group()
    sealing.add_argument(
        "--seal-to", type=Path, metavar="FILE", help="public key of the device: `provision export`"
    )
    sealing.add_argument(
        "--in-clear", action="store_true", help="passphrase readable to whoever photographs the card"
    )
    takes_card(wifi)
    wifi.set_defaults(command=_wifi)


def _wifi(args: argparse.Namespace) -> int:
    from dataclasses import replace

    from device.keyring import sealing_key
    from device.provision.network import pack_network
    from device.service.passes import read_key

    if not (args.open or args.seal_to or args.in_clear):
        raise UsageError("a passphrase is secret: seal the card with --seal-to, or say --in-clear")
    key = read_key(args.key)
    seal = sealing_key(args.seal_to) if args.seal_to else None
    network = _network(args)
    card = card_of(args, "wifi", once=True, body=b"")
    body = pack_network(network, serial=card.serial, gate=card.gate, seal=seal)
    show(codes_of(replace(card, body=body), key), args.out)
    read_by = "sealed to one key" if seal else "readable to whoever sees it"
    print(
        f"wifi card {card.serial} for {card.gate or 'every gate with this key'}, {read_by}", file=sys.stderr
    )
    return ExitCode.OK


def _network(args: argparse.Namespace) -> Network:
    from device.wifi.network import Network

    passphrase = "" if args.open else _passphrase(args.passphrase_file)
    if not (args.open or passphrase):
        raise UsageError("the passphrase is empty; a network without one takes --open")
    try:
        return Network(args.name.encode("utf-8", "surrogateescape"), passphrase, args.hidden)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _passphrase(file: Path | None) -> str:
    """From the terminal, where nothing is shown of it, or a file's first line. Raises GateError."""
    from getpass import getpass

    try:
        if file is None:
            if not sys.stdin.isatty():
                raise UsageError("nobody can be asked here: --passphrase-file FILE, or - for standard input")
            return getpass("Passphrase (nothing is shown): ")
        if file == STANDARD_INPUT:
            return sys.stdin.readline().rstrip("\r\n")
        with file.open(encoding="utf-8") as lines:
            return lines.readline().rstrip("\r\n")
    except EOFError:
        raise GateError("no passphrase, no card") from None
    except OSError as error:
        raise GateError(f"{file}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise GateError(f"{file}: not a text") from None
