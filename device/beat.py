"""The last sign of life, in a small file: after a power cut it tells until when the gate was there.

Written often and never flushed: the file system writes it back within a minute at most, and a beat that is
a little old only makes the hole between two runs a little longer than it was.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from device.model import ClockReading

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES = 1024
"""A reading takes 150."""


def write_beat(path: Path, reading: ClockReading) -> None:
    """Replaces the file. Failing is harmless and not told: the journal tells of a broken card."""
    fresh = path.with_name(f"{path.name}.new")
    with contextlib.suppress(OSError):
        fresh.write_text(json.dumps(asdict(reading)), encoding="ascii")
        fresh.replace(path)


def read_beat(path: Path) -> ClockReading | None:
    """The last beat; None when there is none, or when it is no beat. Raises nothing."""
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(MAX_BYTES))
        reading = ClockReading(found["wall"], found["trusted"], found["boot"], found["uptime_ms"])
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
    types = (reading.wall, str), (reading.trusted, bool), (reading.boot, str), (reading.uptime_ms, int)
    return reading if all(type(value) is kind for value, kind in types) else None
