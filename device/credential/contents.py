"""What a pass says about itself before anybody has checked it: for people who look into one, never for gates.

Only names of claims, times and gates: who holds it is not told.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from device.credential import base45, claims
from device.credential.cose import claims_of, open_sign1
from device.credential.cwt import ONCE, ROTATES
from device.credential.flaw import Flawed
from device.credential.jose import open_compact, read_object
from device.credential.possession import CONFIRMATION

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from device.credential.signature import Algorithm

_CWT_NAMES: Mapping[int | str, str] = {
    1: "issuer",
    2: "subject",
    3: "audience",
    4: "expires",
    5: "not_before",
    6: "issued_at",
    7: "number",
    CONFIRMATION: "holder_key",
    ROTATES: "rotates",
    ONCE: "once",
}
_JWS_NAMES: Mapping[int | str, str] = {
    "iss": "issuer",
    "sub": "subject",
    "aud": "audience",
    "exp": "expires",
    "nbf": "not_before",
    "iat": "issued_at",
    "jti": "number",
}
_UNSAFE = re.compile(r"[^A-Za-z0-9._:/+=-]")
"""Names the message itself chooses go to a terminal."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a pass says. Nothing of it is believed.

    Attributes:
        claims: names of the claims it holds.
        not_before: start of validity.
        expires: end of validity.
        audience: gates it is for; empty when it names none.
        algorithm: it claims to be signed with; None when it is not known here.
        kid: of the key it names, hex digits; empty when it names none.
    """

    claims: tuple[str, ...]
    not_before: datetime | None
    expires: datetime | None
    audience: tuple[str, ...]
    algorithm: Algorithm | None
    kid: str


def contents_of(text: str) -> Contents | None:
    """The contents of a pass, CWT in base45 or compact JWS; None when it is neither. Raises nothing."""
    for read in (_cwt, _jws):
        try:
            return read(text)
        except Flawed:
            continue
    return None


def _cwt(text: str) -> Contents:
    message = open_sign1(base45.decode(text.rstrip("\r\n")))
    kid = message.kid.hex() if message.kid else ""
    return _contents(claims_of(message.payload), _CWT_NAMES, message.algorithm, kid)


def _jws(text: str) -> Contents:
    message = open_compact(text.rstrip("\r\n"))
    kid = _safe(message.kid.decode("utf-8", "replace")) if message.kid else ""
    found: dict[int | str, object] = {}
    found.update(read_object(message.payload))
    return _contents(found, _JWS_NAMES, message.algorithm, kid)


def _contents(
    found: Mapping[int | str, object], names: Mapping[int | str, str], algorithm: Algorithm | None, kid: str
) -> Contents:
    by_name = {names.get(name, _safe(str(name))): claim for name, claim in found.items()}
    return Contents(
        claims=tuple(by_name),
        not_before=claims.moment(by_name.get("not_before")),
        expires=claims.moment(by_name.get("expires")),
        audience=claims.audience(by_name.get("audience")),
        algorithm=algorithm,
        kid=kid,
    )


def _safe(name: str) -> str:
    return _UNSAFE.sub("?", name)[:64]
