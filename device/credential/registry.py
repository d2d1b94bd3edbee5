"""All kinds, and `parse`: any bytes to exactly one credential."""

from __future__ import annotations

import re
from dataclasses import replace

from device.credential import bhyt, cccd, cwt, dcc, jws, national, shc
from device.credential.kinds import Context, Kind, malformed, wrong
from device.credential.payload import Encoding, Payload, read
from device.credential.trust import NOBODY, Trust
from device.credential.wrong import boarding, gs1, payment, schemes, url
from device.model import Credential, Standing

KINDS: tuple[Kind, ...] = (
    cccd.KIND,
    national.KIND,
    bhyt.KIND,
    dcc.KIND,
    cwt.PASS,
    cwt.IDENTITY,
    jws.KIND,
    shc.KIND,
    url.POSTER,
    url.URL,
    payment.KIND,
    boarding.KIND,
    gs1.KIND,
    *schemes.KINDS,
)
"""Everything that is recognised. The order is of no consequence: no payload is claimed by two kinds."""

LEFTOVERS = {
    "wrong.digits": "digits, as on goods",
    "wrong.text": "text of no known kind",
    "wrong.binary": "bytes that are no text",
}
"""What a payload is that nobody claims."""

PERSONAL_KINDS: frozenset[str] = frozenset(k.word for k in KINDS if not k.word.startswith("wrong."))
"""The words `policy.accept` may name."""

PASS_KINDS: frozenset[str] = frozenset({cwt.PASS.word, jws.KIND.word})
"""Issued by an organisation for its own gates: they name a pass rather than a person."""

_ABOUT = {kind.word: kind.about for kind in KINDS} | LEFTOVERS

_DIGITS = re.compile(r"\s*[0-9]+\s*")


def parse(content: bytes, *, poster_hosts: frozenset[str] = frozenset(), trust: Trust = NOBODY) -> Credential:
    """What the bytes of a code claim to be. Pure; raises nothing.

    Unsigned kinds take tens of microseconds, a signature some 300, the worst content known 3 ms.

    Args:
        content: as the decoder found it.
        poster_hosts: lower-case host names of location posters; their subdomains count as well.
        trust: whose signatures count; nobody's by default.
    """
    payload = read(content)
    context = Context(poster_hosts=poster_hosts, trust=trust)
    for kind in KINDS:
        found = kind.recognise(payload, context)
        if found is not None:
            return _as_read(found, payload)
    return _leftover(payload)


def about(word: str) -> str:
    """A kind in words for a technician."""
    return _ABOUT[word]


def _as_read(found: Credential, payload: Payload) -> Credential:
    """The credential with what its encoding says about it."""
    match found.standing:
        case Standing.WRONG_KIND | Standing.MALFORMED | Standing.UNKNOWN_ISSUER | Standing.BAD_SIGNATURE:
            return found
        case Standing.CLAIMED | Standing.VERIFIED:
            if payload.encoding is Encoding.LATIN1:
                return malformed(found.kind, "not_utf8")
            return replace(found, warnings=payload.warnings + found.warnings)


def _leftover(payload: Payload) -> Credential:
    match payload.encoding:
        case Encoding.NONE | Encoding.LATIN1:
            return wrong("wrong.binary")
        case Encoding.UTF8 | Encoding.UTF16:
            return wrong("wrong.digits" if _DIGITS.fullmatch(payload.text) else "wrong.text")
