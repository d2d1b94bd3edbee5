"""When certificates end, so that somebody renews them in time. Pure.

The standard library tells a peer's dates after a handshake, but not those of our own file; the few bytes
of DER that say it are read here (RFC 5280, 4.1).
"""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_SEQUENCE = 0x30
_VERSION = 0xA0
_UTC_TIME = 0x17
_GENERALIZED_TIME = 0x18
# A length of 128 and more is written as the number of its own bytes with this bit set.
_LONG = 0x80
# RFC 5280: UTCTime years 50 to 99 are of the last century.
_PIVOT = 50


def end_of_peer(certificate: Mapping[str, object] | None) -> datetime | None:
    """The end of a peer's certificate, as `SSLSocket.getpeercert` gives it; None when it does not."""
    end = (certificate or {}).get("notAfter")
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(end), UTC) if isinstance(end, str) else None


def end_of_file(pem: str) -> datetime | None:
    """The end of the first certificate in a PEM file; None when there is none that can be read."""
    begin, end = pem.find(ssl.PEM_HEADER), pem.find(ssl.PEM_FOOTER)
    if begin < 0 or end < begin:
        return None
    try:
        return _not_after(ssl.PEM_cert_to_DER_cert(pem[begin : end + len(ssl.PEM_FOOTER)]))
    except (ValueError, IndexError):
        return None


def _not_after(der: bytes) -> datetime:
    _, certificate, _ = _part(der)
    _, body, _ = _part(certificate)
    tag, _, rest = _part(body)
    if tag == _VERSION:
        body = rest
    _, _, rest = _part(body)  # serial number
    _, _, rest = _part(rest)  # signature algorithm
    _, _, rest = _part(rest)  # issuer
    tag, validity, _ = _part(rest)
    if tag != _SEQUENCE:
        raise ValueError("no validity where it belongs")
    _, _, rest = _part(validity)  # not before
    tag, text, _ = _part(rest)
    return _time(tag, text.decode("ascii"))


def _part(der: bytes) -> tuple[int, bytes, bytes]:
    """Tag and content of the first element, and what follows it."""
    tag, length, at = der[0], der[1], 2
    if length & _LONG:
        at += length & ~_LONG
        length = int.from_bytes(der[2:at], "big")
    if at + length > len(der):
        raise ValueError("cut short")
    return tag, der[at : at + length], der[at + length :]


def _time(tag: int, text: str) -> datetime:
    if tag == _UTC_TIME:
        century = "19" if int(text[:2]) >= _PIVOT else "20"
        text = century + text
    elif tag != _GENERALIZED_TIME:
        raise ValueError("not a time")
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
