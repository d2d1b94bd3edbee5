"""What a store knows without reading its file: gates, their journals, which numbers are here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from device.service.numbers import Numbers, Span
    from device.uplink.state import Status


@dataclass(slots=True)
class JournalKept:
    """One journal, in memory; `holes` are those before the present commit."""

    id: int
    gate: str
    name: str
    numbers: Numbers
    holes: tuple[Span, ...] = ()


@dataclass(slots=True)
class GateKept:
    """One gate, in memory."""

    path: str
    status: Status | None = None
    journal: str = ""
    journals: dict[str, JournalKept] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Counts:
    """What is in the file of one journal.

    Attributes:
        stored: events.
        broken: what is wrong with them.
        gone: numbers that will not come any more.
        refused: numbers that the broker refuses, so far.
    """

    stored: int
    broken: int
    gone: int
    refused: int


@dataclass(frozen=True, slots=True)
class Book:
    """How complete one journal is.

    Attributes:
        gate: path of the gate.
        journal: its id.
        current: whether the gate writes it now.
        status: what the gate has last said, or its last will; None: nothing yet.
        numbers: what is here. Only to be read.
    """

    gate: str
    journal: str
    current: bool
    status: Status | None
    numbers: Numbers
