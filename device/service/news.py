"""What a consumer has to tell: an event that came, a hole, a break, a gate that went away."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from device.logs import printable
from device.service import events

if TYPE_CHECKING:
    from device.model import StoredEvent
    from device.service.numbers import Span
    from device.uplink.state import Status


@dataclass(frozen=True, slots=True)
class Arrived:
    """An event that was not here before.

    Attributes:
        gate: path of the gate.
        event: as it stands in the gate's journal.
        rescued: whether it came out of a damaged journal, carried by an event of another one.
    """

    gate: str
    event: StoredEvent
    rescued: bool = False


@dataclass(frozen=True, slots=True)
class GapOpened:
    """Events are missing before one that is here."""

    gate: str
    journal: str
    span: Span


@dataclass(frozen=True, slots=True)
class GapsClosed:
    """Nothing is missing any more, up to `through`."""

    gate: str
    journal: str
    through: int


@dataclass(frozen=True, slots=True)
class Gone:
    """Missing events that the gate does not have any more either."""

    gate: str
    journal: str
    span: Span


@dataclass(frozen=True, slots=True)
class Refused:
    """Missing events that the broker refuses. The gate keeps them and offers them again.

    Attributes:
        gate: path of the gate.
        journal: id of its journal.
        span: their numbers.
        why: the broker's reason, as the gate has it.
    """

    gate: str
    journal: str
    span: Span
    why: str


@dataclass(frozen=True, slots=True)
class Broken:
    """An event that does not fit the chain, or that came twice in two forms."""

    gate: str
    journal: str
    seq: int
    detail: str


@dataclass(frozen=True, slots=True)
class Presence:
    """A gate came or went."""

    gate: str
    status: Status
    since: str


OfNumbers: TypeAlias = GapOpened | GapsClosed | Gone | Refused
News: TypeAlias = Arrived | OfNumbers | Broken | Presence


def as_text(news: News) -> str:
    """One line for people, the gate first."""
    return printable(f"{short(news.gate)}  {_told(news)}")


def as_json(news: News) -> str:
    """One JSON object; of an event, `data` is the journalled text, byte for byte."""
    match news:
        case Arrived(gate, event, rescued):
            head = json.dumps({"what": "event", "gate": gate, "rescued": rescued})
            return f"{head[:-1]}, {events.as_json(event)[1:]}"
        case Broken(gate, journal, seq, detail):
            return _object("broken", gate, journal=journal, seq=seq, detail=detail)
        case Presence(gate, status, since):
            return _object("state", gate, status=status.value, since=since)
        case _:
            return _numbers_as_json(news)


def _numbers_as_json(news: OfNumbers) -> str:
    gate, journal = news.gate, news.journal
    match news:
        case GapOpened(span=span):
            return _object("gap", gate, journal=journal, first=span.first, last=span.last)
        case GapsClosed(through=through):
            return _object("complete", gate, journal=journal, through=through)
        case Gone(span=span):
            return _object("gone", gate, journal=journal, first=span.first, last=span.last)
        case Refused(span=span, why=why):
            return _object("refused", gate, journal=journal, first=span.first, last=span.last, why=why)


def short(gate: str) -> str:
    """`tenant/site/gate`: what is the same for every gate is left out."""
    return gate.removeprefix("gate/v1/")


def _told(news: News) -> str:
    match news:
        case Arrived(_, event, rescued):
            return events.as_text(event) + (f"  (rescued, {event.journal})" if rescued else "")
        case Broken(_, journal, _, detail):
            return f"-- BROKEN, journal {journal}: {detail}"
        case Presence(_, status, since):
            return f"-- {status.value} since {since}"
        case _:
            return f"-- {_told_of_numbers(news)}, journal {news.journal}"


def _told_of_numbers(news: OfNumbers) -> str:
    match news:
        case GapOpened(span=span):
            return f"missing: {span}"
        case GapsClosed(through=through):
            return f"complete up to {through}"
        case Gone(span=span):
            return f"gone for good, not kept by the gate any more: {span}"
        case Refused(span=span, why=why):
            return f"refused by the broker, {why}: {span}"


def _object(what: str, gate: str, **members: str | int) -> str:
    return json.dumps({"what": what, "gate": gate, **members})
