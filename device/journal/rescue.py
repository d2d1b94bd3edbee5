"""Carries the undelivered events of damaged files over into the journal, a batch at a time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from device.journal.record import as_data, event_type, parse
from device.journal.salvage import Salvaged, salvage
from device.journal.writer import Draft
from device.model import EventType, RescuedEvent, StoredEvent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from device.model import ClockReading
    from device.runtime import Clock

# One commit: a scan meanwhile waits no longer than for two events.
BATCH_EVENTS: Final = 32

_JOURNAL: Final = re.compile(r"[a-z0-9]{1,32}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Batch:
    """Events to be appended together.

    Attributes:
        name: of the damaged file.
        drafts: of rescued events; empty while the search goes on, and at the end.
        through: the highest number among them in the damaged journal; None when the file has no more.
    """

    name: str
    drafts: tuple[Draft, ...]
    through: int | None


def batches(folder: Path, name: str, journal: str, *, after_seq: int, clock: Clock) -> Iterator[Batch]:
    """All that can still be found in a damaged file above `after_seq`.

    Raises:
        OSError: the file cannot be opened.
    """
    found: list[Salvaged] = []
    for event in salvage(folder / name, after_seq=after_seq):
        if event is None:
            yield Batch(name, (), after_seq)
            continue
        found.append(event)
        if len(found) == BATCH_EVENTS:
            yield _batch(name, found, journal, clock.reading())
            found = []
    if found:
        yield _batch(name, found, journal, clock.reading())
    yield Batch(name, (), None)


def _batch(name: str, found: list[Salvaged], journal: str, reading: ClockReading) -> Batch:
    return Batch(name, tuple(_draft(event, journal, reading) for event in found), found[-1].seq)


def _draft(found: Salvaged, journal: str, reading: ClockReading) -> Draft:
    """An event that was rescued before is carried on as it is: it counts under its first number."""
    data = parse(found.data)
    if found.type == EventType.RESCUED and data is not None:
        kept = {name: value for name, value in data.items() if name not in {"seq", "prev"}}
        return Draft(EventType.RESCUED.value, kept)
    event = RescuedEvent(
        journal=journal,
        number=found.seq,
        kind=found.type,
        record=found.data.decode(),
        proved=found.proved,
        clock=reading,
    )
    return Draft(event_type(event).value, as_data(event))


def unpacked(carrier: StoredEvent) -> StoredEvent | None:
    """The event inside a rescued one, under its own journal and number; None where there is none."""
    if carrier.type != EventType.RESCUED:
        return None
    data = parse(carrier.data) or {}
    match data.get("journal"), data.get("number"), data.get("kind"), data.get("record"):
        case str(journal), int(number), str(kind), str(record) if _JOURNAL.fullmatch(journal) and number > 0:
            return StoredEvent(journal, number, kind, record.encode())
        case _:
            return None
