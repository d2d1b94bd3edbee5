"""The newest scans in the journal, for what must be known again after a start.

Read newest first in short transactions until there are enough, they are too old, or time is up: a start
waits for a fraction of a second at most, however long the journal.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from device.journal.reader import JournalReader
from device.model import (
    ClockReading,
    CredentialRef,
    Direction,
    EventType,
    Outcome,
    Reason,
    ScanEvent,
    Standing,
    StoredEvent,
)

if TYPE_CHECKING:
    from pathlib import Path

    from device.journal.record import Data, Value
    from device.runtime import Clock

BUDGET_S: Final = 0.5
"""A person at the gate does not notice it in a start of some seconds; enough for some thousand scans."""

USED_BUDGET_S: Final = 5.0
"""Nobody waits for a start as for an answer, and a forgotten pass opens the gate once more: some 100,000
events on a Raspberry Pi's card, found by the database without reading them in Python."""

# As many as take the database some tenths of a second on a slow card.
_SEARCHED_ROWS: Final = 5_000

# Small enough that the budget is kept to within a tenth of a second on a slow machine.
_PAGE_ROWS: Final = 500


@dataclass(frozen=True, slots=True)
class Recalled:
    """What was read.

    Attributes:
        scans: oldest first.
        in_time: whether all that was wanted could be read within the budget.
    """

    scans: tuple[ScanEvent, ...]
    in_time: bool


def newest_scans(path: Path, *, limit: int, clock: Clock, budget_s: float = BUDGET_S) -> Recalled:
    """Up to `limit` scans. Blocks for `budget_s` and one page at most.

    What is damaged, or of a later version, is left out.

    Args:
        path: of the journal.
        limit: of scans.
        clock: for the budget.
        budget_s: after this long what was found is enough.

    Raises:
        JournalError: the journal cannot be read.
    """
    ends = clock.monotonic() + budget_s
    newest_first: list[ScanEvent] = []
    with JournalReader(path) as reader:
        below = reader.last_seq() + 1
        in_time = True
        while in_time and below > 1 and len(newest_first) < limit:
            first = max(1, below - _PAGE_ROWS)
            page = reader.page(first, limit=below - first)
            found = [scan for event in page.events if (scan := as_scan(event)) is not None]
            newest_first.extend(reversed(found))
            if page.pruned.seq >= first:
                break
            below = first
            in_time = below == 1 or clock.monotonic() < ends
    return Recalled(tuple(newest_first[:limit][::-1]), in_time)


def used_passes(path: Path, *, limit: int, clock: Clock, budget_s: float = USED_BUDGET_S) -> Recalled:
    """Grants of up to `limit` passes for one passage, from as far back as the journal goes.

    Also those that were carried over from a damaged journal. Blocks for `budget_s` and one part at most.

    Args:
        path: of the journal.
        limit: of grants.
        clock: for the budget.
        budget_s: after this long what was found is enough.

    Raises:
        JournalError: the journal cannot be read.
    """
    ends = clock.monotonic() + budget_s
    newest_first: list[ScanEvent] = []
    with JournalReader(path) as reader:
        last = reader.last_seq()
        in_time = True
        while in_time and last > 0 and len(newest_first) < limit:
            first = max(1, last - _SEARCHED_ROWS + 1)
            found = (_rescued(event) for event in reader.mentioning_between(first, last, "once"))
            grants = [
                scan for scan in found if scan and scan.credential.once and scan.outcome is Outcome.GRANTED
            ]
            newest_first.extend(reversed(grants))
            last = first - 1
            in_time = last == 0 or clock.monotonic() < ends
    return Recalled(tuple(newest_first[:limit][::-1]), in_time)


def _rescued(event: StoredEvent) -> ScanEvent | None:
    """The scan in an event, or in one that was carried over from a damaged journal."""
    if event.type != EventType.RESCUED:
        return as_scan(event)
    try:
        carried = json.loads(event.data)
        return as_scan(StoredEvent("", 0, _text(carried, "kind"), _text(carried, "record").encode()))
    except (KeyError, TypeError, ValueError, RecursionError):
        return None


def as_scan(event: StoredEvent) -> ScanEvent | None:
    """The scan that was stored; None for other events, damaged ones, and words of a later version."""
    if event.type != EventType.SCAN:
        return None
    try:
        # Not `record.parse`: that it is canonical mattered when it was hashed, and costs as much again.
        return _scan(json.loads(event.data))
    except (KeyError, TypeError, ValueError, RecursionError):
        return None


def _scan(data: Value) -> ScanEvent:
    if not isinstance(data, dict):
        raise TypeError
    return ScanEvent(
        direction=Direction(_text(data, "direction")),
        outcome=Outcome(_text(data, "outcome")),
        reason=Reason(_text(data, "reason")),
        credential=_credential(_object(data, "credential")),
        clock=_clock(_object(data, "clock")),
        rules=_text(data, "rules"),
        engine=_text(data, "engine"),
        latency_ms=_number(data, "latency_ms"),
    )


def _credential(data: Data) -> CredentialRef:
    return CredentialRef(
        kind=_text(data, "kind"),
        standing=Standing(_text(data, "standing")),
        subject=_text(data, "subject") if "subject" in data else None,
        issuer=_text(data, "issuer") if "issuer" in data else None,
        subject_key=_text(data, "subject_key") if "subject_key" in data else None,
        once=True if data.get("once") is True else None,
    )


def _clock(data: Data) -> ClockReading:
    return ClockReading(
        wall=_text(data, "wall"),
        trusted=data["trusted"] is True,
        boot=_text(data, "boot"),
        uptime_ms=_number(data, "uptime_ms"),
    )


def _text(data: Data, name: str) -> str:
    value = data[name]
    if not isinstance(value, str):
        raise TypeError(name)
    return value


def _number(data: Data, name: str) -> int:
    value = data[name]
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(name)
    return value


def _object(data: Data, name: str) -> Data:
    value = data[name]
    if not isinstance(value, dict):
        raise TypeError(name)
    return value
