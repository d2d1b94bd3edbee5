"""Claims that CWT (RFC 8392) and JWT (RFC 7519) share: times, audience, and what a key adds to them."""

from __future__ import annotations

from datetime import UTC, datetime

from device.credential.flaw import Flawed

_LATEST = 253402214400
"""31 December 9999, a day before the last that `datetime` knows: there is room to reckon in time zones."""

_MAX_AUDIENCES = 64
"""Gates a pass may name; a QR code has room for few more."""

_MAX_TEXT = 256
"""Characters of an issuer, subject or gate in a pass."""


def moment(claim: object, *, required: bool = False) -> datetime | None:
    """A NumericDate. Raises Flawed: not a finite number, a boolean, out of range, or missing but required.

    NaN fails the comparison of every bound, so it is asked whether it is inside, never whether outside.
    """
    if claim is None and not required:
        return None
    if isinstance(claim, bool) or not isinstance(claim, int | float) or not 0 <= claim <= _LATEST:
        raise Flawed("time")
    return datetime.fromtimestamp(claim, UTC)


def text(claim: object, word: str) -> str:
    """A short printable text; empty when the claim is missing. Raises Flawed with `word`."""
    if claim is None:
        return ""
    if not isinstance(claim, str) or len(claim) > _MAX_TEXT or not claim.isprintable():
        raise Flawed(word)
    return claim


def audience(claim: object) -> tuple[str, ...]:
    """One gate or a list of them; empty when the claim is missing. Raises Flawed."""
    listed = claim if isinstance(claim, list) else [] if claim is None else [claim]
    if len(listed) > _MAX_AUDIENCES or (isinstance(claim, list) and not claim):
        raise Flawed("audience")
    named = tuple(text(item, "audience") for item in listed)
    if not all(named):
        raise Flawed("audience")
    return named


def later(one: datetime | None, other: datetime | None) -> datetime | None:
    """The later of two beginnings; None is no limit."""
    return max((t for t in (one, other) if t is not None), default=None)


def earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    """The earlier of two ends; None is no limit."""
    return min((t for t in (one, other) if t is not None), default=None)
