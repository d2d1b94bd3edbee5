"""Passes that are a CWT in base45, with or without zlib: our own gate pass, and claim 169 identities.

A gate pass is a COSE_Sign1 over standard claims only (RFC 8392): 1 issuer, 2 subject, 3 gates it is for,
4 expires (required), 5 not before, 6 issued at, 7 id, 8 its holder's key (RFC 8747). It needs a subject or
an id; it names nobody. Who issued it is told by the key, not by claim 1: a key speaks for its own issuer
only. It is the smallest code that can be verified: 178 to 233 characters, where the same as compact JWS has
296 to 412.

Claim 169 is an identity in a CWT (MOSIP, IANA registered): 1 id, 4 full name, 8 date of birth.

The prefix HC1 belongs to health certificates: one without it is refused, however well it is signed.
"""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING

from device.credential import base45, claims
from device.credential.cose import Sign1, claims_of, open_sign1
from device.credential.dcc import HEALTH_CLAIM
from device.credential.flaw import Flawed
from device.credential.inflate import inflate
from device.credential.kinds import Context, Kind, malformed
from device.credential.person import clean_name, day
from device.credential.possession import CONFIRMATION, confirmation_key
from device.credential.rotation import pass_key
from device.credential.trust import TrustedKey, Use
from device.model import Credential, Possession, Rotation, Standing

if TYPE_CHECKING:
    from datetime import date

    from device.credential.cbor import Plain
    from device.credential.payload import Payload

_PASS = "cwt.pass"  # noqa: S105 - a wire word
_IDENTITY = "cwt.claim169"
_SUBJECT, _AUDIENCE, _EXPIRES, _NOT_BEFORE, _ID = 2, 3, 4, 5, 7
_IDENTITY_CLAIM = 169
ROTATES = -70001
"""Claim: true for a pass that must be shown with a changing code; RFC 8392 leaves it to private use."""
ONCE = -70002
"""Claim: true for a pass that is good for one passage. It is known by its number, whoever holds it."""
_NUMBER, _NAME, _BORN = 1, 4, 8
_DATE = re.compile(r"([0-9]{4})[-/]?([0-9]{2})[-/]?([0-9]{2})")

_SHORTEST_CHARACTERS = 120
"""A COSE_Sign1 with an empty payload and a signature of 64 bytes has more; shorter text is no pass."""

_HEAD_CHARACTERS = 510
"""340 bytes: a compressed stream may begin with a table of some 100 before its first byte comes out."""

_BASE45 = re.compile(r"[0-9A-Z $%*+./:-]+")
_BEGINNING = re.compile(rb"(?:\xd8\x3d)?\xd2?\x84[\x40-\x58]")
"""COSE_Sign1: under the tags 61 and 18 or neither, four items, the first of them a short byte string."""
_ZLIB_HEADS = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")


def _message(payload: Payload) -> bytes | None:
    """The bytes of a COSE message when the text begins like one; Flawed when it then breaks off."""
    text = payload.text
    if len(text) < _SHORTEST_CHARACTERS or not _BASE45.fullmatch(text.rstrip("\r\n")):
        return None
    head = _head(text)
    if head.startswith(_ZLIB_HEADS):
        return inflate(base45.decode(text)) if _BEGINNING.match(_inflated_head(text)) else None
    return base45.decode(text) if _BEGINNING.match(head) else None


