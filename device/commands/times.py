"""Days and times as commands take them."""

from __future__ import annotations

import argparse
from datetime import date, datetime, time, timedelta


def begin(text: str) -> datetime:
    """A moment, or the beginning of a day; local time where no offset is given."""
    return _time(text, day_after=False)


def end(text: str) -> datetime:
    """A moment, or the end of a day."""
    return _time(text, day_after=True)


def _time(text: str, *, day_after: bool) -> datetime:
    try:
        try:
            day = date.fromisoformat(text)
        except ValueError:
            return datetime.fromisoformat(text).astimezone()
        return datetime.combine(day + timedelta(days=int(day_after)), time()).astimezone()
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError("a day like 2026-12-31, or a time like 2026-12-31T18:00") from None
