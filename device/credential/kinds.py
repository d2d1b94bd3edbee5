"""What a kind is: a word, a recogniser, and the few answers every recogniser gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from device.credential.payload import Payload
from device.credential.trust import NOBODY, Trust
from device.model import Credential, Standing


@dataclass(frozen=True, slots=True)
class Context:
    """What recognisers may know beside the payload; all of it from the configuration.

    Attributes:
        poster_hosts: lower-case host names of location posters.
        trust: whose signatures count.
    """

    poster_hosts: frozenset[str] = frozenset()
    trust: Trust = NOBODY


Recogniser: TypeAlias = Callable[[Payload, Context], Credential | None]
"""Answers with a credential of its own kind, or None when the payload is of another.

Pure and total: raises nothing, looks at each byte a bounded number of times. It claims a payload by its
beginning or shape; once claimed, a broken grammar is `malformed`, not None.
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of code.

    Attributes:
        word: the wire word, `vn.cccd`; kinds that begin with `wrong.` carry no person.
        about: what it is, in words for a technician.
        recognise: see `Recogniser`. No payload may be claimed by two kinds.
    """

    word: str
    about: str
    recognise: Recogniser


def malformed(kind: str, detail: str) -> Credential:
    """The payload begins like `kind` and breaks its grammar; `detail` is a fixed word, never content."""
    return Credential(kind=kind, standing=Standing.MALFORMED, detail=detail)


def first_flaw(checks: Iterable[tuple[str, bool]]) -> str:
    """The word of the first check that is broken, or an empty one: a grammar as a table."""
    return next((word for word, broken in checks if broken), "")


def wrong(kind: str, detail: str = "") -> Credential:
    """The payload is a code for something else."""
    return Credential(kind=kind, standing=Standing.WRONG_KIND, detail=detail)
