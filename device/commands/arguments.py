"""Values that several commands take, from text."""

from __future__ import annotations

import argparse
from zoneinfo import ZoneInfo


def time_zone(text: str) -> ZoneInfo:
    """A time zone by its name.

    Raises:
        ArgumentTypeError: there is none of this name.
    """
    try:
        return ZoneInfo(text)
    except (ValueError, OSError, KeyError):
        raise argparse.ArgumentTypeError("a time zone like Asia/Ho_Chi_Minh") from None
