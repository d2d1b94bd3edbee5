"""Where the events of one gate are: its own journal, or the district's store. Reads while others write.

What a question needs is a small part of a long record: everything but scans, to know when the gate did what;
of the scans only those around the moment asked for, and those of the person.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from device.beat import read_beat
from device.journal.reader import JournalReader
from device.journal.rescue import unpacked
from device.model import EventType
from device.service.numbers import Span
from device.service.trace.dating import reading_of
from device.service.trace.district import StoreReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from contextlib import ExitStack
    from pathlib import Path

    from device.journal.reader import Cursors
    from device.model import StoredEvent
    from device.service.trace.dating import Reading

# What tells of the gate itself. A scan is known by what stands around it.
SKELETON: Final = tuple(word.value for word in EventType if word not in {EventType.SCAN, EventType.UNREAD})


class Events(Protocol):
    """One journal's events, wherever they are kept; each of these oldest first."""

    def of_types(self, words: Iterable[str]) -> Iterator[StoredEvent]:
        """Those of some types."""
        ...

    def mentioning(self, text: str) -> Iterator[StoredEvent]:
        """Those whose data hold this text."""
        ...

    def between(self, first: int, last: int) -> Iterator[StoredEvent]:
        """Those from one number to another."""
        ...


@dataclass(frozen=True, slots=True)
class Absent:
    """Events that were and are not here.

    Attributes:
        span: their numbers.
        why: a few words.
        coming: whether they may still arrive.
    """

    span: Span
    why: str
    coming: bool


def delivered(_: int) -> str:
    """Everything is where it should be."""
    return ""


@dataclass(frozen=True, slots=True)
class Volume:
    """One journal of a gate.

    Attributes:
        events: what is here of it.
        absent: what is not.
        outstanding: why the district does not have an event for certain; empty when it has.
    """

    events: Events
    absent: tuple[Absent, ...] = ()
    outstanding: Callable[[int], str] = delivered


@dataclass(frozen=True, slots=True)
class Records:
    """All there is of one gate.

    Attributes:
        gate: its path, or what the source is called where that is not known.
        volumes: its journals, oldest first.
        here: whether this is the gate's own; else what comes last may not have arrived yet.
        sign_of_life: the gate's last one, where it is known.
    """

    gate: str
    volumes: tuple[Volume, ...]
    here: bool
    sign_of_life: Reading | None = None


def of_journal(path: Path, *, gate: str, parts: ExitStack, collected: bool = True) -> Records:
    """A gate's own journal, with what it has carried over from damaged ones.

    Args:
        path: of the journal.
        gate: what it is called; may be empty.
        parts: closes the file.
        collected: whether there is a broker that takes its events.

    Raises:
        JournalError: there is none there, or it cannot be read.
    """
    reader = parts.enter_context(JournalReader(path))
    cursors = reader.cursors()

    def outstanding(seq: int) -> str:
        return _outstanding(seq, cursors) if collected else ""

    dropped = tuple(
        Absent(Span(first, last), "given up undelivered: the journal was full", coming=False)
        for first, last in cursors.dropped
    )
    volumes = (*_carried(reader, outstanding), Volume(reader, dropped, outstanding))
    beat = read_beat(path.with_name("beat.json"))
    return Records(gate or str(path), volumes, here=True, sign_of_life=reading_of(beat) if beat else None)


def of_stores_gates(path: Path) -> tuple[str, ...]:
    """Paths of the gates a district's store knows.

    Raises:
        JournalError: it is no store, or cannot be read.
    """
    with StoreReader(path) as store:
        return store.gates()


def of_store(path: Path, *, gate: str, parts: ExitStack) -> Records:
    """A gate's journals in a district's store.

    Args:
        path: of the store.
        gate: its path, or the end of it; may be empty where the store knows one gate only.
        parts: closes the file.

    Raises:
        JournalError: it is no store, or cannot be read.
        GateError: the store does not know this gate, or more than one.
    """
    store = parts.enter_context(StoreReader(path))
    found = store.gate(gate)
    volumes = tuple(
        Volume(
            journal,
            tuple(
                [Absent(span, "missing here; the gate may have it still", True) for span in journal.missing()]
                + [Absent(span, "gone: the gate did not keep it any more", False) for span in journal.gone()]
            ),
        )
        for journal in store.journals(found)
    )
    return Records(found, volumes, here=False)


def _outstanding(seq: int, cursors: Cursors) -> str:
    if seq in cursors.refused:
        return f"the broker refuses it: {cursors.refused[seq]}"
    if seq > cursors.sent:
        return "it waits at the gate for the broker"
    if cursors.confirmed and seq > cursors.confirmed:
        return "the broker has it; the district has not confirmed it"
    return ""


def _carried(reader: JournalReader, outstanding: Callable[[int], str]) -> Iterator[Volume]:
    """The events of damaged journals, each under its own number."""
    found: dict[str, dict[int, tuple[StoredEvent, int]]] = defaultdict(dict)
    for carrier in reader.of_types([EventType.RESCUED]):
        if (inner := unpacked(carrier)) is not None:
            found[inner.journal][inner.seq] = inner, carrier.seq
    for events in found.values():
        carriers = {seq: carrier for seq, (_, carrier) in events.items()}
        kept = InMemory([event for event, _ in events.values()])
        yield Volume(kept, outstanding=lambda seq, of=carriers: outstanding(of[seq]))  # type: ignore[misc]  # mypy and defaults


class InMemory:
    """`Events` out of a list."""

    def __init__(self, events: Sequence[StoredEvent]) -> None:
        self._events = sorted(events, key=lambda event: event.seq)

    def of_types(self, words: Iterable[str]) -> Iterator[StoredEvent]:
        wanted = set(words)
        return (event for event in self._events if event.type in wanted)

    def mentioning(self, text: str) -> Iterator[StoredEvent]:
        return (event for event in self._events if text.encode() in event.data)

    def between(self, first: int, last: int) -> Iterator[StoredEvent]:
        return (event for event in self._events if first <= event.seq <= last)
