"""Kinds that are told by their first characters: contacts, Wi-Fi, phone numbers and the like.

Sources: the de-facto formats of phone cameras (ZXing's "Barcode Contents"), RFC 6350 (vCard), RFC 5545
(iCalendar), RFC 3966 (tel), RFC 5870 (geo), RFC 6068 (mailto), the otpauth key URI format.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from device.credential.kinds import Context, Kind, wrong

if TYPE_CHECKING:
    from collections.abc import Mapping

    from device.credential.payload import Payload
    from device.model import Credential

_KINDS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "wrong.wifi": ("Wi-Fi network", ("wifi:", "dpp:")),
    "wrong.contact": ("contact", ("begin:vcard", "mecard:", "bizcard:")),
    "wrong.event": ("calendar entry", ("begin:vevent", "begin:vcalendar")),
    "wrong.otp": ("secret of a code generator", ("otpauth:", "otpauth-migration:")),
    "wrong.tel": ("phone number", ("tel:", "facetime:")),
    "wrong.sms": ("text message", ("smsto:", "sms:", "mmsto:", "mms:")),
    "wrong.email": ("e-mail", ("mailto:", "matmsg:", "smtp:")),
    "wrong.geo": ("place on a map", ("geo:",)),
}

HEADS = tuple(head for _, heads in _KINDS.values() for head in heads)

_LONGEST_HEAD = max(map(len, HEADS))
_LOOK_AT = 64
"""Characters in which the head is looked for: some generators put a few spaces or lines before it."""


def _kind(word: str, about: str, heads: tuple[str, ...]) -> Kind:
    def recognise(payload: Payload, _context: Context) -> Credential | None:
        beginning = payload.text[:_LOOK_AT].lstrip()[:_LONGEST_HEAD].lower()
        return wrong(word) if beginning.startswith(heads) else None

    return Kind(word, about, recognise)


KINDS = tuple(_kind(word, about, heads) for word, (about, heads) in _KINDS.items())
