"""`gate-scanner report`: a day at a gate in figures, on demand or by a timer."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from device.commands.arguments import takes_config, time_zone
from device.errors import ExitCode, GateError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from datetime import tzinfo

    from device.service.report.figures import Figures
    from device.service.trace.records import Records


def add_report(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the command line."""
    report = commands.add_parser(
        "report",
        help="a day at a gate in figures",
        description="Counts what the events tell of a day: codes answered and how, codes not read, who went "
        "through without a grant, how long the gate was scanning, blind or down. From the gate's own "
        "journal, or for all gates of a district's store.",
        epilog="Examples: gate-scanner report; gate-scanner report --day yesterday --store events.db "
        "--format csv --out reports",
    )
    report.add_argument(
        "--day", default="today", metavar="DAY", help="today (default), yesterday, or 2026-03-02"
    )
    report.add_argument(
        "--days", type=int, default=1, metavar="N", help="so many days from there (default 1)"
    )
    where = report.add_mutually_exclusive_group()
    takes_config(where)
    where.add_argument("--journal", type=Path, metavar="FILE", help="the journal itself")
    where.add_argument("--store", type=Path, metavar="FILE", help="a district's store, as watch writes it")
    report.add_argument("--gate", default="", metavar="SITE/GATE", help="with --store: this one only")
    report.add_argument("--timezone", type=time_zone, metavar="ZONE", help="of days and hours")
    report.add_argument("--format", choices=("text", "csv", "json"), default="text", help="default: text")
    report.add_argument("--language", choices=("vi", "en"), default="en", help="of the text (default: en)")
    report.add_argument(
        "--out", type=Path, metavar="DIR", help="into a file there, named by the day, instead of the terminal"
    )
    report.set_defaults(command=_report)


def _report(args: argparse.Namespace) -> int:
    from device.runtime import SystemClock
    from device.service.report.figures import figures
    from device.service.report.words import as_csv, as_json, as_text

    now = SystemClock().utc()
    with ExitStack() as parts:
        records, zone = _records(args, parts)
        begin, end = _span(args, zone, now)
        found: list[Figures] = [
            figures(record, begin=begin, end=end, zone=zone, now=now) for record in records
        ]
    match args.format:
        case "csv":
            text = as_csv(found)
        case "json":
            text = "".join(f"{json.dumps(as_json(one), ensure_ascii=False)}\n" for one in found)
        case _:
            text = "\n\n".join(as_text(one, zone, args.language) for one in found) + "\n"
    if args.out is None:
        sys.stdout.write(text)
    else:
        print(_written(args.out, f"report-{begin:%Y-%m-%d}", args.format, text))
    return ExitCode.OK


def _records(args: argparse.Namespace, parts: ExitStack) -> tuple[Iterator[Records], tzinfo | None]:
    from device.commands.records import of_own_journal
    from device.config.loader import load
    from device.service.trace.records import of_journal, of_store, of_stores_gates

    if args.store is not None:
        gates = of_stores_gates(args.store)
        chosen = (path for path in gates if not args.gate or f"/{path}".endswith(f"/{args.gate}"))
        found = [of_store(args.store, gate=path, parts=parts) for path in chosen]
        if not found:
            raise GateError(f"{args.store}: no gate of this name; it knows {len(gates)}")
        return iter(found), args.timezone
    if args.journal is not None:
        return iter([of_journal(args.journal, gate="", parts=parts)]), args.timezone
    settings = load(args.config, check_files=False)
    return iter([of_own_journal(settings, parts)]), args.timezone or ZoneInfo(settings.gate.timezone)


def _span(args: argparse.Namespace, zone: tzinfo | None, now: datetime) -> tuple[datetime, datetime]:
    today = now.astimezone(zone).date()
    match args.day:
        case "today":
            first = today
        case "yesterday":
            first = today - timedelta(days=1)
        case text:
            try:
                first = date.fromisoformat(text)
            except ValueError:
                raise GateError(f"--day {text}: today, yesterday, or a day like 2026-03-02") from None
    if first > today:
        raise GateError(f"--day {args.day} has not been yet")
    if not 1 <= args.days <= 366:  # noqa: PLR2004 - a year
        raise GateError(f"--days {args.days}: 1 to 366")
    return _midnight(first, zone), _midnight(first + timedelta(days=args.days), zone)


def _midnight(day: date, zone: tzinfo | None) -> datetime:
    plain = datetime.combine(day, time())
    return plain.replace(tzinfo=zone) if zone is not None else plain.astimezone()


def _written(folder: Path, name: str, kind: str, text: str) -> Path:
    from device.durable import write_over

    path = folder / f"{name}.{'txt' if kind == 'text' else kind}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_over(path, text.encode(), mode=0o640)
    except OSError as error:
        raise GateError(f"{path}: {error.strerror}") from error
    return path
