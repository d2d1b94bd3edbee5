"""What a code claims, after grammar and signature."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date, datetime


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
