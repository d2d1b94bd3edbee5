"""Boarding passes: IATA Resolution 792, bar coded boarding pass, one to four legs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from device.credential.kinds import Context, Kind, wrong

if TYPE_CHECKING:
    from device.credential.payload import Payload
    from device.model import Credential

_PASS = re.compile(r"[MS][1-4][A-Z/ .'-]{20}[E ][A-Z0-9 ]{7}[A-Z]{6}")
"""Format, legs, name of 20, ticket mark, booking of 7, from and to: the mandatory beginning."""


def _recognise(payload: Payload, _context: Context) -> Credential | None:
    return wrong("wrong.boarding") if _PASS.match(payload.text) else None


KIND = Kind("wrong.boarding", "boarding pass", _recognise)