def _head(text: str) -> bytes:
    """The first bytes, or nothing when they are not base45."""
    whole_groups = text.rstrip("\r\n")[:_HEAD_CHARACTERS]
    try:
        return base45.decode(whole_groups[: len(whole_groups) // 3 * 3])
    except Flawed:
        return b""


def _inflated_head(text: str) -> bytes:
    try:
        return zlib.decompressobj().decompress(_head(text), 8)
    except zlib.error:
        return b""


def _claims_unchecked(message: Sign1) -> dict[int | str, Plain]:
    """The claims before the signature is checked: to tell the kind by, for nothing else."""
    try:
        return claims_of(message.payload)
    except Flawed:
        return {}


def _recognise(payload: Payload, context: Context, *, word: str) -> Credential | None:
    try:
        data = _message(payload)
        message = open_sign1(data) if data is not None else None
    except Flawed as flaw:
        return malformed(word, flaw.word) if word == _PASS else None
    if message is None or (_IDENTITY_CLAIM in _claims_unchecked(message)) is not (word == _IDENTITY):
        return None
    try:
        return _checked(message, context, word)
    except Flawed as flaw:
        return malformed(word, flaw.word)


def _checked(message: Sign1, context: Context, word: str) -> Credential:
    signer = message.signer(context.trust)
    if not isinstance(signer, TrustedKey):
        return Credential(kind=word, standing=signer)
    if (Use.IDENTITY if word == _IDENTITY else Use.PASS) not in signer.uses:
        return Credential(kind=word, standing=Standing.UNKNOWN_ISSUER, detail="key_not_for_this_use")
    found = claims_of(message.payload)
    if HEALTH_CLAIM in found:
        raise Flawed("health_certificate_without_prefix")
    return _identity(found, signer) if word == _IDENTITY else _pass(found, signer, message)


def _pass(found: dict[int | str, Plain], signer: TrustedKey, message: Sign1) -> Credential:
    subject, number = claims.text(found.get(_SUBJECT), "subject"), found.get(_ID, b"")
    if not isinstance(number, bytes):
        raise Flawed("id")
    if not subject and not number:
        raise Flawed("subject")
    rotates = found.get(ROTATES, False)
    if not isinstance(rotates, bool) or (rotates and not number):
        raise Flawed("rotation")
    once = found.get(ONCE, False)
    if not isinstance(once, bool) or (once and not number):
        raise Flawed("once")
    if rotates and not signer.rotation_secret:
        return Credential(kind=_PASS, standing=Standing.UNKNOWN_ISSUER, detail="rotation_secret_missing")
    possession = _possession(found, message)
    if isinstance(possession, Standing):
        return Credential(kind=_PASS, standing=possession, detail="not_the_holders_key")
    return Credential(
        kind=_PASS,
        standing=Standing.VERIFIED,
        identifier=f"{signer.issuer}/{number.hex() if once or not subject else subject}",
        aliases=(f"{signer.issuer}/{subject}",) if once and subject else (),
        not_before=claims.later(claims.moment(found.get(_NOT_BEFORE)), signer.not_before),
        expires=claims.earlier(claims.moment(found.get(_EXPIRES), required=True), signer.not_after),
        issuer=signer.issuer,
        audience=claims.audience(found.get(_AUDIENCE)),
        rotation=Rotation(pass_key(signer.rotation_secret, number), message.rotating_code)
        if rotates
        else None,
        possession=possession,
        once=once,
    )


def _possession(found: dict[int | str, Plain], message: Sign1) -> Possession | Standing | None:
    """What a pass asks of whoever shows it; BAD_SIGNATURE for a proof that is not its holder's."""
    if CONFIRMATION not in found:
        return None
    key, algorithm = confirmation_key(found[CONFIRMATION])
    if message.countersigned is None:
        return Possession(None)
    if not message.is_countersigned_by(key, algorithm):
        return Standing.BAD_SIGNATURE
    return Possession(message.countersigned.made_at)


def _identity(found: dict[int | str, Plain], signer: TrustedKey) -> Credential:
    person = found.get(_IDENTITY_CLAIM)
    if not isinstance(person, dict):
        raise Flawed("claims")
    number = claims.text(person.get(_NUMBER), "identifier")
    name, warnings = clean_name(claims.text(person.get(_NAME), "name"))
    return Credential(
        kind=_IDENTITY,
        standing=Standing.VERIFIED,
        identifier=f"{signer.issuer}/{number}" if number else "",
        name=name,
        born=_date(claims.text(person.get(_BORN), "date_form")),
        not_before=claims.later(claims.moment(found.get(_NOT_BEFORE)), signer.not_before),
        expires=claims.earlier(claims.moment(found.get(_EXPIRES), required=True), signer.not_after),
        issuer=signer.issuer,
        audience=claims.audience(found.get(_AUDIENCE)),
        warnings=warnings,
    )


def _date(text: str) -> date | None:
    written = _DATE.fullmatch(text)
    return day(*written.groups()) if written else None


def _as_pass(payload: Payload, context: Context) -> Credential | None:
    return _recognise(payload, context, word=_PASS)


def _as_identity(payload: Payload, context: Context) -> Credential | None:
    return _recognise(payload, context, word=_IDENTITY)


PASS = Kind(_PASS, "gate pass (signed CWT)", _as_pass)
IDENTITY = Kind(_IDENTITY, "signed identity (CWT claim 169)", _as_identity)
