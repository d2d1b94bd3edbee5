"""Frozen types that rooms hand to each other. No I/O, no clock, no foreign library but numpy's array.

Words that leave the process are `StrEnum` members: their values are part of the wire contract
(`docs/reference/events.md`) and only ever grow within v1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from datetime import date, datetime

    import numpy as np
    import numpy.typing as npt


# -- camera and decoder ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture.

    Attributes:
        luma: brightness plane, shape (height, width), uint8, C-contiguous, owned by the frame.
        sequence: counts up by one for every frame the camera delivered, lost ones included.
        captured_at: `Clock.monotonic()` seconds at the end of exposure (or at delivery, where the
            driver gives no time).
        lores: a small brightness plane of the same moment for the motion gate, when the camera gives one.
    """

    luma: npt.NDArray[np.uint8]
    sequence: int
    captured_at: float
    lores: npt.NDArray[np.uint8] | None = None


Corners: TypeAlias = tuple[tuple[int, int], tuple[int, int], tuple[int, int], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Symbol:
    """A code found in a frame.

    Attributes:
        content: the bytes the symbol carries, unchanged. Identity and parsing start here.
        symbology: `QRCode`; nothing else is taken for a code.
        engine: which library and preparation read it, for diagnosis: `zxing`, `zbar`.
        corners: in pixels of the frame: top left, top right, bottom right, bottom left of the symbol.
    """

    content: bytes
    symbology: str
    engine: str
    corners: Corners


class Cause(StrEnum):
    """Why a code in view was not read, as far as the picture tells."""

    CUT_OFF = "cut_off"
    DARK = "dark"
    TOO_SMALL = "too_small"
    GLARE = "glare"
    BLURRED = "blurred"
    DAMAGED = "damaged"  # none of the others: dirt, scratches, a bend


@dataclass(frozen=True, slots=True)
class Unread:
    """Something that is a code and was not read.

    Attributes:
        corners: in pixels of the frame, as in `Symbol`.
        cause: as far as the picture tells.
    """

    corners: Corners
    cause: Cause


@dataclass(frozen=True, slots=True)
class Controls:
    """What a camera is asked for on the way, to read a code that it sees and cannot read.

    Attributes:
        focus_dioptres: lens position, 1/metre; None for as configured.
        exposure_us: exposure time, microseconds, at an unchanged gain; None for as configured.
    """

    focus_dioptres: float | None = None
    exposure_us: int | None = None


# -- credential -----------------------------------------------------------------------------------


class Standing(StrEnum):
    """What the grammar and, where there is one, the signature say about a payload."""

    CLAIMED = "claimed"  # well-formed, carries no usable signature: an identifier to match against lists
    VERIFIED = "verified"  # signature checked against a trusted issuer
    UNKNOWN_ISSUER = "unknown_issuer"  # signed, but by nobody who is trusted for it
    BAD_SIGNATURE = "bad_signature"  # names a trusted issuer's key, which did not sign it: altered or forged
    WRONG_KIND = "wrong_kind"  # a code for something else: a payment, a Wi-Fi network
    MALFORMED = "malformed"  # begins like a known kind, breaks its grammar


@dataclass(frozen=True, slots=True)
class Rotation:
    """The changing code of a verified pass; whether it is of now is the policy's to say.

    Attributes:
        key: of this pass, for reckoning its codes.
        shown: the code it was shown with; None when it came without.
    """

    key: bytes = field(repr=False)
    shown: int | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Possession:
    """A pass that must be shown with a proof of its holder's key; the proof, where there is one, was checked.

    Attributes:
        shown_at: when the proof was made, as the holder's clock has it; None when it came without.
    """

    shown_at: datetime | None


@dataclass(frozen=True, slots=True)
class Credential:
    """What a symbol claims after grammar and signature. Holds personal data: never logged, never stored.

    Attributes:
        kind: `vn.cccd`, `vn.qr-national`, `wrong.payment`...: the registry's word.
        standing: see `Standing`.
        identifier: canonical identifier the lists and the pseudonym are made from; empty when the
            kind has none.
        aliases: other identifiers of the same person that the code holds; lists match them as well.
        name: the holder's name as the code gives it, NFC.
        born: date of birth when the code gives a full one.
        not_before: start of validity, inclusive.
        expires: end of validity, exclusive.
        issuer: who signed, for verified kinds.
        audience: gates it is meant for; empty when it names none.
        rotation: for a pass that must be shown with a changing code.
        possession: for a pass that must be shown with a proof of its holder's key.
        once: it is good for one passage; its identifier is its own, not its holder's.
        detail: why it is malformed or not trusted, in a few fixed words without any content.
        warnings: oddities that do not refuse, as fixed words.
    """

    kind: str
    standing: Standing
    identifier: str = field(default="", repr=False)
    aliases: tuple[str, ...] = field(default=(), repr=False)
    name: str = field(default="", repr=False)
    born: date | None = field(default=None, repr=False)
    not_before: datetime | None = None
    expires: datetime | None = None
    issuer: str = ""
    audience: tuple[str, ...] = ()
    rotation: Rotation | None = None
    possession: Possession | None = None
    once: bool = False
    detail: str = ""
    warnings: tuple[str, ...] = ()


# -- verdict --------------------------------------------------------------------------------------


class Outcome(StrEnum):
    """What the person at the gate is told."""

    GRANTED = "granted"
    DENIED = "denied"
    ATTENTION = "attention"


class Reason(StrEnum):
    """Why. One word per cause, never a sentence."""

    OK = "ok"
    ALREADY_SHOWN = "already_shown"
    WRONG_KIND = "wrong_kind"
    KIND_NOT_ACCEPTED = "kind_not_accepted"
    MALFORMED = "malformed"
    BAD_SIGNATURE = "bad_signature"
    UNKNOWN_ISSUER = "unknown_issuer"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    DENIED_BY_LIST = "denied_by_list"
    NOT_ON_LIST = "not_on_list"
    NOT_EXPECTED = "not_expected"
    NOT_PROVEN = "not_proven"
    WRONG_GATE = "wrong_gate"
    OUTSIDE_HOURS = "outside_hours"
    CLOCK_NOT_TRUSTED = "clock_not_trusted"
    PASSBACK = "passback"
    REPLAYED = "replayed"
    JOURNAL_UNAVAILABLE = "journal_unavailable"
    SUSPENDED = "suspended"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision about one presentation.

    Attributes:
        outcome: what the person is told.
        reason: why.
        detail: a few fixed words for the technician, never content of the code.
        rule: path of the setting that decided, `policy.hours.open`; empty when none did.
    """

    outcome: Outcome
    reason: Reason
    detail: str = ""
    rule: str = ""


class Cue(StrEnum):
    """What the panel shows. Temporary ones end by themselves; permanent ones stay until replaced."""

    STARTING = "starting"  # permanent
    READY = "ready"  # permanent
    FAULT = "fault"  # permanent or temporary
    GRANTED = "granted"
    ALREADY_SHOWN = "already_shown"
    DENIED = "denied"
    ATTENTION = "attention"


# -- events ---------------------------------------------------------------------------------------


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


@dataclass(frozen=True, slots=True)
class ScanEvent:
    """One presentation and its verdict; `data` of `gate.scan.v1`.

    Attributes:
        direction: of the gate.
        outcome: what the person was told.
        reason: why.
        credential: what was shown.
        clock: the moment of the decision.
        rules: fingerprint of the rules and lists in force, 16 hex digits.
        engine: what read the symbol.
        latency_ms: from the frame's capture to the decision.
        lists: the lists in force, by name; None where none is configured.
    """

    direction: Direction
    outcome: Outcome
    reason: Reason
    credential: CredentialRef
    clock: ClockReading
    rules: str
    engine: str
    latency_ms: int
    lists: tuple[ListInForce, ...] | None = None


@dataclass(frozen=True, slots=True)
class UnreadEvent:
    """A code was held up and could not be read; `data` of `gate.unread.v1`.

    Attributes:
        direction: of the gate.
        cause: as far as the picture tells.
        side_px: how large the code was in the picture, pixels.
        clock: when the person was told.
    """

    direction: Direction
    cause: Cause
    side_px: int
    clock: ClockReading


class Input(StrEnum):
    """What may be wired to the gate beside the panel; the words are those of the configuration."""

    BUTTON = "button"
    BEAM = "beam"
    TAMPER = "tamper"


class Sensed(StrEnum):
    """What the inputs told."""

    BUTTON_PRESSED = "button_pressed"
    PASSED_WITHOUT_GRANT = "passed_without_grant"  # somebody went through whom nothing had let through
    BEAM_BLOCKED = "beam_blocked"  # for so long that it is no person: nobody is counted meanwhile
    BEAM_CLEAR = "beam_clear"
    CASE_OPENED = "case_opened"
    CASE_CLOSED = "case_closed"


@dataclass(frozen=True, slots=True)
class InputEvent:
    """Something that a button, the light barrier or the case told; `data` of `gate.input.v1`.

    Attributes:
        direction: of the gate.
        what: see `Sensed`.
        clock: when.
    """

    direction: Direction
    what: Sensed
    clock: ClockReading


class Occasion(StrEnum):
    """Why the gate was looked over."""

    COMMISSIONING = "commissioning"  # by a technician, with `gate-scanner doctor`
    NIGHTLY = "nightly"  # by itself


@dataclass(frozen=True, slots=True)
class CheckupEvent:
    """The gate was looked over; `data` of `gate.checkup.v1`.

    Attributes:
        occasion: see `Occasion`.
        ok: checks that found nothing.
        warned: words of the checks that found something to look at.
        failed: words of the checks that found something broken.
        skipped: words of the checks that could not be made.
        version: of the software.
        clock: when.
    """

    occasion: Occasion
    ok: tuple[str, ...]
    warned: tuple[str, ...]
    failed: tuple[str, ...]
    skipped: tuple[str, ...]
    version: str
    clock: ClockReading


class CardKind(StrEnum):
    """What a card of the provisioner is for."""

    CONFIGURATION = "configuration"  # the first one, of a device that has none
    SELF_TEST = "self_test"  # shows each lamp and the buzzer, and looks itself over
    REPORT = "report"  # tells what the gate was doing, now
    SUSPEND = "suspend"  # nobody passes from now on
    RESUME = "resume"  # until this one
    SIGN_IN = "sign_in"  # of whoever minds the gate


class CardReason(StrEnum):
    """Why a card of the provisioner was refused."""

    MALFORMED = "malformed"
    UNKNOWN_KEY = "unknown_key"
    BAD_SIGNATURE = "bad_signature"
    OTHER_GATE = "other_gate"
    CLOCK_NOT_TRUSTED = "clock_not_trusted"  # the card has a time, and the gate knows none
    NOT_YET = "not_yet"
    EXPIRED = "expired"
    USED = "used"
    OLDER = "older"  # than cards of which the gate has forgotten whether they were used
    NOT_HERE = "not_here"  # a card of this kind does nothing at a gate that runs


class Lifecycle(StrEnum):
    """What happened to the device itself."""

    STARTED = "started"
    STOPPED = "stopped"
    JOURNAL_REPLACED = "journal_replaced"
    CONFIGURED = "configured"
    CONFIGURATION_REFUSED = "configuration_refused"
    LIST_TAKEN = "list_taken"
    LIST_REFUSED = "list_refused"


@dataclass(frozen=True, slots=True)
class LifecycleEvent:
    """Something that happened to the device; `data` of `gate.lifecycle.v1`.

    Attributes:
        what: see `Lifecycle`.
        detail: fixed words or identifiers of ours, never content of a code.
        version: of the software.
        clock: when.
        before: of `started`: the last sign of life of the run before, as far as is known.
        configuration: names the settings in force from here on, defaults included.
    """

    what: Lifecycle
    detail: str
    version: str
    clock: ClockReading
    before: ClockReading | None = None
    configuration: str | None = None


@dataclass(frozen=True, slots=True)
class CoverageEvent:
    """What the gate was doing from `since_ms` to `clock`; `data` of `gate.coverage.v1`.

    Attributes:
        since_ms: uptime at the beginning, milliseconds; the end of the interval before, in the same boot.
        seeing: whether the camera gave frames.
        deciding: whether frames were searched for codes.
        recording: whether events could be recorded.
        frames: the camera gave.
        presented: codes that were answered.
        unread: codes that were seen and not read.
        sent: number of the newest event the broker had accepted at the end.
        confirmed: number of the newest event the district had stored, likewise.
        clock: the end. `trusted` held for the whole interval, up to a second, unless there are `changes`.
        passed: persons who went through the light barrier; None where there is none.
        changes: how often something came and went within; then `seeing`, `deciding` and `recording` are
            true only for what always was.
    """

    since_ms: int
    seeing: bool
    deciding: bool
    recording: bool
    frames: int
    presented: int
    unread: int
    sent: int
    confirmed: int
    clock: ClockReading
    passed: int | None = None
    changes: int | None = None


@dataclass(frozen=True, slots=True)
class ClockEvent:
    """The clock was set for the first time in this boot; `data` of `gate.clock.v1`.

    It fixes uptime to UTC: every event of the same boot can be dated by it.

    Attributes:
        clock: the first trusted reading.
    """

    clock: ClockReading


Event: TypeAlias = (
    ScanEvent | UnreadEvent | InputEvent | CoverageEvent | ClockEvent | CheckupEvent | LifecycleEvent
)


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
