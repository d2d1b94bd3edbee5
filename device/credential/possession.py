"""Proof of possession: a pass that only the phone it was issued to can show.

The issuer puts the holder's public key into the signed claims (`cnf`, RFC 8747, a COSE_Key). Whoever shows
the pass adds a countersignature over it (RFC 9338, header 11, `CounterSignatureV2`), made with the private
key that never leaves the phone. Its protected header says when it was made: the claim `iat` (6) in header 15
(RFC 9597). The phone makes one every half minute; a screenshot is worth nothing a minute later, and who has
seen every pass a gate was ever shown can still make none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from device.credential import cbor, claims
from device.credential.flaw import Flawed
from device.credential.signature import Algorithm, PublicKey

if TYPE_CHECKING:
    from datetime import datetime

    from device.credential.cbor import Plain

CONFIRMATION = 8
"""Claim `cnf`."""

COUNTERSIGNATURE = 11
"""COSE header: countersignature version 2."""

_COSE_KEY = 1
_ALG, _CWT_CLAIMS, _ISSUED_AT = 1, 15, 6
_KTY, _CRV, _X, _Y = 1, -1, -2, -3
_OKP, _EC2 = 1, 2
_P256, _ED25519 = 1, 6
_COORDINATE_BYTES = 32
_CONTEXT = "CounterSignatureV2"


@dataclass(frozen=True, slots=True, repr=False)
class Countersignature:
    """As it was shown, not yet checked.

    Attributes:
        protected: its protected header as it was signed.
        signature: over the pass and this header.
        algorithm: number of the algorithm, as COSE has it.
        made_at: when the holder says it was made.
    """

    protected: bytes
    signature: bytes
    algorithm: int
    made_at: datetime


def countersignature(item: Plain) -> Countersignature:
    """Takes a header's value apart. Raises Flawed for all but one countersignature without more headers."""
    match item:
        case [bytes() as protected, dict() as unprotected, bytes() as signature] if not unprotected:
            header = cbor.decode(protected)
        case _:
            raise Flawed("countersignature")
    match header:
        case {1: int(algorithm), 15: {6: made_at, **more}, **others} if not more and not others:
            moment = claims.moment(made_at, required=True)
        case _:
            raise Flawed("countersignature")
    if moment is None or isinstance(algorithm, bool):
        raise Flawed("countersignature")
    return Countersignature(protected, signature, algorithm, moment)


def protected_header(algorithm: int, made_at: datetime) -> bytes:
    """The protected header of a countersignature, as its holder makes it."""
    return cbor.encode({_ALG: algorithm, _CWT_CLAIMS: {_ISSUED_AT: int(made_at.timestamp())}})


def to_be_countersigned(protected: bytes, own_header: bytes, payload: bytes, signature: bytes) -> bytes:
    """`Countersign_structure` of RFC 9338, section 3.3, for a COSE_Sign1 without external data.

    Args:
        protected: header of the pass.
        own_header: protected header of the countersignature.
        payload: of the pass.
        signature: of its issuer.
    """
    return cbor.encode([_CONTEXT, protected, own_header, b"", payload, [signature]])


def confirmation_key(claim: Plain) -> tuple[PublicKey, Algorithm]:
    """The holder's key in a `cnf` claim, and the one algorithm it signs by. Raises Flawed."""
    match claim:
        case {1: dict() as key, **others} if not others:
            found = _public(key)
        case _:
            found = None
    if found is None:
        raise Flawed("confirmation")
    return found


def _public(key: dict[int | str, Plain]) -> tuple[PublicKey, Algorithm] | None:
    try:
        match key:
            case {1: 1, -1: 6, -2: bytes() as x}:
                return PublicKey.ed25519(x), Algorithm.EDDSA
            case {1: 2, -1: 1, -2: bytes() as x, -3: (bytes() | bool()) as y} if len(x) == _COORDINATE_BYTES:
                # SEC 1, section 2.3.4: a whole point, or half of one and which of the two it is.
                point = b"\x04" + x + y if isinstance(y, bytes) else bytes([2 + y]) + x
                return PublicKey.p256(point), Algorithm.ES256
    except Flawed:
        pass
    return None


def as_confirmation(key: PublicKey) -> dict[int | str, Plain]:
    """A `cnf` claim with this key. Raises Flawed for a key that holders do not have (RSA)."""
    match key.coordinates():
        case (x,):
            return {_COSE_KEY: {_KTY: _OKP, _CRV: _ED25519, _X: x}}
        case (x, y):
            # Half a point: which of its two ordinates it is takes a bit, not 32 bytes.
            return {_COSE_KEY: {_KTY: _EC2, _CRV: _P256, _X: x, _Y: bool(y[-1] & 1)}}
        case _:
            raise Flawed("key")
