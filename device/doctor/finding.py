"""What a check says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How much it matters."""

    OK = "ok"
    WARNED = "warned"  # the gate works; somebody should look
    FAILED = "failed"  # the gate does not do what it is for
    SKIPPED = "skipped"  # could not be looked at, or is not there; the text says why


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the visit.

    Attributes:
        check: a fixed word of ours, `card_writes`; what events keep.
        level: see `Level`.
        said: what was found, in a sentence for people.
        remedy: what to do about it; empty when nothing is.
    """

    check: str
    level: Level
    said: str
    remedy: str = ""


def ok(check: str, said: str) -> Finding:
    """All well."""
    return Finding(check, Level.OK, said)


def warned(check: str, said: str, remedy: str) -> Finding:
    """Worth a look."""
    return Finding(check, Level.WARNED, said, remedy)


def failed(check: str, said: str, remedy: str) -> Finding:
    """Broken."""
    return Finding(check, Level.FAILED, said, remedy)


def skipped(check: str, said: str, remedy: str = "") -> Finding:
    """Not looked at."""
    return Finding(check, Level.SKIPPED, said, remedy)
