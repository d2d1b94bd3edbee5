"""`gate-scanner list`: make deny lists, allow lists and rosters for gates; look into one; check one."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from device.commands.arguments import begin, time_zone
from device.errors import ExitCode, GateError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from device.policy.listfile import ListFile


def add_list(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the command line."""
    group = commands.add_parser(
        "list",
        help="make lists for gates, signed and numbered; look into one",
        description="A list names nobody: it holds pseudonyms, made with the key that the gates have.",
    )
    kinds = group.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_make(kinds)

    inspect = kinds.add_parser("inspect", help="what a list is; whether somebody is on it")
    inspect.add_argument("file", type=Path, metavar="FILE")
    inspect.add_argument("--json", action="store_true", help="a JSON object")
    inspect.add_argument(
        "--has", metavar="ID", help="ask for one identifier; exit code 1 when it is not on it"
    )
    _takes_pseudonym_key(inspect, required=False)
    inspect.set_defaults(command=_inspect)

    verify = kinds.add_parser(
        "verify",
        help="whether a list is whole and signed by a key",
        description="Exit code 1 when it is not.",
    )
    verify.add_argument("file", type=Path, metavar="FILE")
    verify.add_argument(
        "--public", type=Path, action="append", required=True, metavar="FILE", help="a public key; repeatable"
    )
    verify.add_argument("--json", action="store_true", help="a JSON object")
    verify.set_defaults(command=_verify)


def _add_make(kinds: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    make = kinds.add_parser(
        "make",
        help="a new list",
        description="Reads one identifier a line (on a roster: identifier, from, until), or a column of a "
        "spreadsheet saved as CSV, and writes the list that gates take.",
        epilog="Example: gate-scanner list make deny refused.txt --key district.pem --pseudonym-key "
        "pseudonym.key --out deny.list",
    )
    make.add_argument("kind", choices=("deny", "allow", "roster"))
    make.add_argument("source", metavar="SOURCE", help="the lines; - for standard input")
    make.add_argument("--out", type=Path, required=True, metavar="FILE", help="the list")
    make.add_argument(
        "--key", type=Path, metavar="FILE", help="the private key to sign with, of `keys district`"
    )
    _takes_pseudonym_key(make, required=True)
    make.add_argument(
        "--gate", action="append", default=[], metavar="NAME", help="for this gate or site only"
    )
    make.add_argument(
        "--from", type=begin, metavar="TIME", dest="begin", help="in force from then on; without: at once"
    )
    make.add_argument(
        "--version",
        type=int,
        metavar="N",
        help="gates take greater ones only; without: the time, 20261122013000",
    )
    make.add_argument("--column", metavar="NAME", help="SOURCE is CSV, and this column has the identifiers")
    make.add_argument("--from-column", default="", metavar="NAME", help="on a roster: from when on")
    make.add_argument("--until-column", default="", metavar="NAME", help="on a roster: until when")
    make.add_argument(
        "--timezone",
        type=time_zone,
        default="Asia/Ho_Chi_Minh",
        metavar="ZONE",
        help="of a roster's times (this one)",
    )
    make.add_argument("--skip", action="store_true", help="leave out lines that cannot be used")
    make.set_defaults(command=_make)


def _takes_pseudonym_key(command: argparse.ArgumentParser, *, required: bool) -> None:
    command.add_argument(
        "--pseudonym-key",
        type=Path,
        required=required,
        metavar="FILE",
        help="the secret the gates have as privacy.pseudonym_key_file",
    )


# -- commands -------------------------------------------------------------------------------------


def _make(args: argparse.Namespace) -> int:
    from device.keyring import pseudonyms_in
    from device.policy.listfile import MAX_VERSION
    from device.policy.lists import ListKind
    from device.runtime import SystemClock
    from device.service import listing
    from device.service.passes import read_key

    key = read_key(args.key) if args.key else None
    pseudonyms = pseudonyms_in(args.pseudonym_key)
    kind = ListKind(args.kind)
    parsed = listing.read_lines(
        _lines(args), kind, pseudonyms=pseudonyms, timezone=args.timezone, skip=args.skip
    )
    now = SystemClock().utc().replace(microsecond=0)
    before = listing.look(args.out, None).header.version if args.out.exists() else 0
    version = args.version if args.version is not None else listing.next_version(now, before)
    if not before < version <= MAX_VERSION:
        raise GateError(f"{args.out} is version {before}: gates take greater ones only")
    found = listing.make(
        parsed,
        kind,
        key=key,
        pseudonyms=pseudonyms,
        version=version,
        issued_at=now,
        effective_from=args.begin or now,
        gates=tuple(args.gate),
    )
    listing.write(found, args.out)
    entries = listing.counted(len(parsed.content), "entry")
    print(f"{args.out}: {kind} list, version {version}, {entries}", file=sys.stderr)
    if parsed.unusable:
        print(f"left out: {listing.counted(parsed.unusable, 'line')}", file=sys.stderr)
    if key is None:
        print("not signed: a gate with policy.list_keys refuses it", file=sys.stderr)
    return ExitCode.OK


def _inspect(args: argparse.Namespace) -> int:
    from device.keyring import pseudonyms_in
    from device.service import listing

    found = listing.look(args.file, None)
    if args.has is None:
        _tell(found, verified=False, as_json=args.json)
        return ExitCode.OK
    if args.pseudonym_key is None:
        raise GateError("--has needs --pseudonym-key: the list holds pseudonyms only")
    pseudonyms = pseudonyms_in(args.pseudonym_key)
    if pseudonyms.key_id != found.header.pseudonyms:
        raise GateError(f"{args.file}: made with another pseudonym key, {found.header.pseudonyms}")
    there = found.content.any_of(filter(None, [pseudonyms.subject(args.has)]))
    if args.json:
        print(json.dumps({"on_it": there}))
    else:
        print("on it" if there else "not on it")
    return ExitCode.OK if there else ExitCode.BROKEN


def _verify(args: argparse.Namespace) -> int:
    from device.rulebook import list_keys
    from device.service import listing

    found = listing.look(args.file, list_keys(args.public))
    _tell(found, verified=True, as_json=args.json)
    return ExitCode.OK


def _tell(found: ListFile, *, verified: bool, as_json: bool) -> None:
    from device.service import listing

    if as_json:
        print(json.dumps(listing.as_json(found, verified=verified), ensure_ascii=False))
    else:
        print(listing.as_text(found, verified=verified))


# -- what they read -------------------------------------------------------------------------------


def _lines(args: argparse.Namespace) -> Iterable[str]:
    from device.service.listing import Columns, lines_of

    try:
        raw = sys.stdin.buffer.read() if args.source == "-" else Path(args.source).read_bytes()
        text = raw.decode("utf-8")
    except OSError as error:
        raise GateError(f"{args.source}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise GateError(f"{args.source}: no text in UTF-8; a spreadsheet saves it as 'CSV UTF-8'") from None
    if args.column:
        return lines_of(text, Columns(args.column, args.from_column, args.until_column))
    return text.split("\n")
