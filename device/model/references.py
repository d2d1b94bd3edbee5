"""What events are made of: the moment, and what may be kept of a person."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from device.model.credentials import Standing


class Direction(StrEnum):
    """Which way people pass this gate."""

    IN = "in"
    OUT = "out"
    BOTH = "both"


class EventType(StrEnum):
    """CloudEvents `type` words."""

    SCAN = "gate.scan.v1"
    UNREAD = "gate.unread.v1"
    COVERAGE = "gate.coverage.v1"
    CLOCK = "gate.clock.v1"
    CHECKUP = "gate.checkup.v1"
    INPUT = "gate.input.v1"
    CARD = "gate.card.v1"
    LIFECYCLE = "gate.lifecycle.v1"
    CHECKPOINT = "gate.checkpoint.v1"
    RESCUED = "gate.rescued.v1"


@dataclass(frozen=True, slots=True)
class ClockReading:
    """One moment, told twice, so that a wrong wall clock can be put right later.

    Attributes:
        wall: UTC, RFC 3339 with milliseconds and `Z`, as the system clock had it.
        trusted: whether the kernel held the wall clock to be synchronised.
        boot: the kernel's boot id.
        uptime_ms: CLOCK_BOOTTIME, milliseconds since boot.
    """

    wall: str
    trusted: bool
    boot: str
    uptime_ms: int


class KeptField(StrEnum):
    """What an event may keep of who somebody is; each a field of `Identity`."""

    IDENTIFIER = "identifier"
    NAME = "name"
    BORN = "born"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is, as their code says. In an event only where the configuration asks for clear text.

    Attributes:
        identifier: as the code has it; cut and ended by an ellipsis when longer than 64 bytes.
        name: likewise, longer than 80 bytes.
        born: date of birth, YYYY-MM-DD.
    """

    identifier: str | None = field(default=None, repr=False)
    name: str | None = field(default=None, repr=False)
    born: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Sealed:
    """Who somebody is, sealed to the district's key with HPKE: an `Identity` as JSON, spaces behind it.

    RFC 9180, base mode: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305.

    Attributes:
        key: names the key it was sealed to, 16 hex digits of the SHA-256 over its 32 bytes.
        enc: the encapsulated key, base64url without padding.
        ciphertext: likewise.
    """

    key: str
    enc: str
    ciphertext: str


@dataclass(frozen=True, slots=True)
class CredentialRef:
    """What an event keeps of a credential.

    Attributes:
        kind: the registry's word.
        standing: see `Standing`.
        subject: keyed pseudonym of the identifier, 32 lowercase hex digits; None when there is none.
        issuer: who signed, for verified kinds; None otherwise.
        subject_key: id of the key the subject was made with, 8 hex digits; None without a subject.
        sealed: who it is, for the district's eyes only; None where nothing is kept or sealed.
        identity: who it is, for everybody's; None unless the configuration asks for clear text.
        once: True of a pass that is good for one passage; None otherwise.
    """

    kind: str
    standing: Standing
    subject: str | None
    issuer: str | None = None
    subject_key: str | None = None
    once: bool | None = None
    sealed: Sealed | None = None
    identity: Identity | None = None


@dataclass(frozen=True, slots=True)
class ListInForce:
    """A list that a decision was made under.

    Attributes:
        name: `deny`, `allow`, `roster` or `trust`.
        version: as the district numbers it; None for a file without.
        age_s: seconds since it was issued (a file without a date: since it was written); None while the
            clock is not trusted.
    """

    name: str
    version: int | None
    age_s: int | None
