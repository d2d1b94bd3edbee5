"""COSE_Sign1 (RFC 9052): taken apart strictly, checked against a trust list.

The message may stand alone or under the tags 18 (COSE_Sign1) and 61 (CWT). Algorithm and kid in the
protected header win over those in the unprotected one. That the latter count at all gives nothing away:
every key checks by one algorithm only, and another kid is another key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from device.credential import cbor
from device.credential.flaw import Flawed
from device.credential.possession import (
    COUNTERSIGNATURE,
    Countersignature,
    countersignature,
    to_be_countersigned,
)
from device.credential.signature import Algorithm

if TYPE_CHECKING:
    from device.credential.cbor import Plain
    from device.credential.signature import PublicKey
    from device.credential.trust import Trust, TrustedKey
    from device.model import Standing

_TAG_CWT = b"\xd8\x3d"
_TAG_SIGN1 = b"\xd2"
_ALG, _CRIT, _KID = 1, 2, 4
_MAX_KID_BYTES = 64

ROTATING_CODE = -70001
"""Header for the changing code; RFC 9052 leaves everything below -65536 to private use."""

ALGORITHMS = {
    -7: Algorithm.ES256,
    -9: Algorithm.ES256,  # ESP256, RFC 9864
    -8: Algorithm.EDDSA,
    -19: Algorithm.EDDSA,  # Ed25519, RFC 9864
    -37: Algorithm.PS256,
}


@dataclass(frozen=True, slots=True, repr=False)
class Sign1:
    """A signed message, not yet checked. Nothing in `payload` may be believed before `signer` is asked.

    Attributes:
        protected: the protected header as it was signed.
        payload: what was signed.
        signature: over both.
        algorithm: None when it names one that is not known here.
        kid: names the key; None when it names none.
        rotating_code: of the moment, see `rotation`; not signed, and no need: it proves itself.
        countersigned: by the holder, see `possession`; None when it is not.
    """

    protected: bytes
    payload: bytes
    signature: bytes
    algorithm: Algorithm | None
    kid: bytes | None
    rotating_code: int | None = None
    countersigned: Countersignature | None = None

    def signer(self, trust: Trust) -> TrustedKey | Standing:
        """Who signed it, see `Trust.signer`. Raises Flawed for an algorithm that is not known."""
        if self.algorithm is None:
            raise Flawed("algorithm")
        return trust.signer(
            kid=self.kid,
            algorithm=self.algorithm,
            message=to_be_signed(self.protected, self.payload),
            signature=self.signature,
        )

    def is_countersigned_by(self, key: PublicKey, algorithm: Algorithm) -> bool:
        """Whether the countersignature is this key's."""
        own = self.countersigned
        if own is None or ALGORITHMS.get(own.algorithm) is not algorithm:
            return False
        message = to_be_countersigned(self.protected, own.protected, self.payload, self.signature)
        return key.verifies(algorithm, message, own.signature)


def to_be_signed(protected: bytes, payload: bytes) -> bytes:
    """`Sig_structure` of RFC 9052, section 4.4, without external data."""
    return cbor.encode(["Signature1", protected, b"", payload])


def open_sign1(data: bytes) -> Sign1:
    """Takes a message apart. Raises Flawed."""
    match cbor.decode(data.removeprefix(_TAG_CWT).removeprefix(_TAG_SIGN1)):
        case [bytes() as protected, dict() as unprotected, bytes() as payload, bytes() as signature]:
            pass
        case _:
            raise Flawed("cose")
    header = _map(cbor.decode(protected)) if protected else {}
    if _CRIT in header or _CRIT in unprotected:
        # Critical headers ask for something that must be understood, and nothing such is understood here.
        raise Flawed("critical_header")
    alg = header.get(_ALG, unprotected.get(_ALG))
    kid = header.get(_KID, unprotected.get(_KID))
    if kid is not None and (not isinstance(kid, bytes) or len(kid) > _MAX_KID_BYTES):
        raise Flawed("kid")
    code, proof = unprotected.get(ROTATING_CODE), unprotected.get(COUNTERSIGNATURE)
    return Sign1(
        protected=protected,
        payload=payload,
        signature=signature,
        algorithm=ALGORITHMS.get(alg) if isinstance(alg, int) else None,
        kid=kid,
        rotating_code=code if isinstance(code, int) and not isinstance(code, bool) else None,
        countersigned=countersignature(proof) if proof is not None else None,
    )


def _map(item: Plain) -> dict[int | str, Plain]:
    if not isinstance(item, dict):
        raise Flawed("cose")
    return item


def claims_of(payload: bytes) -> dict[int | str, Plain]:
    """The claims set of a CWT. Raises Flawed."""
    claims = cbor.decode(payload)
    if not isinstance(claims, dict):
        raise Flawed("claims")
    return claims
