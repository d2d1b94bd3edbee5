"""What links the events, and where a link is broken.

Event *n* carries `prev`, the SHA-256 (lowercase hex) over the canonical `data` of event *n - 1*. The
first event's `prev` is the SHA-256 over the journal's id in ASCII, so that no event of one journal can
stand at the head of another. A change to any event, or a missing one, shows at the next.

The chain proves that what is there is complete and unchanged from its beginning up to its newest
event. It cannot show that events were cut off at the end: that is what the receiving end and signed
checkpoints are for.

Pure.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from device.journal.record import fits_type, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from device.model import StoredEvent


@dataclass(frozen=True, slots=True)
class Link:
    """An event as the next one sees it.

    Attributes:
        seq: its number; 0 stands before the first event.
        digest: what the next event's `prev` must be.
    """

    seq: int
    digest: str


class BreakKind(StrEnum):
    """How a sequence of events fails its check."""

    GAP = "gap"  # events are missing before this one
    CHAIN = "chain"  # `prev` is not the hash of the event before
    NOT_CANONICAL = "not_canonical"  # the data are not RFC 8785 canonical JSON
    WRONG_SEQ = "wrong_seq"  # the data carry another number than the row
    WRONG_TYPE = "wrong_type"  # the data do not have the fields of the event's type
    SIGNATURE = "signature"  # a checkpoint's signature does not hold
    UNREADABLE = "unreadable"  # the file is damaged from here on


@dataclass(frozen=True, slots=True)
class Break:
    """One place where a journal is not whole.

    Attributes:
        kind: see `BreakKind`.
        seq: the event at which it shows.
        detail: one sentence for people.
    """

    kind: BreakKind
    seq: int
    detail: str


def genesis(journal: str) -> Link:
    """The link before the first event of a journal."""
    return Link(0, hashlib.sha256(journal.encode("ascii")).hexdigest())


def link(seq: int, data: bytes) -> Link:
    """The link that an event with these data forms."""
    return Link(seq, hashlib.sha256(data).hexdigest())


def verify(events: Iterable[StoredEvent], *, after: Link | None = None) -> Iterator[Break]:
    """Every break in a sequence of one journal's events, oldest first. Total; lazy.

    Args:
        events: in the order of `seq`.
        after: the link the first event must hold on to. Without it the chain's beginning is asked for
            where the first event is number 1; otherwise the first event is taken as it is.
    """
    before = after
    for event in events:
        if before is None and event.seq == 1:
            before = genesis(event.journal)
        yield from _check(event, before)
        before = link(event.seq, event.data)


def _check(event: StoredEvent, before: Link | None) -> Iterator[Break]:
    seq = event.seq
    in_order = before is None or seq == before.seq + 1
    if before is not None and not in_order:
        yield Break(BreakKind.GAP, seq, _gap(before.seq, seq))
    data = parse(event.data)
    if data is None:
        yield Break(BreakKind.NOT_CANONICAL, seq, f"event {seq}: its data are not canonical JSON")
        return
    if data.get("seq") != seq:
        yield Break(BreakKind.WRONG_SEQ, seq, f"event {seq}: its data carry another number")
    if not fits_type(event.type, data):
        yield Break(BreakKind.WRONG_TYPE, seq, f"event {seq}: its data do not fit its type")
    if before is not None and in_order and data.get("prev") != before.digest:
        text = f"event {seq}: does not hold on to event {seq - 1}; one of the two was changed"
        if before.seq == 0:
            text = f"event {seq}: is not the first event of this journal"
        yield Break(BreakKind.CHAIN, seq, text)


def _gap(last: int, seq: int) -> str:
    if seq <= last:
        return f"event {seq}: comes after event {last}"
    if seq == last + 2:
        return f"event {last + 1} is missing"
    return f"events {last + 1} to {seq - 1} are missing"
