"""`gate-scanner notice`: the page that is put up at a gate."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from device.commands.arguments import takes_config
from device.errors import ExitCode

if TYPE_CHECKING:
    import argparse


def add_notice(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the command line."""
    notice = commands.add_parser(
        "notice",
        help="the public notice: what is kept of people, why, how long, who gets it",
        description="Prints what the configuration makes the gate do with personal data, in Vietnamese and "
        "English: as text, or as an A4 page to print and put up at the gate.",
        epilog="Example: gate-scanner notice --format html > notice.html",
    )
    takes_config(notice)
    notice.add_argument(
        "--language", choices=("vi", "en", "both"), default="both", help="default: both, Vietnamese first"
    )
    notice.add_argument(
        "--format", choices=("text", "html"), default="text", help="html is one A4 page; default: text"
    )
    notice.set_defaults(command=_notice)


def _notice(args: argparse.Namespace) -> int:
    from zoneinfo import ZoneInfo

    from device.config.loader import load
    from device.runtime import SystemClock
    from device.service.notice import english, vietnamese
    from device.service.notice.pages import as_page, as_text, gaps
    from device.service.notice.practice import practice_of

    settings = load(args.config, check_files=False)
    practice = practice_of(settings)
    day = SystemClock().utc().astimezone(ZoneInfo(settings.gate.timezone)).date()
    notices = []
    if args.language != "en":
        notices.append(vietnamese.notice(practice, made_on=f"{day:%d/%m/%Y}"))
    if args.language != "vi":
        notices.append(english.notice(practice, made_on=f"{day.day} {day:%B %Y}"))
    print(as_page(notices) if args.format == "html" else as_text(notices), end="")
    if gaps(notices):
        missing = [n for n in ("controller", "contact") if not getattr(settings.privacy, n)]
        if practice.purpose and not practice.purpose_english and args.language != "vi":
            missing.append("purpose_english")
        names = ", ".join(f"privacy.{name}" for name in missing)
        print(f"not ready to be put up: {names} of {args.config} still to be told", file=sys.stderr)
    return ExitCode.OK
