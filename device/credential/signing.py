"""An issuer's private key, and passes signed with it: what `cwt` and `jws` verify.

Ed25519 by default: its keys and signatures are small and need no randomness to be safe. ES256 is there
for issuers whose key lives in hardware that knows nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from device.credential import base45, cbor
from device.credential.cose import ROTATING_CODE, open_sign1, to_be_signed
from device.credential.cwt import ONCE, ROTATES
from device.credential.flaw import Flawed
from device.credential.possession import (
    CONFIRMATION,
    COUNTERSIGNATURE,
    as_confirmation,
    protected_header,
    to_be_countersigned,
)
from device.credential.signature import KID_BYTES, Algorithm

if TYPE_CHECKING:
    from datetime import datetime

    from device.credential.cose import Sign1
    from device.credential.signature import PublicKey

_COSE_NAMES = {Algorithm.EDDSA: -8, Algorithm.ES256: -7}
_JOSE_NAMES = {Algorithm.EDDSA: "EdDSA", Algorithm.ES256: "ES256"}
_TAG_SIGN1 = b"\xd2"
_COORDINATE_BYTES = 32


class SigningKey:
    """A private key. Has no repr of its secret; never leaves the machine it was made on but as a file.

    Raises:
        Flawed: `pem` is no unencrypted Ed25519 or P-256 private key.
    """

    __slots__ = ("_key", "algorithm", "kid", "spki")

    def __init__(self, pem: bytes) -> None:
        try:
            key = load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise Flawed("key") from None
        self._key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey
        match key:
            case ed25519.Ed25519PrivateKey():
                self._key, self.algorithm = key, Algorithm.EDDSA
            case ec.EllipticCurvePrivateKey() if isinstance(key.curve, ec.SECP256R1):
                self._key, self.algorithm = key, Algorithm.ES256
            case _:
                raise Flawed("key")
        self.spki = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.kid = hashlib.sha256(self.spki).digest()[:KID_BYTES]

    @staticmethod
    def generate(algorithm: Algorithm = Algorithm.EDDSA) -> bytes:
        """A new key as unencrypted PKCS #8 PEM, for a file only its owner can read."""
        key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey
        match algorithm:
            case Algorithm.EDDSA:
                key = ed25519.Ed25519PrivateKey.generate()
            case Algorithm.ES256:
                key = ec.generate_private_key(ec.SECP256R1())
            case Algorithm.PS256:
                raise ValueError("passes are not signed with RSA: such a code would be too large")
        return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @property
    def public_pem(self) -> bytes:
        """The public half, SubjectPublicKeyInfo in PEM."""
        return self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, message: bytes) -> bytes:
        """The signature, as COSE and JOSE write it."""
        match self._key:
            case ed25519.Ed25519PrivateKey() as key:
                return key.sign(message)
            case ec.EllipticCurvePrivateKey() as key:
                r, s = decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
                return r.to_bytes(_COORDINATE_BYTES, "big") + s.to_bytes(_COORDINATE_BYTES, "big")


@dataclass(frozen=True, slots=True)
class Grant:
    """What a pass says.

    Attributes:
        subject: who may pass, as the issuer numbers people; lists name them `issuer/subject`.
        expires: end of validity, exclusive.
        not_before: start of validity, inclusive; None begins at once.
        audience: the gates it is for; empty means every gate that trusts the issuer.
        number: of this very pass, so that one can be told from the next.
        issuer: who issues it, for people; gates believe the key instead. Empty leaves it out.
        rotates: it must be shown with a changing code, see `rotation`; needs a number. As CWT only.
        once: it is good for one passage; needs a number. As CWT only.
        holder: it must be shown with a proof of this key, see `possession`. As CWT only.
    """

    subject: str
    expires: datetime
    not_before: datetime | None = None
    audience: tuple[str, ...] = ()
    number: bytes = b""
    issuer: str = ""
    rotates: bool = False
    once: bool = False
    holder: PublicKey | None = None


def cwt_pass(grant: Grant, key: SigningKey, *, rotating_code: int | None = None) -> str:
    """The pass as a CWT in base45: the text for the QR code. Not compressed: it would not get shorter.

    `rotating_code` goes into the unprotected header, which the signature does not cover: the holder's
    application replaces it every half minute without the issuer.
    """
    claims = {
        1: grant.issuer,
        2: grant.subject,
        3: _audience(grant),
        4: int(grant.expires.timestamp()),
        5: int(grant.not_before.timestamp()) if grant.not_before else None,
        7: grant.number,
        CONFIRMATION: as_confirmation(grant.holder) if grant.holder else None,
        ROTATES: grant.rotates,
        ONCE: grant.once,
    }
    payload = cbor.encode({name: claim for name, claim in claims.items() if claim})
    protected = cbor.encode({1: _COSE_NAMES[key.algorithm], 4: key.kid})
    signature = key.sign(to_be_signed(protected, payload))
    unprotected: dict[int | str, cbor.Plain] = {} if rotating_code is None else {ROTATING_CODE: rotating_code}
    return base45.encode(_TAG_SIGN1 + cbor.encode([protected, unprotected, payload, signature]))


def with_rotating_code(text: str, code: int) -> str:
    """A CWT pass as its holder shows it, with the code of the moment. Needs no key: the code is not signed.

    Raises:
        Flawed: the text is no CWT in base45.
    """
    return _shown(open_sign1(base45.decode(text)), {ROTATING_CODE: code})


def with_proof(text: str, key: SigningKey, made_at: datetime) -> str:
    """A CWT pass as its holder shows it, countersigned with the holder's key. A changing code stays.

    Raises:
        Flawed: the text is no CWT in base45.
    """
    message = open_sign1(base45.decode(text))
    own_header = protected_header(_COSE_NAMES[key.algorithm], made_at)
    signature = key.sign(
        to_be_countersigned(message.protected, own_header, message.payload, message.signature)
    )
    shown: dict[int | str, cbor.Plain] = {COUNTERSIGNATURE: [own_header, {}, signature]}
    if message.rotating_code is not None:
        shown[ROTATING_CODE] = message.rotating_code
    return _shown(message, shown)


def _shown(message: Sign1, unprotected: dict[int | str, cbor.Plain]) -> str:
    parts: list[cbor.Plain] = [message.protected, unprotected, message.payload, message.signature]
    return base45.encode(_TAG_SIGN1 + cbor.encode(parts))


def jws_pass(grant: Grant, key: SigningKey) -> str:
    """The same pass as compact JWS, for readers that know JOSE only; about twice as long."""
    claims: dict[str, Any] = {
        "iss": grant.issuer,
        "sub": grant.subject,
        "aud": _audience(grant),
        "exp": int(grant.expires.timestamp()),
        "nbf": int(grant.not_before.timestamp()) if grant.not_before else None,
        "jti": grant.number.hex(),
    }
    header = {"alg": _JOSE_NAMES[key.algorithm], "kid": key.kid.hex()}
    present = {name: claim for name, claim in claims.items() if claim}
    signed = f"{_b64url(_json(header))}.{_b64url(_json(present))}"
    return f"{signed}.{_b64url(key.sign(signed.encode()))}"


def _audience(grant: Grant) -> Any:  # noqa: ANN401 - both formats take one text, a list, or nothing
    match grant.audience:
        case ():
            return None
        case (gate,):
            return gate
        case several:
            return list(several)


def _json(item: dict[str, Any]) -> bytes:
    return json.dumps(item, ensure_ascii=False, separators=(",", ":")).encode()


def _b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
