"""`gate-scanner events`: what the journal holds, and whether it is whole. Reads while the daemon runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from device.journal.reader import JournalReader, Verification
from device.journal.record import parse
from device.logs import printable
from device.model import EventType, StoredEvent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from device.journal.record import Data

# After a long tear every event would be a place of its own.
MAX_BREAKS = 100


# Types whose fields alone do not tell what they are about.
_TITLES = {
    EventType.CARD: "card",
    EventType.CHECKPOINT: "signed",
    EventType.CHECKUP: "looked over",
    EventType.CLOCK: "clock set",
    EventType.COVERAGE: "coverage",
    EventType.RESCUED: "rescued",
    EventType.UNREAD: "not read",
}


def list_events(path: Path) -> Iterator[tuple[StoredEvent, str]]:
    """Every event in the journal at `path`, oldest first, read in short transactions.

    Each comes with why the broker refuses it; empty for those it does not.

    Raises:
        JournalError: there is no journal there, or it cannot be read on from here.
    """
    with JournalReader(path) as reader:
        refused = reader.cursors().refused
        for event in reader.events():
            yield event, refused.get(event.seq, "")


def verify(path: Path, *, key: str = "") -> Verification:
    """Whether the journal at `path` is whole; names at most `MAX_BREAKS` places where it is not.

    Args:
        path: of the journal.
        key: the gate's public key, 64 hex digits, that its checkpoints must be signed with; without it
            each is believed in the key it names.

    Raises:
        JournalError: there is no journal there.
    """
    with JournalReader(path) as reader:
        return reader.verify(MAX_BREAKS, key=key)


def as_json(event: StoredEvent, refused: str = "") -> str:
    """One line: {"journal","seq","type","data"}; `data` byte for byte as it is hashed, null if damaged.

    `refused`, where the broker refuses it, says why.
    """
    data = event.data.decode() if parse(event.data) is not None else "null"
    members = {"journal": event.journal, "seq": event.seq, "type": event.type}
    head = json.dumps(members | ({"refused": refused} if refused else {}))
    return f'{head[:-1]}, "data": {data}}}'


def as_text(event: StoredEvent, refused: str = "") -> str:
    """One line for people: number, time (with `?` while the clock was not synchronised), what happened."""
    if refused:
        return f"{as_text(event)}  (refused by the broker: {printable(refused)})"
    data = parse(event.data)
    if data is None:
        return f"{event.seq:>8}  damaged"
    clock = _object(data, "clock")
    when = f"{clock.get('wall', '')}{'' if clock.get('trusted') is True else '?'}"
    return printable(f"{event.seq:>8}  {when:<24}  {_told(event, data)}")


def summary(found: Verification) -> list[str]:
    """The result of `verify` in words, one line each."""
    if not found.events and found.whole:
        return [f"journal {found.journal}: no events"]
    span = f"journal {found.journal}: {found.events} events, {found.first_seq} to {found.last_seq}"
    if found.whole:
        signed = f"; signed by the gate up to {found.signed_through}" if found.signed_through else ""
        return [f"{span}: complete and unchanged{signed}"]
    more = len(found.breaks) >= MAX_BREAKS
    places = f"{'at least ' if more else ''}{len(found.breaks)} place{'s' if len(found.breaks) > 1 else ''}"
    return [f"{span}: BROKEN in {places}", *(f"  {printable(b.detail)}" for b in found.breaks)]


def _told(event: StoredEvent, data: Data) -> str:
    if event.type == EventType.RESCUED:
        journal, number, record = data.get("journal"), data.get("number"), str(data.get("record"))
        inner = StoredEvent(str(journal), event.seq, str(data.get("kind")), record.encode())
        return f"rescued {journal}-{number}: {as_text(inner)[8:].strip()}"
    about = _object(data, "credential")
    told = [
        data.get(name) for name in ("what", "why", "occasion", "kind", "outcome", "reason", "cause", "detail")
    ]
    for level in ("failed", "warned"):
        words = data.get(level)
        if isinstance(words, list) and words:
            told.append(f"{level}: {', '.join(map(str, words))}")
    title = _TITLES.get(EventType(event.type)) if event.type in set(EventType) else None
    return (
        "  ".join(str(w) for w in (title, *told, about.get("kind"), about.get("subject")) if w) or event.type
    )


def _object(data: Data, name: str) -> Data:
    value = data.get(name)
    return value if isinstance(value, dict) else {}
