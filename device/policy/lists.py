"""The lists of a gate: who is refused, who alone may pass, who is expected when; and how old each is."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from device.model import ListInForce
from device.policy.subjects import Roster, Subjects

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class ListKind(StrEnum):
    """What being on a list means."""

    DENY = "deny"  # refused, whatever else holds
    ALLOW = "allow"  # may pass; whoever is on neither this nor the roster may not
    ROSTER = "roster"  # may pass within windows of time


CONTENTS: Mapping[ListKind, type[Subjects | Roster]] = {
    ListKind.DENY: Subjects,
    ListKind.ALLOW: Subjects,
    ListKind.ROSTER: Roster,
}
"""What is on a list of each kind."""


@dataclass(frozen=True, slots=True)
class Issue:
    """Which edition of a list is in force.

    Attributes:
        name: `deny`, `allow`, `roster` or `trust`.
        version: as the district numbers it; None for a file without.
        issued_at: when it was made; of a file without a date, when it was written.
    """

    name: str
    version: int | None
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class Lists:
    """The lists in force.

    Attributes:
        deny: who is refused whatever else holds.
        allow: who may pass; None when no such list is configured.
        roster: who may pass, and when; None when none is configured. Where neither it nor `allow` is
            configured everybody may, else only who is on either.
        issues: which editions these are.
    """

    deny: Subjects = field(default_factory=Subjects)
    allow: Subjects | None = None
    roster: Roster | None = None
    issues: tuple[Issue, ...] = ()

    def admit(self, known_as: tuple[str, ...]) -> bool:
        """Whether nobody has to be on a list, or somebody known by these names is on one."""
        having = tuple(one for one in (self.allow, self.roster) if one is not None)
        return not having or any(one.any_of(known_as) for one in having)

    def goes_by_time(self, known_as: tuple[str, ...]) -> bool:
        """Whether somebody who is admitted is so at times only."""
        if self.roster is None or (self.allow is not None and self.allow.any_of(known_as)):
            return False
        return self.roster.any_of(known_as)

    def expect(self, known_as: tuple[str, ...], utc: datetime) -> bool:
        """Whether somebody who is admitted may pass at this moment."""
        return self.roster is None or not self.goes_by_time(known_as) or self.roster.expects(known_as, utc)

    def in_force(self, utc: datetime, *, trusted: bool) -> tuple[ListInForce, ...] | None:
        """Name, version and age of each at a moment; None when there are none."""
        found = tuple(
            ListInForce(
                one.name,
                one.version,
                max(0, int((utc - one.issued_at).total_seconds())) if trusted else None,
            )
            for one in self.issues
        )
        return found or None
