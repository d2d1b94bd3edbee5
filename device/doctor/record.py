"""The journal: is it whole, does anything wait, who writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from device.doctor.finding import Finding, failed, ok, skipped, warned
from device.errors import JournalError
from device.journal.damage import kept_aside
from device.journal.reader import JournalReader

if TYPE_CHECKING:
    from pathlib import Path

# Further places tell a technician nothing new.
_BREAKS = 3


def completeness(path: Path) -> Finding:
    """Whether every event is there and unchanged. Blocks for a second per 50,000 events."""
    check = "journal"
    if not path.exists():
        return skipped(check, f"{path} is not there yet: the first start makes it")
    try:
        with JournalReader(path) as reader:
            found = reader.verify(_BREAKS)
    except JournalError as error:
        return failed(check, str(error), "the next start keeps it under another name and begins a new one")
    if not found.whole:
        told = "; ".join(b.detail for b in found.breaks)
        return failed(
            check, told, "`gate-scanner events --verify` tells more; keep the file for the district"
        )
    if not found.events:
        return ok(check, "no events yet")
    return ok(check, f"{found.events} events, complete and unchanged")


def quarantined(path: Path) -> Finding:
    """Whether damaged journals of earlier days lie beside it."""
    check = "damaged_journals"
    try:
        kept = [file.name for file in kept_aside(path)]
    except OSError:
        kept = []
    if kept:
        return warned(
            check, f"{len(kept)} damaged before and kept: {', '.join(kept)}", "the card may be dying"
        )
    return ok(check, "none was ever damaged")
