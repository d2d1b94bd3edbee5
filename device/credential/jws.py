"""Gate pass as compact JWS, for issuers who have JOSE already: EdDSA (Ed25519) or ES256.

Claims of RFC 7519: `sub` or `jti`, `aud` the gates it is for, `exp` (required), `nbf`. Who issued it is
told by the key, not by `iss`: a key speaks for its own issuer only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from device.credential import claims
from device.credential.flaw import Flawed
from device.credential.jose import BEGINNING, open_compact, read_object
from device.credential.kinds import Context, Kind, malformed
from device.credential.trust import TrustedKey, Use
from device.model import Credential, Standing

if TYPE_CHECKING:
    from device.credential.jose import Json
    from device.credential.payload import Payload

_WORD = "jws.pass"


def _recognise(payload: Payload, context: Context) -> Credential | None:
    if not BEGINNING.match(payload.text):
        return None
    try:
        message = open_compact(payload.text)
        signer = message.signer(context.trust)
        if not isinstance(signer, TrustedKey):
            return Credential(kind=_WORD, standing=signer)
        if Use.PASS not in signer.uses:
            return Credential(kind=_WORD, standing=Standing.UNKNOWN_ISSUER, detail="key_not_for_this_use")
        return _pass(read_object(message.payload), signer)
    except Flawed as flaw:
        return malformed(_WORD, flaw.word)


def _pass(found: dict[str, Json], signer: TrustedKey) -> Credential:
    subject, number = claims.text(found.get("sub"), "subject"), claims.text(found.get("jti"), "id")
    if not subject and not number:
        raise Flawed("subject")
    if "cnf" in found:
        # It is bound to its holder's key, which only the CWT form can prove: taken as it is, a copy would do.
        raise Flawed("confirmation")
    return Credential(
        kind=_WORD,
        standing=Standing.VERIFIED,
        identifier=f"{signer.issuer}/{subject or number}",
        not_before=claims.later(claims.moment(found.get("nbf")), signer.not_before),
        expires=claims.earlier(claims.moment(found.get("exp"), required=True), signer.not_after),
        issuer=signer.issuer,
        audience=claims.audience(found.get("aud")),
    )


KIND = Kind(_WORD, "gate pass (compact JWS)", _recognise)
