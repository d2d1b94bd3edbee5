"""What is decided, and what the panel shows of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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
    TAKEN = "taken"
    TRYING = "trying"
    SELF_TEST = "self_test"
