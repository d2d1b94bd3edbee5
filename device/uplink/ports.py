"""What the uplink needs from its neighbours: a backlog of events and sessions with a broker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from device.model import Refusal, StoredEvent
    from device.uplink.reasons import Loss
    from device.uplink.wire import Message


class BacklogStats(Protocol):
    """As far as a gate tells the district about its journal."""

    @property
    def journal(self) -> str:
        """Its id."""
        ...

    @property
    def first_seq(self) -> int:
        """Number of the oldest event still kept, or of the next one when there is none."""
        ...

    @property
    def last_seq(self) -> int:
        """Number of the newest event; 0 before the first."""
        ...

    @property
    def acknowledged_through(self) -> int:
        """Up to here every event is at the broker or set aside."""
        ...

    @property
    def confirmed_through(self) -> int:
        """Up to here the district has stored them; 0 where none tells."""
        ...

    @property
    def pending(self) -> int:
        """Events neither at the broker nor set aside."""
        ...

    @property
    def set_aside(self) -> int:
        """Events set aside and still kept."""
        ...


class Backlog(Protocol):
    """The journal, as the uplink sees it. Called from the forwarder's thread only.

    Every method may raise `JournalError`; the uplink then waits and tries again.
    """

    def pending(self, limit: int, *, after_seq: int = 0) -> tuple[StoredEvent, ...]:
        """The oldest events beyond the acknowledged cursor and `after_seq`, without those set aside."""
        ...

    def acknowledge(self, through_seq: int) -> None:
        """Everything up to this seq is at the broker or set aside.

        Need not be durable at once: what is forgotten is sent again.
        """
        ...

    def set_aside(self, seq: int, why: str) -> None:
        """The broker refuses this event, for the reason given in fixed words. It is kept, but not pending."""
        ...

    def refused(self, limit: int, *, after_seq: int = 0) -> tuple[tuple[StoredEvent, str], ...]:
        """The oldest events set aside above a seq, each with the reason."""
        ...

    def refusals(self, limit: int, *, after_seq: int = 0) -> tuple[Refusal, ...]:
        """Their numbers alone, neighbours together."""
        ...

    def take_back(self, seqs: Sequence[int]) -> None:
        """The broker has these after all. Those that were not set aside, or not passed by, are no matter."""
        ...

    def wait_for_append(self, after_seq: int, timeout_s: float) -> bool:
        """Waits until an event with a higher seq exists; whether one does."""
        ...

    def confirm(self, journal: str, through_seq: int) -> bool:
        """The district has stored everything up to this seq for good; whether this is that journal."""
        ...

    def read(self, from_seq: int, limit: int) -> tuple[StoredEvent, ...]:
        """Events from a seq on, whatever their state, at most `limit`."""
        ...

    def stats(self) -> BacklogStats:
        """The journal now. Touches no file."""
        ...


@dataclass(frozen=True, slots=True)
class Certificate:
    """One that somebody has to renew.

    Attributes:
        whose: `ours` or `the broker's`.
        ends: when it stops being valid; aware.
    """

    whose: str
    ends: datetime


@dataclass(frozen=True, slots=True)
class Opened:
    """The broker has accepted us.

    Attributes:
        window: most messages in flight: the smaller of the setting and the broker's Receive Maximum.
        packet_max_bytes: largest packet the broker takes.
        certificates: those in use, with their ends.
    """

    window: int
    packet_max_bytes: int
    certificates: tuple[Certificate, ...] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """A PUBACK.

    Attributes:
        token: what `publish` returned.
        code: MQTT 5 reason code; see `device.uplink.reasons`.
    """

    token: int
    code: int


@dataclass(frozen=True, slots=True)
class Closed:
    """There is no connection, or none any more. The last report of a session.

    Attributes:
        loss: why, as a word of ours.
        detail: what the library, the kernel or the broker's reason code adds; may be empty.
    """

    loss: Loss
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.loss.value}: {self.detail}" if self.detail else self.loss.value


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message for the gate, on a topic it has subscribed to.

    Attributes:
        topic: where it was published.
        payload: its bytes; from outside, believed by nobody yet.
        retained: whether the broker had kept it from before we subscribed.
        reply_to: MQTT 5 response topic, as unbelieved as the rest; empty for none.
        correlation: MQTT 5 correlation data, to go back with the answer; empty for none.
    """

    topic: str
    payload: bytes
    retained: bool = False
    reply_to: str = ""
    correlation: bytes = b""


Report: TypeAlias = Opened | Receipt | Incoming | Closed


class Session(Protocol):
    """One connection to a broker, from the attempt to its end. Never used twice."""

    def open(self) -> None:
        """Begins to connect. Does not wait: `Opened` or `Closed` is reported."""
        ...

    def publish(self, message: Message) -> int:
        """Hands over a message with QoS 1; the token its `Receipt` will carry. Does not wait.

        Raises:
            UplinkError: not connected, or more messages than the window admits. The message is not kept.
        """
        ...

    def subscribe(self, topic: str) -> None:
        """Asks for other clients' messages on a topic, the retained one included. Does not wait.

        They are reported as `Incoming`. More than a few that nobody takes are dropped.

        Raises:
            UplinkError: not connected.
        """
        ...

    def next_report(self, timeout_s: float) -> Report | None:
        """The next report, in the order things happened; None when there is none within the time."""
        ...

    def close(self, *, with_will: bool, timeout_s: float) -> bool:
        """Ends the connection; whether it has ended within the time. May be called again.

        Args:
            with_will: whether the broker shall publish the last will.
            timeout_s: how long to wait. A connection attempt that hangs in the operating system ends later.
        """
        ...
