"""EU Digital COVID Certificate, the format of Viet Nam's vaccine passport too: ``HC1:``.

base45, zlib, COSE_Sign1, claims: 1 issuer, 4 expires, 6 issued at, -260 -> 1 certificate. Nothing of it is
believed before a key of the trust list has signed it and that key may sign this kind of certificate.
Its own schema is not judged: most deviations are value sets and older versions, and no gate's concern.

Source: hcert specification (ehn-dcc-development), Regulation (EU) 2021/953; Viet Nam: Decision
5772/QĐ-BYT of 20 December 2021.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from device.credential import base45, claims
from device.credential.cose import Sign1, claims_of, open_sign1
from device.credential.flaw import Flawed
from device.credential.inflate import inflate
from device.credential.kinds import Context, Kind, malformed
from device.credential.person import clean_name, day
from device.credential.trust import TrustedKey, Use
from device.model import Credential, Standing

if TYPE_CHECKING:
    from datetime import date, datetime

    from device.credential.cbor import Plain
    from device.credential.payload import Payload

_WORD = "eu.dcc"
_PREFIX = "HC1:"
_CLAIMS_PREFIX = re.compile(r"[Hh][Cc][0-9A-Za-z]:")
_EXPIRES, _ISSUED_AT, HEALTH_CLAIM = 4, 6, -260
_ENTRIES = {"t": Use.DCC_TEST, "v": Use.DCC_VACCINATION, "r": Use.DCC_RECOVERY}
_BORN = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")


def _recognise(payload: Payload, context: Context) -> Credential | None:
    if not _CLAIMS_PREFIX.match(payload.text):
        return None
    if not payload.text.startswith(_PREFIX):
        return malformed(_WORD, "version")
    try:
        message = open_sign1(inflate(base45.decode(payload.text.removeprefix(_PREFIX))))
        return _checked(message, context)
    except Flawed as flaw:
        return malformed(_WORD, flaw.word)


def _checked(message: Sign1, context: Context) -> Credential:
    signer = message.signer(context.trust)
    if not isinstance(signer, TrustedKey):
        return Credential(kind=_WORD, standing=signer)
    found = claims_of(message.payload)
    health = found.get(HEALTH_CLAIM)
    certificate = health.get(1) if isinstance(health, dict) else None
    if not isinstance(certificate, dict):
        raise Flawed("claims")
    uses = {use for entry, use in _ENTRIES.items() if certificate.get(entry)}
    if not uses <= signer.uses:
        return Credential(kind=_WORD, standing=Standing.UNKNOWN_ISSUER, detail="key_not_for_this_use")
    name, warnings = _name(certificate.get("nam"))
    return Credential(
        kind=_WORD,
        standing=Standing.VERIFIED,
        identifier=_identifier(certificate),
        name=name,
        born=_born(certificate.get("dob")),
        not_before=claims.later(claims.moment(found.get(_ISSUED_AT)), signer.not_before),
        expires=claims.earlier(_end(found.get(_EXPIRES)), signer.not_after),
        issuer=signer.issuer,
        warnings=warnings,
    )


def _end(claim: Plain) -> datetime | None:
    """The first moment after the certificate's last second: the hcert specification counts it in."""
    expires = claims.moment(claim, required=True)
    return expires + timedelta(seconds=1) if expires else None


def _identifier(certificate: dict[int | str, Plain]) -> str:
    """The UVCI of the first entry that has one: unique to the certificate, not to the person."""
    for entry in _ENTRIES:
        match certificate.get(entry):
            case [{"ci": str(number)}, *_] if number.isprintable():
                return number.strip().upper()
            case _:
                pass
    return ""


def _name(names: Plain) -> tuple[str, tuple[str, ...]]:
    parts = [names.get("fn"), names.get("gn")] if isinstance(names, dict) else []
    name, warnings = clean_name(" ".join(part for part in parts if isinstance(part, str)))
    return name, tuple(word for word in warnings if word != "name_not_latin")


def _born(text: Plain) -> date | None:
    written = _BORN.match(text) if isinstance(text, str) else None
    return day(*written.groups()) if written else None


KIND = Kind(_WORD, "EU Digital COVID Certificate, vaccine passport (HC1)", _recognise)
