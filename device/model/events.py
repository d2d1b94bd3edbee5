"""What happens at a gate, as it is recorded."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from device.model.frames import Cause
from device.model.references import ClockReading, CredentialRef, Direction, ListInForce
from device.model.verdicts import Outcome, Reason


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
    CARD = "card"  # asked for with a card of the provisioner


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
    WIFI = "wifi"  # the network to join; what became of it is a `gate.lifecycle.v1`


class CardOutcome(StrEnum):
    """What became of a card of the provisioner."""

    DONE = "done"
    REFUSED = "refused"


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
    NOT_HERE = "not_here"  # cards of this kind are for gates that run, or for those that do not yet
    OTHER_DEVICE = "other_device"  # sealed to another key
    UNUSABLE = "unusable"  # the configuration has mistakes, or names files that are not there


@dataclass(frozen=True, slots=True)
class CardEvent:
    """A card of the provisioner was held up; `data` of `gate.card.v1`. Recorded before anything is done.

    Attributes:
        outcome: see `CardOutcome`.
        clock: when.
        kind: what it is for; None where its signature does not say so.
        serial: its number, likewise.
        reason: why it was refused; None where it was not.
        subject: of `sign_in`: keyed pseudonym of who minds the gate, 32 lowercase hex digits.
        subject_key: id of the key the subject was made with, 8 hex digits; None without a subject.
    """

    outcome: CardOutcome
    clock: ClockReading
    kind: CardKind | None = None
    serial: int | None = None
    reason: CardReason | None = None
    subject: str | None = None
    subject_key: str | None = None


class Lifecycle(StrEnum):
    """What happened to the device itself."""

    STARTED = "started"
    STOPPED = "stopped"
    JOURNAL_REPLACED = "journal_replaced"
    CONFIGURED = "configured"
    CONFIGURATION_REFUSED = "configuration_refused"
    LIST_TAKEN = "list_taken"
    LIST_REFUSED = "list_refused"
    NETWORK_JOINED = "network_joined"  # the one that a card has brought
    NETWORK_FAILED = "network_failed"  # the one before stays


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
    ScanEvent
    | UnreadEvent
    | InputEvent
    | CoverageEvent
    | ClockEvent
    | CheckupEvent
    | CardEvent
    | LifecycleEvent
)
