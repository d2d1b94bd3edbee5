"""What several commands take, and how it is read from text."""

from __future__ import annotations

import argparse
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

DEFAULT_CONFIG = Path("/etc/gate-scanner/gate.yaml")
"""Where the daemon's unit looks."""


def takes_config(command: argparse.ArgumentParser | argparse._ActionsContainer) -> None:
    """Adds `--config`, the gate's configuration."""
    command.add_argument(
        "--config", type=Path, default=DEFAULT_CONFIG, metavar="FILE", help=f"default: {DEFAULT_CONFIG}"
    )


def time_zone(text: str) -> ZoneInfo:
    """A time zone by its name.

    Raises:
        ArgumentTypeError: there is none of this name.
    """
    try:
        return ZoneInfo(text)
    except (ValueError, OSError, KeyError):
        raise argparse.ArgumentTypeError("a time zone like Asia/Ho_Chi_Minh") from None


def moment(text: str) -> datetime:
    """A moment; local time where no offset is given.

    Raises:
        ArgumentTypeError: it is none.
    """
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError("a time like 2026-03-02T08:00:00+07:00") from None


def begin(text: str) -> datetime:
    """A moment, or the beginning of a day. Raises ArgumentTypeError."""
    return _day_or_moment(text, day_after=False)


def end(text: str) -> datetime:
    """A moment, or the end of a day. Raises ArgumentTypeError."""
    return _day_or_moment(text, day_after=True)


def _day_or_moment(text: str, *, day_after: bool) -> datetime:
    try:
        try:
            day = date.fromisoformat(text)
        except ValueError:
            return datetime.fromisoformat(text).astimezone()
        return datetime.combine(day + timedelta(days=int(day_after)), time()).astimezone()
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError("a day like 2026-12-31, or a time like 2026-12-31T18:00") from None
