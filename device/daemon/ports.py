"""The parts of the daemon as the main thread sees them: what it asks of each, not what each is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from device.model import Cue, Event, StoredEvent, Why
    from device.scan import ScanStats


@dataclass(frozen=True, slots=True)
class Change:
    """A changed configuration that can be used.

    Attributes:
        digest: names its settings.
        apply: takes it over while everything runs on; never blocks, never fails. None: the process has to
            begin anew.
    """

    digest: str
    apply: Callable[[], None] | None


class Configuration(Protocol):
    """The configuration, as the main thread uses it."""

    @property
    def digest(self) -> str:
        """Names the settings in force, 16 hex digits."""
        ...

    def look(self) -> Change:
        """What the file says now. Blocks while it is read. Raises GateError when it cannot be used."""
        ...


class JournalCounts(Protocol):
    """As far as the status tells of the journal."""

    @property
    def stored(self) -> int: ...
    @property
    def pending(self) -> int: ...
    @property
    def set_aside(self) -> int: ...
    @property
    def last_seq(self) -> int: ...
    @property
    def acknowledged_through(self) -> int: ...
    @property
    def confirmed_through(self) -> int: ...


class Journal(Protocol):
    """The journal, as the main thread uses it."""

    def append(self, event: Event) -> StoredEvent:
        """Blocks until the event is on the card. Raises JournalError."""
        ...

    def stats(self) -> JournalCounts:
        """Never waits for the card."""
        ...

    def checkpoint(self, why: Why) -> StoredEvent | None:
        """Signs the chain as it stands. Blocks like `append`. Raises JournalError."""
        ...

    def prune(self) -> int:
        """Upkeep. Raises JournalError."""
        ...


class UplinkCounts(Protocol):
    """As far as the status tells of the uplink."""

    @property
    def connected(self) -> bool: ...
    @property
    def published(self) -> int: ...
    @property
    def confirmed(self) -> int: ...
    @property
    def refusing(self) -> str: ...
    @property
    def pace(self) -> str: ...
    @property
    def twin(self) -> bool: ...


class Uplink(Protocol):
    """The forwarder, as the main thread uses it."""

    def stats(self) -> UplinkCounts:
        """Never blocks."""
        ...


class CaptureCounts(Protocol):
    """As far as status and coverage ledger tell of the camera."""

    @property
    def frames(self) -> int: ...
    @property
    def trouble(self) -> str: ...


class Capture(Protocol):
    """The capture loop, as the main thread uses it."""

    @property
    def stats(self) -> CaptureCounts:
        """Never blocks."""
        ...


class InputCounts(Protocol):
    """As far as the coverage ledger tells of the inputs."""

    @property
    def passed(self) -> int | None: ...


class Inputs(Protocol):
    """Button, light barrier and case, as the main thread uses them."""

    def stats(self) -> InputCounts:
        """Never blocks."""
        ...


class Scan(Protocol):
    """The scan loop, as the main thread uses it."""

    def stats(self) -> ScanStats:
        """Never blocks."""
        ...


class ListStanding(Protocol):
    """How a list stands; as a text, for people."""

    def as_json(self) -> dict[str, object]: ...


class Lists(Protocol):
    """The lists, as the main thread uses them."""

    def standings(self) -> tuple[ListStanding, ...]:
        """Never blocks."""
        ...


class Slot(Protocol):
    """The hand-off between capture and scan, as the main thread sees it."""

    @property
    def empty(self) -> bool:
        """Whether nothing waits to be taken."""
        ...

    @property
    def replaced(self) -> int:
        """How many items were replaced before anybody took them."""
        ...


class RestingPanel(Protocol):
    """The panel, as the main thread uses it."""

    def rest(self, cue: Cue) -> None:
        """Sets the permanent state; never blocks."""
        ...
