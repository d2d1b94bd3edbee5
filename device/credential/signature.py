"""Public keys and signatures: the only door to `cryptography`.

Three algorithms, each bound to one kind of key, so that a message can never choose how it is checked:
ES256 with P-256 and nothing else, PS256 with RSA of at least 2,048 bits, EdDSA with Ed25519.
"""

from __future__ import annotations

import hashlib
from enum import Enum, auto

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_public_key,
)

from device.credential.flaw import Flawed

KID_BYTES = 8
"""As in health certificates: enough to find a key, not meant to prove anything."""

_COORDINATE_BYTES = 32
_MIN_RSA_BITS = 2048


class Algorithm(Enum):
    """How a message is signed."""

    ES256 = auto()
    PS256 = auto()
    EDDSA = auto()


class PublicKey:
    """A key that checks signatures. Immutable; safe from any thread.

    Args:
        spki: SubjectPublicKeyInfo, DER. Plain keys, not certificates: some issuers' certificates break
            X.509 while their keys are good.

    Raises:
        Flawed: it is none, or of a kind or size that no algorithm here uses.
    """

    __slots__ = ("_key", "spki")

    def __init__(self, spki: bytes) -> None:
        try:
            key = load_der_public_key(spki)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise Flawed("key") from None
        match key:
            case ed25519.Ed25519PublicKey():
                pass
            case ec.EllipticCurvePublicKey() if isinstance(key.curve, ec.SECP256R1):
                pass
            case rsa.RSAPublicKey() if key.key_size >= _MIN_RSA_BITS:
                pass
            case _:
                raise Flawed("key")
        self._key: ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey = key
        self.spki = spki

    @classmethod
    def from_pem(cls, pem: bytes) -> PublicKey:
        """The key in a PEM file.

        Raises:
            Flawed: it holds none, or of a kind or size that no algorithm here uses.
        """
        try:
            key = load_pem_public_key(pem)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise Flawed("key") from None
        return cls(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))

    @classmethod
    def ed25519(cls, x: bytes) -> PublicKey:
        """The Ed25519 key with this coordinate. Raises Flawed."""
        try:
            key = ed25519.Ed25519PublicKey.from_public_bytes(x)
        except ValueError:
            raise Flawed("key") from None
        return cls(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))

    @classmethod
    def p256(cls, point: bytes) -> PublicKey:
        """The P-256 key at this point, whole or compressed (SEC 1). Raises Flawed."""
        try:
            key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        except ValueError:
            raise Flawed("key") from None
        return cls(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))

    def coordinates(self) -> tuple[bytes, ...]:
        """Of an Ed25519 key x, of a P-256 key x and y, of others nothing."""
        match self._key:
            case ed25519.Ed25519PublicKey() as key:
                return (key.public_bytes(Encoding.Raw, PublicFormat.Raw),)
            case ec.EllipticCurvePublicKey() as key:
                numbers = key.public_numbers()
                return tuple(n.to_bytes(_COORDINATE_BYTES, "big") for n in (numbers.x, numbers.y))
            case _:
                return ()

    @property
    def kid(self) -> bytes:
        """Names the key, as `SigningKey.kid` does: the beginning of the hash of its form in a file."""
        return hashlib.sha256(self.spki).digest()[:KID_BYTES]

    def verifies(self, algorithm: Algorithm, message: bytes, signature: bytes) -> bool:
        """Whether this key made the signature, by this algorithm. Raises nothing."""
        try:
            match algorithm, self._key:
                case Algorithm.EDDSA, ed25519.Ed25519PublicKey() as key:
                    key.verify(signature, message)
                case Algorithm.ES256, ec.EllipticCurvePublicKey() as key:
                    key.verify(_der(signature), message, ec.ECDSA(hashes.SHA256()))
                case Algorithm.PS256, rsa.RSAPublicKey() as key:
                    key.verify(signature, message, _PSS, hashes.SHA256())
                case _:
                    return False
        except (InvalidSignature, ValueError):
            return False
        return True


_PSS = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=hashes.SHA256.digest_size)
"""RFC 7518 and RFC 8230: the salt is as long as the hash."""


def _der(signature: bytes) -> bytes:
    """The numbers r and s, 32 bytes each, as X.509 writes them. Any other length is no ES256 signature."""
    if len(signature) != 2 * _COORDINATE_BYTES:
        raise ValueError("ES256 signatures have 64 bytes")
    r, s = signature[:_COORDINATE_BYTES], signature[_COORDINATE_BYTES:]
    return encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))
