"""An issuer with keys of its own, who signs certificates and passes of every kind, and forges them."""

from __future__ import annotations

import base64
import json
import zlib
from typing import TYPE_CHECKING, Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from device.credential import base45
from device.credential.signature import PublicKey
from device.credential.trust import Trust, TrustedKey, Use

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

COSE_ALGORITHMS = {"EdDSA": -8, "ES256": -7, "PS256": -37}
KID = b"\x01\x02\x03\x04\x05\x06\x07\x08"


def b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Issuer:
    """One private key.

    Args:
        algorithm: EdDSA, ES256 or PS256.
        kid: what its messages name it by.
        curve: for ES256; another one than P-256 makes a key that must not be trusted.
    """

    def __init__(
        self, algorithm: str = "EdDSA", *, kid: bytes = KID, curve: ec.EllipticCurve | None = None
    ) -> None:
        self.algorithm = algorithm
        self.kid = kid
        self._private: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
        if algorithm == "EdDSA":
            self._private = ed25519.Ed25519PrivateKey.generate()
        elif algorithm == "ES256":
            self._private = ec.generate_private_key(curve or ec.SECP256R1())
        else:
            self._private = rsa.generate_private_key(65537, 2048)

    @property
    def spki(self) -> bytes:
        return self._private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def key(
        self,
        uses: Iterable[Use] = tuple(Use),
        *,
        issuer: str = "office",
        not_before: datetime | None = None,
        not_after: datetime | None = None,
    ) -> TrustedKey:
        """This issuer as a trust list has it."""
        return TrustedKey(
            kid=self.kid,
            issuer=issuer,
            key=PublicKey(self.spki),
            uses=frozenset(uses),
            not_before=not_before,
            not_after=not_after,
        )

    def trust(self, *uses: Use) -> Trust:
        return Trust([self.key(uses or tuple(Use))])

    def sign(self, message: bytes) -> bytes:
        match self._private:
            case ed25519.Ed25519PrivateKey() as key:
                return key.sign(message)
            case ec.EllipticCurvePrivateKey() as key:
                r, s = decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
                size = (key.curve.key_size + 7) // 8
                return r.to_bytes(size, "big") + s.to_bytes(size, "big")
            case rsa.RSAPrivateKey() as key:
                pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
                return key.sign(message, pss, hashes.SHA256())

    def sign1(
        self,
        claims: object,
        *,
        protected: Mapping[Any, Any] | None = None,
        unprotected: Mapping[Any, Any] | None = None,
        payload: bytes | None = None,
        tag: bytes = b"\xd2",
    ) -> bytes:
        """A COSE_Sign1; headers and payload may be anything."""
        header = {1: COSE_ALGORITHMS[self.algorithm], 4: self.kid} if protected is None else protected
        head = cbor2.dumps(dict(header)) if header else b""
        body = cbor2.dumps(claims) if payload is None else payload
        signature = self.sign(cbor2.dumps(["Signature1", head, b"", body]))
        return tag + cbor2.dumps([head, dict(unprotected or {}), body, signature])

    def cwt(self, claims: object, *, compressed: bool = False, **how: Any) -> bytes:  # noqa: ANN401 - of `sign1`
        data = self.sign1(claims, **how)
        return base45.encode(zlib.compress(data) if compressed else data).encode()

    def hc1(self, claims: object, **how: Any) -> bytes:  # noqa: ANN401 - of `sign1`
        return b"HC1:" + base45.encode(zlib.compress(self.sign1(claims, **how))).encode()

    def jws(
        self, claims: object, *, header: Mapping[str, object] | None = None, payload: bytes | None = None
    ) -> bytes:
        head = {"alg": self.algorithm, "kid": self.kid.hex()} if header is None else dict(header)
        body = json.dumps(claims).encode() if payload is None else payload
        signed = f"{b64url(json.dumps(head).encode())}.{b64url(body)}"
        return f"{signed}.{b64url(self.sign(signed.encode()))}".encode()

    def shc(self, claims: object) -> bytes:
        deflate = zlib.compressobj(wbits=-15)
        body = deflate.compress(json.dumps(claims).encode()) + deflate.flush()
        header = {"alg": self.algorithm, "kid": self.kid.hex(), "zip": "DEF"}
        text = self.jws(None, header=header, payload=body)
        return b"shc:/" + "".join(f"{byte - 45:02}" for byte in text).encode()

    def jose_trust(self, *uses: Use) -> Trust:
        """The same key under the kid that JWS messages carry."""
        key = self.key(uses or tuple(Use))
        return Trust([TrustedKey(self.kid.hex().encode(), key.issuer, key.key, key.uses)])
