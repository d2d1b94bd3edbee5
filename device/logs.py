"""Log lines: for journald, for a terminal, or one JSON object a line for a program.

Nothing a code carries is ever logged. What is logged all the same goes through `printable`, so that
no byte from outside can move a cursor or start a line of its own.
"""

from __future__ import annotations

import json
import logging
import sys
from typing import TYPE_CHECKING, Literal, TextIO

from device.runtime import rfc3339

if TYPE_CHECKING:
    from device.runtime import Clock

Style = Literal["journal", "plain", "json"]

# sd-daemon(3): journald reads the priority from the head of the line.
_PRIORITY = {"CRITICAL": 2, "ERROR": 3, "WARNING": 4, "INFO": 6, "DEBUG": 7}


def printable(text: str) -> str:
    """The text with every control, bidirectional or otherwise unprintable character escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


class _Formatter(logging.Formatter):
    def __init__(self, style: Style, clock: Clock) -> None:
        super().__init__()
        self._shape = style
        self._clock = clock

    def format(self, record: logging.LogRecord) -> str:
        room = record.name.removeprefix("device.")
        text = record.getMessage()
        if record.exc_info:
            text = f"{text}\n{self.formatException(record.exc_info)}"
        lines = [printable(line) for line in text.split("\n")]
        if self._shape == "json":
            fields = {"level": record.levelname.lower(), "room": room, "message": "\n".join(lines)}
            extra = getattr(record, "fields", {})
            return json.dumps({"time": rfc3339(self._clock.utc()), **fields, **extra}, ensure_ascii=False)
        if self._shape == "journal":
            head = f"<{_PRIORITY.get(record.levelname, 6)}>{room}"
        else:
            stamp = self._clock.utc().astimezone().strftime("%H:%M:%S")
            head = f"{stamp} {record.levelname.lower():8} {room}"
        return "\n".join(f"{head}: {line}" for line in lines)


def set_level(level: str) -> None:
    """How much is logged from here on. Safe while other threads log."""
    logging.getLogger().setLevel(level.upper())


def set_up(style: Style, level: str, clock: Clock, stream: TextIO | None = None) -> None:
    """Sends the process's log to `stream` (standard error). Called once, by commands that log."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_Formatter(style, clock))
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
