"""The rules of a gate, as plain frozen values."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from device.credential.trust import NOBODY
from device.model import Direction

if TYPE_CHECKING:
    from datetime import datetime, time

    from device.policy.lists import Lists

FINGERPRINT_DIGITS = 16
"""64 bits name the handful of rule sets a gate sees in its life beyond doubt, and fit an event."""


class UntrustedClock(StrEnum):
    """What becomes of checks that need the time while the clock is not trusted."""

    ACCEPT = "accept"  # they are left out and the verdict says so
    REFUSE = "refuse"  # they fail


class PassbackMode(StrEnum):
    """What becomes of a person who passes in the same direction twice."""

    OFF = "off"
    SOFT = "soft"  # granted, and the event says so
    HARD = "hard"  # denied


@dataclass(frozen=True, slots=True)
class Hours:
    """A daily opening time.

    Attributes:
        days: on which it begins; 0 is Monday.
        opens: inclusive, local time of the gate.
        closes: exclusive. Not later than `opens` means on the next day: 22:00 to 06:00 is one night
            that belongs to the day it begins on, 00:00 to 00:00 the whole day.
        first_day: the earliest day it begins on; None for no earliest.
        last_day: the latest day it begins on; None for no latest.
    """

    days: frozenset[int]
    opens: time
    closes: time
    first_day: date | None = None
    last_day: date | None = None

    def include(self, local: datetime, closed_on: frozenset[date] = frozenset()) -> bool:
        """Whether the gate is open at this local time; on a day in `closed_on` nothing begins."""
        now, day = local.time(), local.date()
        today = self._begins_on(day, closed_on)
        if self.opens < self.closes:
            return today and self.opens <= now < self.closes
        if today and now >= self.opens:
            return True
        # Before the first day there is, no night began that could still go on.
        return now < self.closes and day > date.min and self._begins_on(day - timedelta(days=1), closed_on)

    def as_text(self) -> str:
        """Everything it says, in one form."""
        days = "".join(map(str, sorted(self.days)))
        return f"{days} {self.opens} {self.closes} {self.first_day} {self.last_day}"

    def _begins_on(self, day: date, closed_on: frozenset[date]) -> bool:
        in_force = (self.first_day or date.min) <= day <= (self.last_day or date.max)
        return in_force and day.weekday() in self.days and day not in closed_on


@dataclass(frozen=True, slots=True)
class Rules:
    """What a gate accepts, when, and how it treats a code shown again.

    Attributes:
        accept: kinds of credential, the registry's words.
        hours: open while any of them includes the moment; none means always.
        closed_on: days on which the gate does not open.
        timezone: in which hours are meant.
        repeat_s: the same code within this long after it was granted is `already_shown`; 0 never is.
        untrusted_clock: see `UntrustedClock`.
        audiences: the names this gate answers to when a pass says which gates it is for.
        suspended: nobody passes for now.
        direction: of the gate; anti-passback and capacity go by it.
        passback: see `PassbackMode`.
        forget_after_s: where a person is, is not known any more this long after they passed.
        capacity: persons inside at most; None for no limit.
    """

    accept: frozenset[str]
    hours: tuple[Hours, ...] = ()
    closed_on: frozenset[date] = frozenset()
    timezone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Ho_Chi_Minh"))
    repeat_s: float = 0.0
    untrusted_clock: UntrustedClock = UntrustedClock.ACCEPT
    audiences: frozenset[str] = frozenset()
    suspended: bool = False
    direction: Direction = Direction.BOTH
    passback: PassbackMode = PassbackMode.OFF
    forget_after_s: float = 43_200.0
    capacity: int | None = None

    def opened(self, utc: datetime) -> bool:
        """Whether the gate is open at this moment."""
        local = utc.astimezone(self.timezone)
        if not self.hours:
            return local.date() not in self.closed_on
        return any(hours.include(local, self.closed_on) for hours in self.hours)

    def fingerprint(self, lists: Lists, *, trust_digest: str = NOBODY.digest) -> str:
        """Names these rules, lists and trusted keys, the same on every gate that has the same ones."""
        content = {
            "accept": sorted(self.accept),
            "audiences": sorted(self.audiences),
            "allow": lists.allow.digest if lists.allow is not None else None,
            "deny": lists.deny.digest,
            "roster": lists.roster.digest if lists.roster is not None else None,
            "capacity": self.capacity,
            "forget_after_s": float(self.forget_after_s),
            "closed_on": sorted(day.isoformat() for day in self.closed_on),
            "hours": sorted(hours.as_text() for hours in self.hours),
            "passback": self.passback.value,
            "repeat_s": float(self.repeat_s),
            "suspended": self.suspended,
            "trust": trust_digest,
            "timezone": self.timezone.key,
            "untrusted_clock": self.untrusted_clock.value,
        }
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
        return hashlib.sha256(canonical).hexdigest()[:FINGERPRINT_DIGITS]
