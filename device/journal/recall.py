"""The newest scans in the journal, for what must be known again after a start.

Read newest first in short transactions until there are enough, they are too old, or time is up: a start
waits for a fraction of a second at most, however long the journal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from device.journal.reader import JournalReader
from device.journal.record import parse
from device.model import (
    ClockReading,
    CredentialRef,
    Direction,
    EventType,
    Outcome,
    Reason,
    ScanEvent,
    Standing,
)

if TYPE_CHECKING:
    from pathlib import Path

    from device.journal.record import Data
    from device.model import StoredEvent
    from device.runtime import Clock

BUDGET_S: Final = 0.3
"""A person at the gate does not notice it in a start of some seconds."""

# Some 20 ms on a Raspberry Pi: the budget is kept to well within a tenth of a second.
_PAGE_ROWS: Final = 500


def newest_scans(path: Path, *, limit: int, clock: Clock, budget_s: float = BUDGET_S) -> list[ScanEvent]:
    """Up to `limit` scans, oldest first. Blocks for `budget_s` and one page at most.

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
        while below > 1 and len(newest_first) < limit and clock.monotonic() < ends:
            first = max(1, below - _PAGE_ROWS)
            page = reader.page(first, limit=below - first)
            found = [scan for event in page.events if (scan := as_scan(event)) is not None]
            newest_first.extend(reversed(found))
            if page.pruned.seq >= first:
                break
            below = first
    return newest_first[:limit][::-1]


def as_scan(event: StoredEvent) -> ScanEvent | None:
    """The scan that was stored; None for other events, damaged ones, and words of a later version."""
    data = parse(event.data) if event.type == EventType.SCAN else None
    if data is None:
        return None
    try:
        return _scan(data)
    except (KeyError, TypeError, ValueError):
        return None


def _scan(data: Data) -> ScanEvent:
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
