"""`gate-scanner keys`: private keys of issuers and districts, and what gates need to know of them."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from device.commands.arguments import begin, end
from device.errors import ExitCode, GateError

if TYPE_CHECKING:
    from device.credential.signing import SigningKey


def add_keys(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the command line."""
    keys = commands.add_parser(
        "keys",
        help="make keys that sign passes, speak for the district, or open what gates seal",
        description="Private keys stay off the gates, with a copy in a safe. Gates get the public halves: of "
        "issuers in the trust list (credentials.trust_list), of the district in files of their own.",
    )
    kinds = keys.add_subparsers(title="commands", metavar="COMMAND", required=True)

    issuer = kinds.add_parser(
        "issuer",
        help="a new private key for issuing passes",
        description="Makes KEY, readable by you alone, and puts its public half on a trust list.",
        epilog="Example: gate-scanner keys issuer office.pem --name office --trust trust.json",
    )
    _takes_entry(issuer)
    issuer.add_argument(
        "--algorithm",
        choices=("ed25519", "es256"),
        default="ed25519",
        help="ed25519 (default) makes the smallest codes; es256 is for readers that know nothing else",
    )
    issuer.add_argument(
        "--rotating",
        action="store_true",
        help="passes may ask for a code that changes every 30 s; makes the trust list a secret",
    )
    issuer.add_argument("--force", action="store_true", help="replace a key that is there: it is lost")
    issuer.set_defaults(command=_issuer)

    district = kinds.add_parser(
        "district",
        help="the key by which gates know their district",
        description="Makes KEY, readable by you alone, for `watch --confirm`, and PUBLIC, for the gates.",
        epilog="Example: gate-scanner keys district district.pem district.pub",
    )
    district.add_argument("key", type=Path, metavar="KEY", help="file of the private key")
    district.add_argument("public", type=Path, metavar="PUBLIC", help="file of the public key")
    district.add_argument("--force", action="store_true", help="replace a key that is there: it is lost")
    district.set_defaults(command=_district)

    seal = kinds.add_parser(
        "seal",
        help="the key pair that keeps identities for the district alone",
        description="Makes KEY, readable by you alone, for `unseal`, and PUBLIC, for the gates. Replaces "
        "nothing: what is sealed to a lost key is lost. Keep a copy of KEY in a safe.",
        epilog="Example: gate-scanner keys seal district-seal.pem district-seal.pub",
    )
    seal.add_argument("key", type=Path, metavar="KEY", help="file of the private key")
    seal.add_argument("public", type=Path, metavar="PUBLIC", help="file of the public key")
    seal.set_defaults(command=_seal)

    holder = kinds.add_parser(
        "holder",
        help="the key of a pass that only its holder can show",
        description="Makes KEY, which stays with the holder, and PUBLIC, for `pass issue --holder-key`. A "
        "phone makes its own; this one stands for it, to try such passes.",
        epilog="Example: gate-scanner keys holder anna.pem anna.pub",
    )
    holder.add_argument("key", type=Path, metavar="KEY", help="file of the private key")
    holder.add_argument("public", type=Path, metavar="PUBLIC", help="file of the public key")
    holder.add_argument(
        "--algorithm", choices=("ed25519", "es256"), default="ed25519", help="default ed25519"
    )
    holder.add_argument("--force", action="store_true", help="replace a key that is there: it is lost")
    holder.set_defaults(command=_holder)

    show = kinds.add_parser(
        "show", help="the trust list entry of a key that is there", description="Makes nothing new."
    )
    _takes_entry(show)
    show.set_defaults(command=_show)


def _takes_entry(command: argparse.ArgumentParser) -> None:
    command.add_argument("key", type=Path, metavar="KEY", help="file of the private key, office.pem")
    command.add_argument(
        "--name", type=_issuer_name, required=True, help="who issues, as events and lists will have it"
    )
    command.add_argument(
        "--form", choices=("cwt", "jws"), default="cwt", help="of the passes (default cwt: smaller codes)"
    )
    command.add_argument(
        "--gate", action="append", default=[], metavar="NAME", help="trust it at this gate only; repeatable"
    )
    command.add_argument(
        "--from", type=begin, metavar="TIME", dest="begin", help="nothing it signs is valid before"
    )
    command.add_argument("--until", type=end, metavar="TIME", help="nothing it signed is valid after")
    command.add_argument(
        "--trust", type=Path, metavar="FILE", help="add it to this trust list, made when missing"
    )


def _issuer_name(text: str) -> str:
    from device.credential.trust import ISSUER

    if not ISSUER.fullmatch(text):
        raise argparse.ArgumentTypeError("1 to 64 letters, digits, dots, dashes and underscores")
    return text


def _issuer(args: argparse.Namespace) -> int:
    from device.service.passes import make_key
    from device.service.trustfile import read_trust

    if args.trust and args.trust.exists():
        read_trust(args.trust)  # a broken list is told before a key is made
    key = make_key(args.key, args.algorithm, force=args.force)
    print(f"{args.key}: a new private key, readable by you alone", file=sys.stderr)
    return _tell(args, key, rotating=args.rotating)


def _holder(args: argparse.Namespace) -> int:
    _make_pair(args, args.algorithm)
    print(f"for the issuer: pass issue --holder-key {args.public}", file=sys.stderr)
    return ExitCode.OK


def _make_pair(args: argparse.Namespace, algorithm: str = "ed25519") -> None:
    """A private key and its public half, each in a file."""
    from device.durable import write_over
    from device.service.passes import make_key

    key = make_key(args.key, algorithm, force=args.force)
    try:
        write_over(args.public, key.public_pem, mode=0o644)
    except OSError as error:
        raise GateError(f"{args.public}: {error.strerror}") from error
    print(f"{args.key}: a new private key, readable by you alone", file=sys.stderr)


def _district(args: argparse.Namespace) -> int:
    _make_pair(args)
    print(
        f"copy {args.public} to the gates and name it in their configuration: as uplink.district_key_file "
        "where events are confirmed, in policy.list_keys where lists are signed",
        file=sys.stderr,
    )
    return ExitCode.OK


def _seal(args: argparse.Namespace) -> int:
    from device.service.seals import make_seal

    key = make_seal(args.key, args.public)
    print(f"{args.key}: a new private key, {key.key_id}, readable by you alone", file=sys.stderr)
    print(
        f"copy {args.public} to the gates and name it in their configuration as privacy.seal_to",
        file=sys.stderr,
    )
    return ExitCode.OK


def _show(args: argparse.Namespace) -> int:
    from device.service.passes import read_key

    return _tell(args, read_key(args.key), rotating=False)


def _tell(args: argparse.Namespace, key: SigningKey, *, rotating: bool) -> int:
    """The entry goes where it was asked for: into the list, or to standard output."""
    from device.service.passes import trust_entry
    from device.service.trustfile import add_entry

    entry = trust_entry(
        key,
        issuer=args.name,
        form=args.form,
        gates=args.gate,
        rotating=rotating,
        not_before=args.begin,
        not_after=args.until,
    )
    if args.trust is None:
        print("for the list 'keys' of the gates' trust list:", file=sys.stderr)
        print(json.dumps(entry, indent=2))
        return ExitCode.OK
    count = add_entry(args.trust, entry)
    print(f"{args.trust}: trusts {args.name}; {count} key{'s' * (count != 1)} in all", file=sys.stderr)
    if rotating:
        print("it holds the secret of the changing codes now: for the gates' eyes only", file=sys.stderr)
    print(
        "copy it to the gates and name it in their configuration as credentials.trust_list", file=sys.stderr
    )
    return ExitCode.OK
