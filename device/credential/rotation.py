"""Codes that change every half minute, so that a screenshot of a pass is soon worth nothing.

A pass says in its signed claims that it rotates. Whoever holds it has the pass's own key, made by the issuer
from a secret and the pass's number; the holder's page or application shows the pass with the code of the
moment beside it, as a one-time password (RFC 6238, SHA-256, 8 digits, 30 s). A gate that has the issuer's
secret can tell whether the code is of now. One step to either side is granted for clocks that differ.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

STEP_S = 30
"""RFC 6238 recommends it: long enough to walk up to the gate, short enough to make passing on tiresome."""

TOLERANCE_STEPS = 1
"""RFC 6238, section 5.2."""

_CODES = 10**8
_LOW_31_BITS = 0x7FFF_FFFF


def pass_key(secret: bytes, number: bytes) -> bytes:
    """The key of one pass; whoever has it cannot reckon another's, nor the issuer's secret."""
    return hmac.digest(secret, b"gate pass rotation\0" + number, "sha256")


def code_at(key: bytes, moment: datetime) -> int:
    """The code of the step that `moment` lies in."""
    return _code(key, _step(moment))


def is_current(key: bytes, code: int, moment: datetime) -> bool:
    """Whether the code is of this step or of one beside it. Takes the same time for every code."""
    now = _step(moment)
    steps = range(max(0, now - TOLERANCE_STEPS), now + TOLERANCE_STEPS + 1)
    shown = code.to_bytes(4, "big") if 0 <= code <= _LOW_31_BITS else b""
    matches = [hmac.compare_digest(shown, _code(key, step).to_bytes(4, "big")) for step in steps]
    return any(matches)


def is_of_now(shown_at: datetime, moment: datetime) -> bool:
    """Whether something was made in this step or in one beside it."""
    return abs(_step(shown_at) - _step(moment)) <= TOLERANCE_STEPS


def _step(moment: datetime) -> int:
    return max(0, int(moment.timestamp())) // STEP_S


def _code(key: bytes, step: int) -> int:
    """HOTP of RFC 4226, section 5.3, over SHA-256."""
    digest = hmac.digest(key, step.to_bytes(8, "big"), "sha256")
    at = digest[-1] & 0x0F
    truncated = int.from_bytes(digest[at : at + 4], "big") & _LOW_31_BITS
    return truncated % _CODES
