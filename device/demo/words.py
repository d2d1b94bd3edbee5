"""What the wire's words mean to a visitor of the demonstration."""

from __future__ import annotations

from device.credential.registry import about
from device.model import Outcome, Reason

OUTCOMES: dict[str, str] = {
    Outcome.GRANTED: "GRANTED",
    Outcome.DENIED: "DENIED",
    Outcome.ATTENTION: "ATTENTION",
}

REASONS: dict[str, str] = {
    Reason.OK: "may pass",
    Reason.ALREADY_SHOWN: "may pass, was just here",
    Reason.WRONG_KIND: "not a code for gates",
    Reason.KIND_NOT_ACCEPTED: "this gate does not take such codes",
    Reason.MALFORMED: "the code is broken",
    Reason.BAD_SIGNATURE: "the signature is wrong",
    Reason.UNKNOWN_ISSUER: "nobody knows who signed it",
    Reason.NOT_YET_VALID: "not valid yet",
    Reason.EXPIRED: "not valid any more",
    Reason.DENIED_BY_LIST: "on the deny list",
    Reason.NOT_ON_LIST: "on no list of those who may pass",
    Reason.NOT_EXPECTED: "expected at another time",
    Reason.NOT_PROVEN: "shown without its holder's proof",
    Reason.WRONG_GATE: "for another gate",
    Reason.OUTSIDE_HOURS: "outside opening hours",
    Reason.PASSBACK: "has passed in this direction already",
    Reason.REPLAYED: "a copy of a pass that was used",
    Reason.JOURNAL_UNAVAILABLE: "nothing can be recorded",
    Reason.SUSPENDED: "suspended",
    Reason.FULL: "no room inside",
    Reason.CLOCK_NOT_TRUSTED: "the gate does not know the time",
}


def outcome(word: str) -> str:
    """The outcome as it stands on the screen; an unknown word as it is."""
    return OUTCOMES.get(word, word)


def reason(word: str) -> str:
    """The reason in plain words; an unknown word as it is."""
    return REASONS.get(word, word)


def kind(word: str) -> str:
    """The kind of credential as the registry describes it, without what stands in brackets there."""
    try:
        return about(word).split(" (")[0]
    except KeyError:
        return word
