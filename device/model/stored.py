"""What the journal adds of its own, and an event as it stands there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from device.model.references import ClockReading


class Why(StrEnum):
    """Why a checkpoint was made."""

    START = "start"
    STOP = "stop"
    INTERVAL = "interval"
    CHECKUP = "checkup"


@dataclass(frozen=True, slots=True)
class CheckpointEvent:
    """The gate's signature over its journal; `data` of `gate.checkpoint.v1`. Made by the journal itself.

    To these come `seq`, `prev` and `signature`: Ed25519 over the canonical data without it, 128 lowercase
    hex digits. Through `prev` it covers every event before it.

    Attributes:
        why: see `Why`.
        key: the public key, 64 lowercase hex digits.
        clock: when.
    """

    why: Why
    key: str
    clock: ClockReading


@dataclass(frozen=True, slots=True)
class RescuedEvent:
    """An event out of a damaged journal; `data` of `gate.rescued.v1`. Made by the journal itself.

    The event counts under its own journal and number, as if it had arrived by itself: a consumer that
    upserts by them has it once, though it may be carried over twice or have arrived before.

    Attributes:
        journal: id of the damaged journal; empty when it could not be told any more.
        number: the event's `seq` there.
        kind: its type word.
        record: its canonical data, as text, byte for byte.
        proved: whether the event after it was found as well and holds on to its hash.
        clock: when it was carried over.
    """

    journal: str
    number: int
    kind: str
    record: str
    proved: bool
    clock: ClockReading


@dataclass(frozen=True, slots=True)
class Refusal:
    """Neighbouring events that the broker refuses for one reason.

    Attributes:
        first: number of the first.
        last: number of the last; the same for one event.
        why: fixed words, or the broker's reason code with its meaning.
    """

    first: int
    last: int
    why: str


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as it stands in the journal.

    Attributes:
        journal: id of the journal, `[a-z0-9]{1,32}`; with `seq` it names the event for ever.
        seq: 1, 2, 3... without gaps.
        type: CloudEvents type word.
        data: RFC 8785 canonical JSON of the event's data, `seq` and `prev` included: what the hash
            chain covers, byte for byte.
    """

    journal: str
    seq: int
    type: str
    data: bytes

    @property
    def id(self) -> str:
        """CloudEvents `id`: a consumer that upserts by it has each event exactly once."""
        return f"{self.journal}-{self.seq}"
