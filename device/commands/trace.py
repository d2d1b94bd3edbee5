"""`gate-scanner trace`: what a gate was doing at a moment, and what became of a person there."""

from __future__ import annotations

import argparse
import functools
import json
import re
import sys
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from device.commands.arguments import takes_config, time_zone
from device.errors import ExitCode

if TYPE_CHECKING:
    from datetime import tzinfo

    from device.config.model import Settings
    from device.credential.pseudonym import Pseudonyms
    from device.service.trace.records import Records


def add_trace(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the command line."""
    trace = commands.add_parser(
        "trace",
        help="he says he was there at 10:32: what the gate was doing, and what became of his code",
        description="Answers from the gate's own journal, or from a district's store: granted, refused, not "
        "presented, unreadable, down or not delivered yet; with the events that say so. Exit code 0 when the "
        "answer is final, 1 when something may still arrive, or a clock was never set.",
        epilog="Examples: gate-scanner trace --at 10:32 --id 046190123456; "
        "gate-scanner trace --at 2026-03-02T10:32 --store events.db --gate market-3/north "
        "--pseudonym-key pseudonym.key --id -",
    )
    trace.add_argument(
        "--at", required=True, metavar="TIME", help="10:32 (the last one), or 2026-03-02T10:32"
    )
    trace.add_argument(
        "--within", type=_minutes, default=timedelta(minutes=5), metavar="MIN", help="either side (default 5)"
    )
    person = trace.add_mutually_exclusive_group()
    person.add_argument(
        "--id", metavar="ID", help="of the person, as the card carries it; - asks on standard input"
    )
    person.add_argument(
        "--subject", type=_subject, metavar="HEX", help="the pseudonym, as events and explain have it"
    )
    where = trace.add_mutually_exclusive_group()
    takes_config(where)
    where.add_argument("--journal", type=Path, metavar="FILE", help="the journal itself")
    where.add_argument("--store", type=Path, metavar="FILE", help="a district's store, as watch writes it")
    trace.add_argument("--gate", default="", metavar="SITE/GATE", help="with --store: which one")
    trace.add_argument("--pseudonym-key", type=Path, metavar="FILE", help="what --id is looked up by")
    trace.add_argument(
        "--timezone", type=time_zone, metavar="ZONE", help="of times (default: the gate's, or here)"
    )
    trace.add_argument("--json", action="store_true", help="one JSON object")
    trace.set_defaults(command=functools.partial(_trace, trace))


def _trace(parser: argparse.ArgumentParser, args: argparse.Namespace) -> int:
    from device.runtime import SystemClock
    from device.service.trace.answer import trace
    from device.service.trace.words import as_json, as_text

    settings = _settings(args)
    zone = args.timezone or (ZoneInfo(settings.gate.timezone) if settings else None)
    now = SystemClock().utc()
    at = _moment(parser, args.at, zone, now)
    if at > now:
        parser.error(f"--at {args.at} has not been yet")
    with ExitStack() as parts:
        found = trace(
            _records(args, settings, parts),
            at=at,
            within=args.within,
            subjects=_subjects(parser, args, settings),
            now=now,
        )
    print(json.dumps(as_json(found), ensure_ascii=False) if args.json else as_text(found, zone))
    return ExitCode.OK if found.sure else ExitCode.BROKEN


def _settings(args: argparse.Namespace) -> Settings | None:
    from device.config.loader import load

    if args.journal is not None or args.store is not None:
        return None
    return load(args.config, check_files=False)


def _records(args: argparse.Namespace, settings: Settings | None, parts: ExitStack) -> Records:
    from device.commands.records import of_own_journal
    from device.service.trace.records import of_journal, of_store

    if args.store is not None:
        return of_store(args.store, gate=args.gate, parts=parts)
    if settings is None:
        return of_journal(args.journal, gate=args.gate, parts=parts)
    return of_own_journal(settings, parts)


def _subjects(
    parser: argparse.ArgumentParser, args: argparse.Namespace, settings: Settings | None
) -> tuple[str, ...]:
    if args.id is None:
        return (args.subject,) if args.subject else ()
    identifier = sys.stdin.readline().strip() if args.id == "-" else args.id
    if not identifier.strip():
        parser.error("--id: there is nothing")
    return _pseudonyms(parser, args, settings).ever(identifier)


def _pseudonyms(
    parser: argparse.ArgumentParser, args: argparse.Namespace, settings: Settings | None
) -> Pseudonyms:
    from device.keyring import existing_pseudonyms, pseudonyms_in

    if args.pseudonym_key is not None:
        return pseudonyms_in(args.pseudonym_key)
    if settings is None:
        parser.error("--id needs --pseudonym-key FILE: events hold pseudonyms, made with the gate's key")
    return existing_pseudonyms(settings)


def _moment(parser: argparse.ArgumentParser, text: str, zone: tzinfo | None, now: datetime) -> datetime:
    here = now.astimezone(zone)
    if found := re.fullmatch(r"(\d?\d):(\d\d)(?::(\d\d))?", text, re.ASCII):
        try:
            moment = here.replace(
                hour=int(found[1]), minute=int(found[2]), second=int(found[3] or 0), microsecond=0
            )
        except ValueError:
            parser.error(f"--at {text}: there is no such time of day")
        return moment if moment <= here else moment - timedelta(days=1)
    try:
        told = datetime.fromisoformat(text)
    except ValueError:
        parser.error(f"--at {text}: a time like 10:32, 2026-03-02T10:32 or 2026-03-02T10:32+07:00")
    if told.tzinfo is not None:
        return told
    return told.replace(tzinfo=zone) if zone is not None else told.astimezone()


def _minutes(text: str) -> timedelta:
    try:
        minutes = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError("minutes, as a number") from None
    if not 0 < minutes <= 24 * 60:
        raise argparse.ArgumentTypeError("more than 0 minutes, 1440 at most")
    return timedelta(minutes=minutes)


def _subject(text: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{32}", text, re.ASCII):
        raise argparse.ArgumentTypeError("a pseudonym is 32 hex digits; an identifier goes to --id")
    return text.lower()
