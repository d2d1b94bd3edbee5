"""How much of a day's data is left, for gates on a mobile contract.

Counted is what we publish: payload, topic and properties, and for each message a fixed share for headers and
its receipt. Not counted: connecting (6 KB with TLS) and keepalives (0.2 KB each).

One rule: up to four fifths of the budget everything goes at once. From there on events wait and go together
every quarter of an hour, compressed: a seventh of the bytes. When it is spent they wait for the next day.
What a gate says about itself goes in any case, and nothing is ever lost: the journal keeps it.

A day is the gate's own. While the clock is not trusted, nobody knows which day it is: what is counted then
goes on counting until a day of uptime has passed, or the clock is set.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from device.durable import write_over

if TYPE_CHECKING:
    from datetime import tzinfo
    from pathlib import Path

    from device.runtime import Clock
    from device.uplink.wire import Message

log = logging.getLogger(__name__)

# Header, property lengths and the receipt (MQTT), a record each way (TLS), a packet each way (IP and TCP).
MESSAGE_BYTES = 10 + 6 + 2 * 29 + 2 * 40
# From this share on events go together.
_SPARING_FROM = 0.8
# With a receipt and a header for each batch, 10 events an hour still cost a third of what they do alone.
TOGETHER_EVERY_S = 900.0
_DAY_S = 86_400.0
# What a kill may forget is what a minute sends; the card has one flush a minute of it at most.
_WRITE_EVERY_S = 60.0
_FILE_MAX_BYTES = 512
_FILE_MODE = 0o640


class Pace(StrEnum):
    """What the daily budget allows."""

    FREE = "free"  # everything at once
    SPARING = "sparing"  # events wait and go together
    SPENT = "spent"  # events wait for tomorrow


@dataclass(frozen=True, slots=True)
class Spent:
    """What was sent in a day.

    Attributes:
        day: the gate's own, `2026-03-02`; empty while nobody knows.
        boot: in which `since_s` counts.
        since_s: uptime when counting began.
        sent_bytes: since then.
    """

    day: str
    boot: str
    since_s: float
    sent_bytes: int


def carried_on(spent: Spent, *, today: str, boot: str, uptime_s: float) -> Spent:
    """The count as it stands now. Pure; where in doubt, what was sent still counts.

    Args:
        spent: as of before.
        today: the gate's day; empty while its clock is not trusted.
        boot: the kernel's boot id.
        uptime_s: seconds since boot.
    """
    if today and spent.day and today != spent.day:
        return Spent(today, boot, uptime_s, 0)
    if boot != spent.boot:
        spent = replace(spent, boot=boot, since_s=uptime_s)
    if not today and uptime_s - spent.since_s >= _DAY_S:
        return Spent("", boot, uptime_s, 0)
    return replace(spent, day=today or spent.day)


class Budget:
    """Counts, and says what is allowed. Used from the forwarder's thread; `pace` and `sent_bytes` from any.

    Args:
        daily_bytes: None for no bound.
        clock: for the day.
        timezone: of the gate.
        path: where the count survives a restart.
    """

    def __init__(self, *, daily_bytes: int | None, clock: Clock, timezone: tzinfo, path: Path) -> None:
        self._daily_bytes = daily_bytes
        self._clock = clock
        self._timezone = timezone
        self._path = path
        self._boot = clock.reading().boot
        self._written_at = clock.monotonic()
        self._spent = self._now(_read(path) or Spent("", self._boot, clock.monotonic(), 0))
        self._written = self._spent

    @property
    def limited(self) -> bool:
        """Whether there is a budget at all."""
        return self._daily_bytes is not None

    @property
    def sent_bytes(self) -> int:
        """Since the day began."""
        return self._spent.sent_bytes

    @property
    def pace(self) -> Pace:
        """What was allowed when it was last looked at."""
        if self._daily_bytes is None or self._spent.sent_bytes < self._daily_bytes * _SPARING_FROM:
            return Pace.FREE
        return Pace.SPARING if self._spent.sent_bytes < self._daily_bytes else Pace.SPENT

    def spend(self, message: Message) -> None:
        """A message goes out."""
        if self._daily_bytes is not None:
            self._spent = replace(self._spent, sent_bytes=self._spent.sent_bytes + cost_bytes(message))

    def look(self) -> Pace:
        """Looks whether a day has ended; what is allowed now. Writes the count once a minute."""
        if self._daily_bytes is None:
            return Pace.FREE
        before = self.pace
        self._spent = self._now(self._spent)
        if self.pace is not before:
            log.info("daily data budget: %s", self.pace.value)
        if self._spent != self._written and self._clock.monotonic() - self._written_at >= _WRITE_EVERY_S:
            self.save()
        return self.pace

    def save(self) -> None:
        """Writes the count. Blocks for a flush. A card that refuses is told of by the journal."""
        self._written_at = self._clock.monotonic()
        if self._daily_bytes is None or self._spent == self._written:
            return
        try:
            write_over(self._path, json.dumps(asdict(self._spent)).encode(), mode=_FILE_MODE)
            self._written = self._spent
        except OSError as error:
            log.debug("the count of today's data is not written: %s", error.strerror)

    def _now(self, spent: Spent) -> Spent:
        clock = self._clock
        today = clock.utc().astimezone(self._timezone).date().isoformat() if clock.trusted() else ""
        return carried_on(spent, today=today, boot=self._boot, uptime_s=clock.monotonic())


def cost_bytes(message: Message) -> int:
    """What a message costs on the wire, within a few bytes, its receipt included."""
    properties = len(message.content_type) + sum(len(k) + len(v) + 5 for k, v in message.user)
    return len(message.payload) + len(message.topic) + properties + len(message.correlation) + MESSAGE_BYTES


def _read(path: Path) -> Spent | None:
    try:
        with path.open("rb") as file:
            match json.loads(file.read(_FILE_MAX_BYTES)):
                case {
                    "day": str(day),
                    "boot": str(boot),
                    "since_s": float(since_s),
                    "sent_bytes": int(sent_bytes),
                } if sent_bytes >= 0:
                    return Spent(day, boot, since_s, sent_bytes)
    except (OSError, ValueError, RecursionError):
        pass
    return None
