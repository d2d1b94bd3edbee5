"""SMART Health Card: ``shc:/`` and digit pairs (value + 45), a JWS with ES256 and a raw DEFLATE payload.

Taken by a gate only when `policy.accept` names it and the trust list has issuers for it. A card in several
codes is not put together: each part alone is malformed.

Source: SMART Health Cards Framework 1.4. It has no identifier of the person; lists cannot name one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from device.credential import claims
from device.credential.flaw import Flawed
from device.credential.inflate import inflate
from device.credential.jose import Json, open_compact, read_object
from device.credential.kinds import Context, Kind, malformed
from device.credential.person import clean_name, day
from device.credential.trust import TrustedKey, Use
from device.model import Credential, Standing

if TYPE_CHECKING:
    from datetime import date

    from device.credential.payload import Payload

_WORD = "shc"
_HEAD = re.compile(r"shc:/", re.IGNORECASE)
_HEADS = ("shc:/", "SHC:/")
"""Written either way; a mixture is no spelling but a flipped bit."""
_PAIRS = re.compile(r"(?:[0-9]{2})+")
_OFFSET = 45
_LARGEST_PAIR = 77  # 'z' is 122
_BORN = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")


def _recognise(payload: Payload, context: Context) -> Credential | None:
    if not _HEAD.match(payload.text):
        return None
    try:
        message = open_compact(_unpaired(payload.text))
        signer = message.signer(context.trust)
        if not isinstance(signer, TrustedKey):
            return Credential(kind=_WORD, standing=signer)
        if Use.SHC not in signer.uses:
            return Credential(kind=_WORD, standing=Standing.UNKNOWN_ISSUER, detail="key_not_for_this_use")
        compressed = message.header.get("zip") == "DEF"
        return _card(
            read_object(inflate(message.payload, raw=True) if compressed else message.payload), signer
        )
    except Flawed as flaw:
        return malformed(_WORD, flaw.word)


def _unpaired(text: str) -> str:
    head, digits = text[: len(_HEADS[0])], text[len(_HEADS[0]) :]
    if head not in _HEADS:
        raise Flawed("digit_pairs")
    if "/" in digits:
        raise Flawed("in_several_codes")
    if not _PAIRS.fullmatch(digits):
        raise Flawed("digit_pairs")
    values = [int(digits[at : at + 2]) for at in range(0, len(digits), 2)]
    if max(values) > _LARGEST_PAIR:
        raise Flawed("digit_pairs")
    return "".join(chr(value + _OFFSET) for value in values)


def _card(found: dict[str, Json], signer: TrustedKey) -> Credential:
    patient = _patient(found)
    name, warnings = _name(patient.get("name"))
    return Credential(
        kind=_WORD,
        standing=Standing.VERIFIED,
        name=name,
        born=_born(patient.get("birthDate")),
        not_before=claims.later(claims.moment(found.get("nbf"), required=True), signer.not_before),
        expires=claims.earlier(claims.moment(found.get("exp")), signer.not_after),
        issuer=signer.issuer,
        warnings=warnings,
    )


def _patient(found: dict[str, Json]) -> dict[str, Json]:
    match found:
        case {"vc": {"credentialSubject": {"fhirBundle": {"entry": list() as entries}}}}:
            pass
        case _:
            raise Flawed("claims")
    for entry in entries:
        match entry:
            case {"resource": dict() as resource} if resource.get("resourceType") == "Patient":
                return resource
            case _:
                pass
    raise Flawed("claims")


def _name(names: Json) -> tuple[str, tuple[str, ...]]:
    match names:
        case [dict() as first, *_]:
            given = first.get("given")
            parts = [first.get("family"), *(given if isinstance(given, list) else [])]
            name, warnings = clean_name(" ".join(part for part in parts if isinstance(part, str)))
            return name, tuple(word for word in warnings if word != "name_not_latin")
        case _:
            return "", ("name_missing",)


def _born(text: Json) -> date | None:
    written = _BORN.fullmatch(text) if isinstance(text, str) else None
    return day(*written.groups()) if written else None


KIND = Kind(_WORD, "SMART Health Card", _recognise)
