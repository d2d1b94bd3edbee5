"""Payment codes: EMVCo merchant-presented mode, of which VietQR is one.

``000201``, ``01`` and a two-digit length, then tag-length-value elements, and ``6304`` with a CRC-16 at
the end. A wrong checksum is still a payment code, and no business of a gate.
"""

from __future__ import annotations

import binascii
import re
from typing import TYPE_CHECKING

from device.credential.kinds import Context, Kind, wrong

if TYPE_CHECKING:
    from device.credential.payload import Payload
    from device.model import Credential

_HEAD = re.compile(r"000201(?:01021[12][0-9]{4}|(?:2[6-9]|[34][0-9]|5[01])[0-9]{6})")
"""Format indicator, then point of initiation (static 11, dynamic 12) or a merchant account (tags 26-51)."""
_CHECK = re.compile(r"6304[0-9A-Fa-f]{4}")


def _recognise(payload: Payload, _context: Context) -> Credential | None:
    text = payload.text.strip()
    if not _HEAD.match(text):
        return None
    return wrong("wrong.payment", "" if _checks(text) else "checksum")


def _checks(text: str) -> bool:
    if not _CHECK.fullmatch(text[-8:]):
        return False
    # CRC-16/CCITT-FALSE is binascii's CRC-CCITT begun at 0xFFFF.
    return binascii.crc_hqx(text[:-4].encode(), 0xFFFF) == int(text[-4:], 16)


KIND = Kind("wrong.payment", "payment code (EMVCo, VietQR)", _recognise)
