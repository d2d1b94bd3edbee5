"""GS1 element strings: what stands on goods, parcels and medicine.

Written for people, ``(01)08930000000000(10)ABC``; or for machines, with FNC1 as a ``]Q3`` or group
separator at the beginning, or between elements after a GTIN (GS1 General Specifications, section 7.8).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from device.credential.kinds import Context, Kind, wrong

if TYPE_CHECKING:
    from device.credential.payload import Payload
    from device.model import Credential

_ELEMENTS = re.compile(r"\([0-9]{2,4}\)[!-~]|\]Q3|\x1d[0-9]{2}|0[12][0-9]{14}[^|]*\x1d")


def _recognise(payload: Payload, _context: Context) -> Credential | None:
    return wrong("wrong.gs1") if _ELEMENTS.match(payload.text) else None


KIND = Kind("wrong.gs1", "label of goods (GS1)", _recognise)
