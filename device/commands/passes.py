"""`gate-scanner pass`: issue a pass, show it as a QR code, look into one."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import timedelta
from pathlib import Path

from device.commands.arguments import begin, end
from device.commands.codes import codes_of
from device.errors import ExitCode, GateError

_QUOTES = "A pass holds $, * and spaces: write it in single quotes, or - to read it from standard input."


def add_pass(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the command line."""
    group = commands.add_parser(
        "pass",
        help="issue a pass, show its code, look into one",
        description="Passes are signed with the key that `gate-scanner keys issuer` makes.",
    )
    kinds = group.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_issue(kinds)

    show = kinds.add_parser(
        "show", help="a pass as a QR code", description="Draws the code of a pass once more.", epilog=_QUOTES
    )
    show.add_argument("text", metavar="TEXT", help="of the pass; - for one line from stdin")
    _takes_form_of_output(show)
    show.add_argument(
        "--trust", type=Path, metavar="FILE", help="the trust list: shows the changing code of this moment"
    )
    show.add_argument(
        "--holder-key",
        type=Path,
        metavar="FILE",
        help="the holder's private key: adds the proof of this moment",
    )
    show.set_defaults(command=_show)

    inspect = kinds.add_parser(
        "inspect",
        help="what a pass is, says and proves; never who holds it",
        description="Exit code 1 when a signature is not good, or a picture holds no code.",
        epilog=_QUOTES,
    )
    inspect.add_argument(
        "codes", nargs="+", metavar="TEXT|IMAGE", help="texts or pictures of passes; - for lines from stdin"
    )
    inspect.add_argument("--trust", type=Path, metavar="FILE", help="check signatures by this trust list")
    inspect.add_argument("--json", action="store_true", help="one JSON object a code")
    inspect.set_defaults(command=_inspect)


def _add_issue(kinds: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    issue = kinds.add_parser(
        "issue",
        help="a new pass",
        description="Signs a pass and shows its QR code here, or writes it into a picture.",
        epilog="Example: gate-scanner pass issue --key office.pem --holder 1042 --gate gate-a --days 30 "
        "--out 1042.png",
    )
    issue.add_argument("--key", type=Path, required=True, metavar="FILE", help="the issuer's private key")
    issue.add_argument(
        "--holder",
        default="",
        metavar="ID",
        help="whose pass, as you number people; lists name it NAME/ID. Without: a number by chance",
    )
    issue.add_argument(
        "--gate",
        action="append",
        default=[],
        metavar="NAME",
        help="a gate it is for, by its gate.name or credentials.audiences; repeatable; without: every gate",
    )
    issue.add_argument(
        "--from", type=begin, metavar="TIME", dest="begin", help="valid from; without: at once"
    )
    until = issue.add_mutually_exclusive_group(required=True)
    until.add_argument(
        "--until", type=end, metavar="TIME", help="valid until: 2026-12-31 (that day included), or a time"
    )
    until.add_argument("--days", type=_days, metavar="N", help="valid for N days of 24 hours")
    issue.add_argument(
        "--rotating", action="store_true", help="valid only with a code that changes every 30 s"
    )
    issue.add_argument(
        "--once", action="store_true", help="good for one passage at the gate; name one --gate"
    )
    issue.add_argument(
        "--holder-key",
        type=Path,
        metavar="FILE",
        help="valid only with a proof of this key, made anew every 30 s; the holder's public key, PEM",
    )
    issue.add_argument(
        "--form",
        choices=("cwt", "jws"),
        default="cwt",
        help="default cwt; jws for readers that know JOSE only",
    )
    _takes_form_of_output(issue)
    issue.set_defaults(command=_issue)


def _takes_form_of_output(command: argparse.ArgumentParser) -> None:
    output = command.add_mutually_exclusive_group()
    output.add_argument("--out", type=Path, metavar="FILE", help="a picture, .png or .svg, instead")
    output.add_argument("--text", action="store_true", help="the text of the code, instead", dest="as_text")


def _days(text: str) -> timedelta:
    longest = 36_525  # a hundred years
    if not text.isdecimal() or not text.isascii() or not 0 < len(text) <= len(str(longest)):
        raise argparse.ArgumentTypeError(f"a whole number from 1 to {longest}")
    days = int(text)
    if not 0 < days <= longest:
        raise argparse.ArgumentTypeError(f"a whole number from 1 to {longest}")
    return timedelta(days=days)


# -- commands -------------------------------------------------------------------------------------


def _issue(args: argparse.Namespace) -> int:
    from device.credential.signing import Grant
    from device.runtime import SystemClock
    from device.service.passes import issue, numbered, read_key, read_public_key

    key = read_key(args.key)
    now = SystemClock().utc()
    expires = args.until or (args.begin or now) + args.days
    if expires <= max(now, args.begin or now):
        raise GateError("the pass would end before it begins, or is over already: see --from and --until")
    if (args.rotating or args.once or args.holder_key) and args.form == "jws":
        raise GateError("--rotating, --once and --holder-key need --form cwt")
    grant = Grant(
        subject=args.holder,
        expires=expires,
        not_before=args.begin,
        audience=tuple(args.gate),
        rotates=args.rotating,
        once=args.once,
        holder=read_public_key(args.holder_key) if args.holder_key else None,
    )
    text = issue(numbered(grant), key, form=args.form)
    _put_out(args, text)
    if args.rotating:
        print("gates take it only with its changing code: `pass show --trust FILE` shows it", file=sys.stderr)
    if args.holder_key:
        print(
            "gates take it only with its holder's proof: `pass show --holder-key FILE` adds it",
            file=sys.stderr,
        )
    return ExitCode.OK


def _show(args: argparse.Namespace) -> int:
    from device.runtime import SystemClock
    from device.service.passes import of_now, proven, read_key
    from device.service.trustfile import read_trust

    text = args.text if args.text != "-" else sys.stdin.readline().rstrip("\r\n")
    if not text:
        raise GateError("there is no pass on standard input")
    now = SystemClock().utc()
    left_s = None
    if args.trust is not None:
        text, left_s = of_now(text, read_trust(args.trust), now)
    if args.holder_key is not None:
        text, left_s = proven(text, read_key(args.holder_key), now)
    _put_out(args, text)
    if left_s is not None:
        print(f"this is the code of now; the next one is due in {left_s} s", file=sys.stderr)
    return ExitCode.OK


def _put_out(args: argparse.Namespace, text: str) -> None:
    """Only the code goes to standard output, so that it can be piped on."""
    from device.service.passes import draw

    if args.as_text:
        print(text)
    elif args.out:
        print(draw(text, args.out), file=sys.stderr)
    else:
        print(draw(text), end="")


def _inspect(args: argparse.Namespace) -> int:
    from device.runtime import SystemClock
    from device.service.inspect import inspect
    from device.service.trustfile import read_trust

    trust = read_trust(args.trust) if args.trust else None
    now = SystemClock().utc()
    code = ExitCode.OK
    for content in codes_of(args.codes):
        found = inspect(content, trust=trust, now=now)
        if not found.good:
            code = ExitCode.BROKEN
        text = json.dumps(found.as_json(), ensure_ascii=False) if args.json else found.as_text()
        print(text, flush=True)
    return code
